# SPDX-License-Identifier: Apache-2.0
"""moto's S3 with a bucket and a user, checking every signature from then on. Run by the Python that has moto.

    python s3_server.py FOLDER      puts the files below FOLDER into the bucket `plugins` (versioned), prints a line of
                                    JSON {port, access_key, secret_key, session: {...}}, serves until its input ends.
                                    Each line {key, file} of its input is one more upload, answered by `done`; a line
                                    {list: PREFIX} is answered by {KEY: {text, type}} of what is there
"""
import json
import os
import pathlib
import sys
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

os.environ.update(AWS_ACCESS_KEY_ID="setup", AWS_SECRET_ACCESS_KEY="setup", AWS_DEFAULT_REGION="us-east-1")
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}]}


def objects(s3, prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="plugins", Prefix=prefix)
    found = {}
    for key in (item["Key"] for page in pages for item in page.get("Contents", [])):
        got = s3.get_object(Bucket="plugins", Key=key)
        found[key] = {"text": got["Body"].read().decode(), "type": got["ContentType"]}
    return found


def main():
    folder = pathlib.Path(sys.argv[1])
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    url = f"http://127.0.0.1:{port}"
    s3, iam, sts = (boto3.client(name, endpoint_url=url) for name in ("s3", "iam", "sts"))
    s3.create_bucket(Bucket="plugins")
    s3.put_bucket_versioning(Bucket="plugins", VersioningConfiguration={"Status": "Enabled"})
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        key = str(path.relative_to(folder))
        s3.put_object(Bucket="plugins", Key=key, Body=path.read_bytes())
    iam.create_user(UserName="reader")
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(POLICY))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    role = iam.create_role(RoleName="reading", AssumeRolePolicyDocument=json.dumps(POLICY))["Role"]
    iam.put_role_policy(RoleName="reading", PolicyName="read", PolicyDocument=json.dumps(POLICY))
    session = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    urllib.request.urlopen(urllib.request.Request(url + "/moto-api/reset-auth", data=b"0", method="POST",
                                                  headers={"Content-Type": "text/plain"})).read()
    print(json.dumps({"port": port, "access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"],
                      "session": {"access_key": session["AccessKeyId"], "secret_key": session["SecretAccessKey"],
                                  "token": session["SessionToken"]}}), flush=True)
    s3 = boto3.client("s3", endpoint_url=url, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    for line in sys.stdin:
        wanted = json.loads(line)
        if "list" in wanted:
            print(json.dumps(objects(s3, wanted["list"])), flush=True)
            continue
        s3.put_object(Bucket="plugins", Key=wanted["key"], Body=pathlib.Path(wanted["file"]).read_bytes())
        print("done", flush=True)
    os._exit(0)


main()

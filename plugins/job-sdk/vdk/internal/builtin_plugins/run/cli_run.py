# SPDX-License-Identifier: Apache-2.0
"""The command run, for plugin commands that invoke it."""
import os
import subprocess
import sys

import click


class JobFailed(click.exceptions.Exit):
    """The run has failed and has said why."""


@click.command(name="run", help="Run a data job.")
@click.argument("data_job_directory", type=click.Path(exists=True, file_okay=False, resolve_path=True))
@click.option("--arguments", type=click.STRING, required=False, help="JSON object that the steps read.")
@click.pass_context
def run(ctx, data_job_directory, arguments=None):
    """Hands the job to vdk itself."""
    command = [os.environ.get("VDK_EXECUTABLE") or "vdk", "run", str(data_job_directory)]
    if arguments:
        command += ["--arguments", arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    code = subprocess.call(command, env={**os.environ, "VDK_PYTHON": sys.executable})
    if code:
        raise JobFailed(code)

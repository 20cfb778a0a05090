"""A Python step is a file with a function run(job_input)."""
import logging

from vdk.api.job_input import IJobInput

log = logging.getLogger(__name__)


def run(job_input: IJobInput):
    name = job_input.get_arguments().get("name", "world")
    job_input.execute_query("INSERT INTO greetings (name) VALUES ('{}')".format(str(name).replace("'", "''")))
    rows = job_input.execute_query("SELECT count(*) FROM greetings")
    log.info("hello %s, there are %s greetings now", name, rows[0][0])

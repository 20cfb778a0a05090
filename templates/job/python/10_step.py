"""The first step of the job."""
import logging

from vdk.api.job_input import IJobInput

log = logging.getLogger(__name__)


def run(job_input: IJobInput):
    log.info("job %s starts with the arguments %s", job_input.get_name(), job_input.get_arguments())

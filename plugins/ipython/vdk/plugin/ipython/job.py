# SPDX-License-Identifier: Apache-2.0
"""%reload_VDK and the object VDK."""
import atexit
import json
import logging
import os
import pathlib

from IPython import get_ipython
from IPython.core.error import UsageError
from IPython.core.magic_arguments import argument
from IPython.core.magic_arguments import magic_arguments
from IPython.core.magic_arguments import parse_argstring
from vdk.api.data_job import StandaloneDataJobFactory

log = logging.getLogger(__name__)


class JobControl:
    """Begins and ends the job of the notebook."""

    def __init__(self, path=None, name=None, arguments=None, template=None):
        self._path = pathlib.Path(path if path else os.getcwd()).resolve()
        self._name = name or self._path.name
        self._arguments = _parse(arguments)
        self._template = template
        self._job = None
        self._job_input = None

    def get_initialized_job_input(self):
        """The job_input; the same one until the job is finalized."""
        if self._job_input is None:
            job = StandaloneDataJobFactory.create(
                data_job_directory=self._path, name=self._name, job_args=self._arguments, template_name=self._template
            )
            self._job_input = job.__enter__()
            self._job = job
        return self._job_input

    def finalize(self):
        """Store what was sent for ingestion and close the connections. May be called again and again."""
        if self._job is None:
            log.warning("there is no job to finalize: VDK.get_initialized_job_input() begins one")
            return
        job, self._job, self._job_input = self._job, None, None
        job.__exit__(None, None, None)

    def is_begun(self):
        """Whether there is a job_input."""
        return self._job is not None

    def _end(self):
        if self.is_begun():
            self.finalize()

    def __repr__(self):
        return "VDK(name=%r, path=%r, %s)" % (self._name, str(self._path), "begun" if self._job else "not begun")


def _parse(arguments):
    if not arguments:
        return None
    try:
        value = json.loads(arguments)
    except ValueError as error:
        raise UsageError("the arguments are no valid JSON: %s" % error)
    if not isinstance(value, dict):
        raise UsageError('the arguments must be a JSON object, such as {"day": "2024-01-31"}')
    return value


def load_job(path=None, name=None, arguments=None, template=None, log_level_vdk="WARNING"):
    """Put a new VDK into the notebook; the job of the old one is finalized."""
    if log_level_vdk:
        logging.getLogger("vdk").setLevel(log_level_vdk)
    control = JobControl(path, name, arguments, template)
    shell = get_ipython()
    before = shell.user_ns.get("VDK")
    if isinstance(before, JobControl):
        atexit.unregister(before._end)
        before._end()
    shell.push({"VDK": control})
    atexit.register(control._end)
    return control


def current():
    """The notebook's VDK; made when there is none."""
    control = get_ipython().user_ns.get("VDK")
    if isinstance(control, JobControl):
        return control
    log.warning("%%reload_VDK has not been called: the job is the folder %s", os.getcwd())
    return load_job()


@magic_arguments("%reload_VDK")
@argument("-p", "--path", type=str, default=None, help="Folder of the job (default: the working folder).")
@argument("-n", "--name", type=str, default=None, help="Name of the job (default: that of its folder).")
@argument("-a", "--arguments", type=str, default=None, help="JSON object that get_arguments() gives.")
@argument("-t", "--template", type=str, default=None, help="Name of the template that is worked on.")
@argument("-l", "--log-level-vdk", type=str, default="WARNING", help="DEBUG, INFO, WARNING, ERROR or CRITICAL.")
def reload_vdk(line):
    """Begin anew with the job of this notebook."""
    given = parse_argstring(reload_vdk, line)
    load_job(*[_unquoted(value) for value in (given.path, given.name, given.arguments, given.template)],
             log_level_vdk=given.log_level_vdk.upper())


def _unquoted(text):
    """IPython leaves the quotes around a value."""
    if text and len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text

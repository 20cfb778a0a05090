# SPDX-License-Identifier: Apache-2.0
"""What plugins import from the original's runner."""
from vdk.api.job_input import IJobArguments


class JobArguments(IJobArguments):
    """The arguments of a run."""

    def __init__(self, arguments):
        self.arguments = arguments

    def get_arguments(self):
        return self.arguments


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(
        "vdk.internal.builtin_plugins.run.data_job.%s is not here: vdk runs jobs itself. "
        "Use the hooks run_step and run_job (as wrappers), or vdk.api.data_job" % name
    )

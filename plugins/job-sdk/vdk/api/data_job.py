# SPDX-License-Identifier: Apache-2.0
"""A job_input for programs that are no steps: notebooks, tests, scripts.

    with StandaloneDataJobFactory.create(pathlib.Path("my-job")) as job_input:
        job_input.execute_query("select 1")
"""


class IStandaloneDataJob:
    """A context manager that gives a job_input."""

    def __enter__(self):
        raise NotImplementedError

    def __exit__(self, exc_type, exc_value, exc_traceback):
        raise NotImplementedError


class StandaloneDataJobFactory:
    """Makes them."""

    @staticmethod
    def create(data_job_directory=None, name=None, job_args=None, extra_plugins=(), template_name=None):
        """The folder of a job, a name, or both; the steps of the folder are not run."""
        from vdk.sdk.session import StandaloneDataJob

        return StandaloneDataJob(data_job_directory, name, job_args, extra_plugins, template_name)

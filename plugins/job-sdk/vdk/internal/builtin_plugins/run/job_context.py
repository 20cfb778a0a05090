# SPDX-License-Identifier: Apache-2.0
"""What plugins get for a job."""
from vdk.internal.builtin_plugins.run.step import StepBuilder


class JobContext:
    """The job and the places where plugins register what they bring."""

    def __init__(
        self, name, job_directory, core_context, job_args, templates, connections=None, ingester=None,
        properties=None, secrets=None, job_input=None,
    ):
        self.name = name
        self.job_directory = job_directory
        self.core_context = core_context
        self.step_builder = StepBuilder()
        self.job_args = job_args
        self.templates = templates
        self.connections = connections
        self.ingester = ingester
        self.properties = properties
        self.secrets = secrets
        self.job_input = job_input

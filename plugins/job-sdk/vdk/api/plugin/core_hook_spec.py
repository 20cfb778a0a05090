# SPDX-License-Identifier: Apache-2.0
"""The hooks of a run, in the order in which they are called."""
from vdk.api.plugin.hook_markers import hookspec


class CoreHookSpecs:
    """Called once for each call of vdk that starts Python."""

    @hookspec(historic=True)
    def vdk_start(self, plugin_registry, command_line_args):
        """First of all; a plugin may load others here."""

    @hookspec
    def vdk_command_line(self, root_command):
        """Add click commands."""

    @hookspec
    def vdk_configure(self, config_builder):
        """Define settings."""

    @hookspec
    def vdk_initialize(self, context):
        """The configuration is complete."""

    @hookspec
    def vdk_exception(self, exception):
        """The run has failed; True means that the plugin has dealt with it."""

    @hookspec
    def vdk_exit(self, context, exit_code):
        """Last of all."""


class JobRunHookSpecs:
    """Called for a job."""

    @hookspec
    def initialize_job(self, context):
        """Register connections, ingestion methods, templates, properties, secrets."""

    @hookspec(firstresult=True)
    def run_job(self, context):
        """Around the steps. Wrappers are called; a plugin that returns a result of its own is refused."""

    @hookspec(firstresult=True)
    def run_step(self, context, step):
        """Around one step, or instead of it."""

    @hookspec
    def finalize_job(self, context):
        """The steps are done, or one has failed."""

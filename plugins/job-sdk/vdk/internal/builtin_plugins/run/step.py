# SPDX-License-Identifier: Apache-2.0
"""A step as plugins see it."""


class Step:
    """One step of the job; `runner_func(step, job_input)` runs it."""

    def __init__(self, name, type, runner_func, file_path, job_dir, parent=None):
        self.name = name
        self.type = type
        self.runner_func = runner_func
        self.file_path = file_path
        self.job_dir = job_dir
        self.parent = parent

    def __repr__(self):
        return "Step(name=%r, type=%r)" % (self.name, self.type)


StepFunction = object


class StepBuilder:
    """The steps of the job. vdk has planned them before plugins are asked."""

    def __init__(self):
        self._steps = []
        self._asked = False

    def add_step(self, step):
        """Steps that plugins add are not run: vdk plans the steps."""
        from vdk.api.errors import VdkConfigurationError

        raise VdkConfigurationError(
            "cannot add the step %r: the steps of a job are its files and notebook cells, and vdk plans them itself. "
            "Put the step into the job folder, or call the plugin's code from a step" % (step.name,)
        )

    def get_steps(self):
        """The steps that have begun so far."""
        return list(self._steps)

# SPDX-License-Identifier: Apache-2.0
"""What steps and runs gave, as plugins see it."""
from vdk.internal.builtin_plugins.run.run_status import ExecutionStatus
from vdk.internal.core.errors import find_whom_to_blame_from_exception
from vdk.internal.core.errors import PlatformServiceError


class StepResult:
    """Outcome of one step."""

    def __init__(
        self, name, type, start_time, end_time, status, details=None, exception=None, blamee=None
    ):
        self.name = name
        self.type = type
        self.start_time = start_time
        self.end_time = end_time
        self.status = status
        self.details = details
        self.exception = exception
        self.blamee = blamee

    def __repr__(self):
        return "StepResult(name=%r, status=%r)" % (self.name, self.status)


class ExecutionResult:
    """Outcome of a run."""

    def __init__(
        self, data_job_name, execution_id, start_time, end_time, status, steps_list, exception=None, blamee=None
    ):
        self.data_job_name = data_job_name
        self.execution_id = execution_id
        self.start_time = start_time
        self.end_time = end_time
        self.status = status
        self.steps_list = steps_list
        self.exception = exception
        self.blamee = blamee

    def is_failed(self):
        return self.status == ExecutionStatus.ERROR

    def is_success(self):
        return self.status == ExecutionStatus.SUCCESS

    def get_exception_to_raise(self):
        """The error of the run, or of the step that failed; None after success."""
        if self.exception is not None:
            return self.exception
        found = next((step.exception for step in self.steps_list if step.exception is not None), None)
        if found is None and self.is_failed():
            return PlatformServiceError("the job %s has failed, and no step said why" % self.data_job_name)
        return found

    get_exception = get_exception_to_raise

    def get_blamee(self):
        """Who has to act."""
        if self.blamee is not None:
            return self.blamee
        error = self.get_exception()
        if error is None:
            return None
        blamee = next((step.blamee for step in self.steps_list if step.exception is error), None)
        return find_whom_to_blame_from_exception(error) if blamee is None else blamee

    def get_details(self):
        """The first cause in words."""
        error = self.get_exception()
        while error is not None and error.__cause__ is not None:
            error = error.__cause__
        return str(error)

    def __repr__(self):
        import json

        def plain(value):
            return value.isoformat() if hasattr(value, "isoformat") else getattr(value, "__dict__", None) or str(value)

        return json.dumps(self.__dict__, default=plain, indent=2)

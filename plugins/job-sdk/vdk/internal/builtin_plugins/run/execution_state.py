# SPDX-License-Identifier: Apache-2.0
"""Keys of the state of a run."""
from vdk.internal.core.statestore import StoreKey


class ExecutionStateStoreKeys:
    """What vdk notes while a job runs."""

    JOB_NAME = StoreKey("vdk.job_name")
    JOB_GIT_HASH = StoreKey("vdk.job_git_hash")
    STEPS_SUCCEEDED = StoreKey("vdk.steps_succeeded")
    STEPS_STARTED = StoreKey("vdk.steps_started")
    STEPS_FAILED = StoreKey("vdk.steps_failed")
    EXECUTION_RESULT = StoreKey("vdk.execution_result")
    TEMPLATE_NAME = StoreKey("vdk.template_name")

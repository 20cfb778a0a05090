# SPDX-License-Identifier: Apache-2.0
"""How a step or a run ended."""
from enum import Enum


class ExecutionStatus(str, Enum):
    """The words of the run summary."""

    SUCCESS = "success"
    NOT_RUNNABLE = "not_runnable"
    ERROR = "error"
    SKIP_REQUESTED = "skip_requested"

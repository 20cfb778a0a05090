# SPDX-License-Identifier: Apache-2.0
"""Errors of vdk and how plugins report them."""
from vdk.api.errors import BaseVdkError
from vdk.api.errors import PlatformServiceError
from vdk.api.errors import SkipRemainingStepsException
from vdk.api.errors import UserCodeError
from vdk.api.errors import VdkConfigurationError
from vdk.internal.core.error_classifiers import *  # noqa: F401,F403 - plugins read all of it from here
from vdk.internal.core.error_classifiers import ResolvableBy
from vdk.internal.core.error_classifiers import set_exception_resolvable_by

__all__ = [
    "BaseVdkError",
    "DomainError",
    "ErrorMessage",
    "PlatformServiceError",
    "ResolvableBy",
    "SkipRemainingStepsException",
    "UserCodeError",
    "VdkConfigurationError",
]


class DomainError(BaseVdkError):
    """An error of a plugin's own domain."""


class ErrorMessage:
    """The parts of an error message, as older plugins pass them."""

    def __init__(self, summary="", what="", why="", consequences="", countermeasures=""):
        self.summary = summary
        self.what = what
        self.why = why
        self.consequences = consequences
        self.countermeasures = countermeasures

    def vdk_lines(self):
        """The parts in the order in which people read them."""
        return [self.summary, self.what, self.why, self.consequences, self.countermeasures]

    def __str__(self):
        return "\n".join(str(line) for line in self.vdk_lines() if line)


def report(error_type, exception):
    """Note who has to act on an error."""
    set_exception_resolvable_by(exception, error_type)


def report_and_throw(exception, resolvable_by=None):
    """Raise an error, noting who has to act on it."""
    if resolvable_by is not None:
        set_exception_resolvable_by(exception, resolvable_by)
    raise exception


def report_and_rethrow(error_type, exception):
    """Note who has to act on an error and raise it again."""
    report(error_type, exception)
    raise exception


def log_exception(log, exception, *lines):
    """Log an error with a message before it."""
    log.warning("\n".join(line for line in lines if line))
    log.error("%s", exception, exc_info=exception)


def log_and_throw(to_be_fixed_by, log, what_happened, why_it_happened, consequences, countermeasures):
    """Raise the error class that stands for a kind."""
    kinds = {ResolvableBy.USER_ERROR: UserCodeError, ResolvableBy.CONFIG_ERROR: VdkConfigurationError}
    kind = kinds.get(to_be_fixed_by, PlatformServiceError)
    raise kind(what_happened, why_it_happened, consequences, countermeasures)


def log_and_rethrow(
    to_be_fixed_by, log, what_happened, why_it_happened, consequences, countermeasures, exception,
    wrap_in_vdk_error=False,
):
    """Log four lines about an error and raise it again."""
    log.error("%s", "\n".join([what_happened, why_it_happened, consequences, countermeasures]))
    if wrap_in_vdk_error and not isinstance(exception, BaseVdkError):
        try:
            log_and_throw(to_be_fixed_by, log, what_happened, why_it_happened, consequences, countermeasures)
        except BaseVdkError as wrapped:
            raise wrapped from exception
    report_and_rethrow(to_be_fixed_by, exception)

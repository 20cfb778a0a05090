# SPDX-License-Identifier: Apache-2.0
"""Who has to act on an error, in the words of the original."""
import logging
from enum import Enum

from vdk.api import errors as _errors

log = logging.getLogger(__name__)


class ResolvableBy(str, Enum):
    """Kind of an error. The texts stand in summaries and termination messages."""

    PLATFORM_ERROR = "Platform error"
    USER_ERROR = "User Error"
    CONFIG_ERROR = "Configuration error"

    @property
    def vdk_blamee(self):
        """The word that vdk itself uses."""
        return {"User Error": "user", "Configuration error": "configuration"}.get(self.value, "platform")


class ResolvableByActual(str, Enum):
    """Who acts in the end."""

    PLATFORM = "Platform"
    USER = "User"

    @property
    def vdk_blamee(self):
        """The word that vdk itself uses."""
        return "user" if self.value == "User" else "platform"


CONFIGURATION_ERRORS_ARE_TO_BE_RESOLVED_BY = ResolvableByActual.PLATFORM

_KINDS = {
    "user": ResolvableBy.USER_ERROR,
    "configuration": ResolvableBy.CONFIG_ERROR,
    "platform": ResolvableBy.PLATFORM_ERROR,
}


def set_exception_resolvable_by(exception, resolvable_by):
    """Note on an error of any class who has to act."""
    try:
        exception.vdk_reported = ResolvableBy(resolvable_by)
    except AttributeError:
        pass  # a class with slots


def get_exception_resolvable_by(exception):
    """What was noted, or what the class of the error says; None when neither does."""
    noted = getattr(exception, "vdk_reported", None)
    if noted is not None:
        return noted
    return _KINDS.get(exception.blamee) if isinstance(exception, _errors.BaseVdkError) else None


def get_exception_resolvable_by_actual(exception):
    """The same as user or platform."""
    kind = get_exception_resolvable_by(exception)
    if kind is None:
        return None
    return ResolvableByActual.USER if kind is ResolvableBy.USER_ERROR else ResolvableByActual.PLATFORM


def find_whom_to_blame_from_exception(exception):
    """Kind of an error; what nobody has said anything about is the platform's."""
    return get_exception_resolvable_by(exception) or ResolvableBy.PLATFORM_ERROR


def exception_matches(exception, classname_with_package=None, exception_message_matcher_regex=None):
    """Whether class (with its module) and message of an error match two regular expressions."""
    import re

    name = "%s.%s" % (type(exception).__module__, type(exception).__name__)
    if classname_with_package and not re.match(classname_with_package, name):
        return False
    text = str(exception)
    return not exception_message_matcher_regex or re.match(exception_message_matcher_regex, text, re.DOTALL) is not None


def MSG_WHY_FROM_EXCEPTION(exception):  # noqa: N802 - the name that plugins import
    """One sentence about an error."""
    return "An exception occurred, exception message was: %s" % (exception,)


MSG_CONSEQUENCE_DELEGATING_TO_CALLER__LIKELY_EXECUTION_FAILURE = (
    "The error is handed to the caller; most likely the data job fails."
)
MSG_CONSEQUENCE_TERMINATING_APP = "The command ends here."
MSG_COUNTERMEASURE_FIX_PARENT_EXCEPTION = "See the error that caused this one."

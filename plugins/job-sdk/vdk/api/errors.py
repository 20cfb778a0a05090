# SPDX-License-Identifier: Apache-2.0
"""Errors that say who has to act on them."""


class BaseVdkError(Exception):
    """An error that vdk raises; `blamee` is "user", "platform" or "configuration"."""

    blamee = "platform"


class UserCodeError(BaseVdkError):
    """The code or the data of the job are at fault."""

    blamee = "user"


class PlatformServiceError(BaseVdkError):
    """vdk, the machine or a service that it needs failed."""


class VdkConfigurationError(BaseVdkError):
    """A setting is missing or wrong."""

    blamee = "configuration"


class SkipRemainingStepsException(BaseVdkError):
    """Raised by `skip_remaining_steps`; not a failure."""

    blamee = "none"


def by_blamee(blamee, message):
    """The error class that stands for a blamee, with the message."""
    kinds = {"user": UserCodeError, "configuration": VdkConfigurationError}
    return kinds.get(blamee, PlatformServiceError)(message)

# SPDX-License-Identifier: Apache-2.0
"""Errors that say who has to act on them."""


class BaseVdkError(Exception):
    """An error that vdk raises; `blamee` is "user", "platform" or "configuration".

    The lines of the message may follow a `ResolvableByActual` and a `ResolvableBy`, as plugins of the original pass
    them.
    """

    blamee = "platform"

    def __init__(self, *lines):
        rest = list(lines)
        while rest and (rest[0] is None or hasattr(rest[0], "vdk_blamee")):
            kind = rest.pop(0)
            if kind is not None:
                self.blamee = kind.vdk_blamee
        if len(rest) == 1 and hasattr(rest[0], "vdk_lines"):
            rest = rest[0].vdk_lines()
        elif len(rest) == 1 and isinstance(rest[0], dict):
            rest = list(rest[0].values())
        self.lines = [str(line) for line in rest if line not in (None, "")]
        super().__init__("\n".join(self.lines))

    def __reduce__(self):
        return (type(self), tuple(self.lines))


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

# SPDX-License-Identifier: Apache-2.0
"""Helpers that plugins use."""
import functools
import logging
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def closing_noexcept_on_close(thing):
    """Close a thing at the end; a failure to close it is logged only."""
    try:
        yield thing
    finally:
        try:
            thing.close()
        except Exception as error:
            log.info("%s could not be closed, which does no harm: %s", thing, error)


class LogDecorator:
    """Logs begin and end of a function for those who debug."""

    def __init__(self, logger, message=None):
        self.logger = logger
        self.message = message

    def __call__(self, function):
        @functools.wraps(function)
        def logged(*args, **kwargs):
            name = self.message or function.__qualname__
            self.logger.debug("%s starts", name)
            result = function(*args, **kwargs)
            self.logger.debug("%s ends", name)
            return result

        return logged

# SPDX-License-Identifier: Apache-2.0
"""How the log records of a job look."""
import json
import logging
import os
import sys
import time

_LONGEST = 1 << 18  # what vdk takes for one record
_LONGEST_PART = 68 << 10  # vdk cuts at 64 KiB, after it has put stars for secrets


def formatter(settings):
    """The formatter for what the settings ask for."""
    if settings.get("log_format") == "json":
        return JsonFormatter(settings)
    if settings["collected_logs"]:
        name = settings["name"].replace("%", "%%")
        attempt = settings["attempt_id"].replace("%", "%%")
        shape = (
            "%(asctime)s [VDK] " + name + " [%(levelname)-5.5s] %(name)-30.30s %(filename)20.20s:%(lineno)-4.4s "
            "%(funcName)-16.16s[id:" + attempt + "]- %(message)s"
        )
    else:
        shape = "%(levelname)s %(name)s: %(message)s"
    made = logging.Formatter(shape)
    made.converter = time.gmtime
    return made


class Marked(logging.Handler):
    """Records for vdk, which reads standard error and passes their lines on: in order with what else is written there."""

    def __init__(self, mark):
        super().__init__()
        self._mark = mark
        self._fd = os.dup(2)  # wherever the step leads its own

    def emit(self, record):
        try:
            note = {
                "text": shortened(self.format(record), _LONGEST),
                "level": record.levelname,
                "logger": record.name,
                "message": shortened(message_of(record), _LONGEST_PART),
                "exception": shortened(traceback_of(record), _LONGEST_PART),
            }
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except (AttributeError, OSError, ValueError):
                    pass  # the step closed or replaced it
            line = memoryview((self._mark + json.dumps(note) + "\n").encode("ascii"))
            while line:
                line = line[os.write(self._fd, line) :]
        except Exception:
            self.handleError(record)


def shortened(text, longest):
    """The text, or its beginning with a mark."""
    return text if len(text) <= longest else text[:longest] + " ..."


def message_of(record):
    """The text of a record; one with wrong arguments is still worth a line."""
    try:
        return record.getMessage()
    except Exception:
        return str(record.msg)


def traceback_of(record):
    """The traceback that a record carries, or nothing."""
    return logging.Formatter().formatException(record.exc_info) if record.exc_info else record.exc_text or ""


class JsonFormatter(logging.Formatter):
    """One JSON object per record, with the members of vdk's own lines."""

    def __init__(self, settings):
        super().__init__()
        self._settings = settings

    def format(self, record):
        settings = self._settings
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return json.dumps({
            "timestamp": "%s.%03dZ" % (seconds, int(record.created * 1000) % 1000),
            "level": record.levelname,
            "logger": record.name,
            "message": message_of(record),
            "job_name": settings.get("name") or None,
            "execution_id": settings.get("execution_id") or None,
            "attempt_id": settings.get("attempt_id") or None,
            "op_id": settings.get("op_id") or None,
            "step": settings.get("step"),
            "file": record.filename,
            "line": record.lineno,
            "func": record.funcName,
            "exception": traceback_of(record) or None,
        })

# SPDX-License-Identifier: Apache-2.0
"""How the log records of a job look."""
import json
import logging
import time


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


class JsonFormatter(logging.Formatter):
    """One JSON object per record, with the members of vdk's own lines."""

    def __init__(self, settings):
        super().__init__()
        self._settings = settings

    def format(self, record):
        settings = self._settings
        try:
            message = record.getMessage()
        except Exception:  # wrong arguments: what was meant is still worth a line
            message = str(record.msg)
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        exception = self.formatException(record.exc_info) if record.exc_info else record.exc_text
        return json.dumps({
            "timestamp": "%s.%03dZ" % (seconds, int(record.created * 1000) % 1000),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
            "job_name": settings.get("name") or None,
            "execution_id": settings.get("execution_id") or None,
            "attempt_id": settings.get("attempt_id") or None,
            "op_id": settings.get("op_id") or None,
            "step": settings.get("step"),
            "file": record.filename,
            "line": record.lineno,
            "func": record.funcName,
            "exception": exception,
        })

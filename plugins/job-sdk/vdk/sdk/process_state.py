# SPDX-License-Identifier: Apache-2.0
"""What of the process itself a step may have changed: how it was at the start, how it is now, and making it so again."""
import os
import sys


def start():
    import _locale
    import _warnings
    import builtins
    import time

    return {
        "umask": _umask(),
        "zone": (time.timezone, time.altzone, time.tzname),
        "locale": _locale.setlocale(_locale.LC_ALL, None),
        "warnings": list(getattr(_warnings, "filters", ())),
        "builtins": dict(vars(builtins)),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
    }


def changes(begin, now=None):
    """What can be saved; empty when all is as it was."""
    now, found = now or start(), {}
    for name in ("umask", "locale", "warnings"):
        if now[name] != begin[name]:
            found[name] = now[name]
    if now["zone"] != begin["zone"]:
        found["zone"] = True
    levels = _log_levels()
    if levels:
        found["logging"] = levels
    return found


def is_as_it_was(begin):
    now = start()
    return not changes(begin, now) and not replaced(begin, now)


def replaced(begin, now=None):
    """What cannot: [(name, why)]."""
    now, before = now or start(), begin["builtins"]
    names = [n for n in sorted(now["builtins"]) if n != "_" and (n not in before or now["builtins"][n] is not before[n])]
    found = [("builtins." + name, "it was set") for name in names]
    for name, old, new in zip(("stdin", "stdout", "stderr"), begin["streams"], now["streams"]):
        if old is not new:
            found.append(("sys." + name, "it was replaced"))
    return found


def restore(saved):
    if "umask" in saved:
        os.umask(saved["umask"])
    if "zone" in saved:
        import time

        time.tzset()
    if "locale" in saved:
        import _locale

        _locale.setlocale(_locale.LC_ALL, saved["locale"])
    if "warnings" in saved:
        import warnings

        warnings.filters[:] = saved["warnings"]
        getattr(warnings, "_filters_mutated", lambda: None)()
    if "logging" in saved:
        import logging

        for name, (level, disabled, propagate) in saved["logging"].items():
            logger = logging.getLogger(name)
            logger.setLevel(level)
            logger.disabled, logger.propagate = disabled, propagate


def _umask():
    try:
        with open("/proc/self/status", "rb") as file:
            for line in file:
                if line.startswith(b"Umask:"):
                    return int(line.split()[1], 8)
    except OSError:
        pass
    return None


def _log_levels():
    """Of the loggers with names; how much is logged at all is a setting of the run."""
    logging = sys.modules.get("logging")
    if logging is None:
        return {}
    loggers = {n: v for n, v in list(logging.root.manager.loggerDict.items()) if isinstance(v, logging.Logger)}
    return {n: (v.level, v.disabled, v.propagate) for n, v in loggers.items() if v.level or v.disabled or not v.propagate}

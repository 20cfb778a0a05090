# SPDX-License-Identifier: Apache-2.0
"""Which threads of the process matter when its state is to be saved."""
import sys


def busy():
    """Threads that may still do something; those that wait for work are started again when there is some."""
    threading = sys.modules.get("threading")
    if threading is None or threading.active_count() == 1:
        return []
    found = [t for t in threading.enumerate() if t is not threading.main_thread() and not _is_harmless(t)]
    if any(_is_worker(thread) for thread in found):
        import time

        idle = [t for t in found if _is_idle(t)]
        time.sleep(0.002)  # one that was just given work has begun with it then
        found = [t for t in found if t not in idle or not _is_idle(t)]
    return found


def _is_harmless(thread):
    # The one that redraws progress bars, and those of a debugger.
    if type(thread).__module__.split(".")[0] in ("tqdm", "debugpy", "pydevd", "_pydevd_bundle"):
        return True
    handlers, target = sys.modules.get("logging.handlers"), getattr(thread, "_target", None)
    if handlers is None or getattr(target, "__func__", None) is not handlers.QueueListener._monitor:
        return False
    return getattr(target.__self__.queue, "unfinished_tasks", 1) == 0


def _is_worker(thread):
    pools = sys.modules.get("concurrent.futures.thread")
    return pools is not None and getattr(thread, "_target", None) is pools._worker


def _is_idle(thread):
    """A worker of a pool of threads that waits for something to do."""
    try:
        frame = sys._current_frames()[thread.ident]
        if not _is_worker(thread) or frame.f_code.co_name != "_worker":
            return False
        return "work_item" not in frame.f_locals and frame.f_locals["work_queue"].empty()
    except Exception:
        return False  # another version keeps it otherwise

# SPDX-License-Identifier: Apache-2.0
"""Modules of the job folder are always those of their text. Python keeps what it compiled by the second of the change and
the size, so an edit right after a run could go unseen, and the run would be one of the old text."""
import importlib.machinery as machinery
import os
import sys


TEXTS = {}  # path -> what was compiled


def of_step(name):
    """What the module of a step is called."""
    return "step_" + os.path.splitext(name)[0].lower()


class _Steps:
    """Finds the modules of steps in processes that multiprocessing starts anew, for what they are given."""

    @staticmethod
    def find_spec(fullname, _path=None, _target=None):
        if not fullname.startswith("step_"):
            return None
        import importlib.util

        for folder in sys.path:
            for name in os.listdir(folder) if os.path.isdir(folder) else ():
                if name.lower().endswith(".py") and of_step(name) == fullname:
                    path = os.path.join(folder, name)
                    return importlib.util.spec_from_loader(fullname, _FromText(fullname, path))
        return None


def find_steps():
    sys.meta_path.append(_Steps)


class _FromText(machinery.SourceFileLoader):
    def get_code(self, fullname):
        path = self.get_filename(fullname)
        TEXTS[path] = self.get_data(path)
        return self.source_to_code(TEXTS[path], path)


def is_as_loaded(module):
    """Whether the file of a module of the job is still the one that was compiled."""
    path = getattr(module, "__file__", None)
    if path not in TEXTS:
        return True
    try:
        with open(path, "rb") as file:
            return file.read() == TEXTS[path]
    except OSError:
        return False


def read_from_text(directory):
    """Compile the modules below the folder anew in this process; no __pycache__ is read or written there."""
    root = os.path.realpath(directory) + os.sep
    find = machinery.FileFinder.path_hook(
        (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
        (_FromText, machinery.SOURCE_SUFFIXES),
        (machinery.SourcelessFileLoader, machinery.BYTECODE_SUFFIXES),
    )

    def hook(path):
        # What is installed there is no text of the job, and can be large.
        if "site-packages" in path or not (os.path.realpath(path) + os.sep).startswith(root):
            raise ImportError("not in the job folder", path=path)
        return find(path)

    sys.path_hooks.insert(0, hook)
    for path in list(sys.path_importer_cache):
        if (os.path.realpath(path) + os.sep).startswith(root):
            del sys.path_importer_cache[path]

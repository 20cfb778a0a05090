# SPDX-License-Identifier: Apache-2.0
"""Modules of the job folder are always those of their text. Python keeps what it compiled by the second of the change and
the size, so an edit right after a run could go unseen, and the run would be one of the old text."""
import importlib.machinery as machinery
import os
import sys


class _FromText(machinery.SourceFileLoader):
    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


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

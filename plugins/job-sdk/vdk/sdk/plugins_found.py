# SPDX-License-Identifier: Apache-2.0
"""Which plugins of the original are installed. Reads a few small files only: every Python job waits for this."""
import os
import sys

_GROUP = "[vdk.plugin.run]"

# What these plugins bring is a part of vdk.
BUILT_IN = (
    "vdk-sqlite", "vdk-notebook", "vdk-ipython", "vdk-plugin-control-cli", "vdk-ingest-file", "vdk-server", "vdk-core",
)


def _normal(name):
    return name.replace("_", "-").replace(".", "-").lower()


def _entries(text, group):
    """Pairs of name and object reference below the group's heading."""
    inside = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == group
        elif inside and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.split("[")[0].strip()


def find(group=_GROUP):
    """(distribution, entry point, object reference) of every plugin; the first on the path wins, as for imports."""
    found = []
    seen = set()
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            distribution = _normal(name.split("-")[0] if "-" in name else name[:-9])
            if distribution in seen:
                continue
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), encoding="utf-8") as file:
                    text = file.read()
            except OSError:
                continue
            seen.add(distribution)
            if group in text:
                found += [(distribution, entry, value) for entry, value in _entries(text, group)]
    return sorted(found)

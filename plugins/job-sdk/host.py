# SPDX-License-Identifier: Apache-2.0
"""The Python host: runs the Python steps of one job for vdk, which talks to it over an inherited socket.

Started as `python host.py FD`; as `python host.py --command FD ARGUMENTS` it runs a command that a plugin brings, as
`python host.py --query` one query. Imports as little as possible: its start is part of every job's time.
"""
import os
import sys


def _prepare_path():
    here = os.path.dirname(os.path.abspath(__file__))
    # Also without a script folder on the path (PYTHONSAFEPATH) and before a package that is installed under the same name.
    if here in sys.path:
        sys.path.remove(here)
    sys.path.insert(0, here)


if sys.version_info < (3, 6):
    sys.exit(
        "error: %s is Python %d.%d, and the steps of a job need 3.8 or newer. Set VDK_PYTHON to the path of one"
        % ((sys.executable,) + tuple(sys.version_info[:2]))
    )
if __name__ == "__mp_main__":  # a process of multiprocessing that does not begin as a copy of this one
    _prepare_path()
    from vdk.sdk import modules

    modules.find_steps()
if __name__ == "__main__":
    _prepare_path()
    if sys.argv[1] == "--command":
        from vdk.sdk import plugins_commands

        sys.exit(plugins_commands.main(int(sys.argv[2]), sys.argv[3:]))
    if sys.argv[1] == "--query":
        from vdk.sdk import query

        sys.exit(query.main())
    from vdk.sdk import host

    sys.exit(host.main(int(sys.argv[1])))

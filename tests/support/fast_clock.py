# SPDX-License-Identifier: Apache-2.0
"""A wall clock that runs faster, for processes under test (fast_clock.c)."""
import pathlib
import subprocess
import time

SOURCE = pathlib.Path(__file__).resolve().with_suffix(".c")


def environment(folder, speed):
    """Variables of processes whose clock runs `speed` times as fast from now on; the library lies in `folder`."""
    library = pathlib.Path(folder) / "fast_clock.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True)
    return {"LD_PRELOAD": str(library), "VDK_TEST_BEGIN": str(int(time.time())), "VDK_TEST_SPEED": str(speed)}

# SPDX-License-Identifier: Apache-2.0
"""The target's rows from the earliest arriving time on are replaced by the source's."""
from vdk.sdk import load


def run(job_input):
    load.periodic_snapshot(job_input)

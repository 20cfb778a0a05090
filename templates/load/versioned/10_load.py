# SPDX-License-Identifier: Apache-2.0
"""Changes arrive as new versions, the target keeps the history."""
from vdk.sdk import load


def run(job_input):
    load.scd2(job_input)

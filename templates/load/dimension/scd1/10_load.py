# SPDX-License-Identifier: Apache-2.0
"""The target becomes exactly what the source holds."""
from vdk.sdk import load


def run(job_input):
    load.scd1(job_input)

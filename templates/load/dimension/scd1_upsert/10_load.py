# SPDX-License-Identifier: Apache-2.0
"""Rows of the target whose id arrives are replaced, the others stay."""
from vdk.sdk import load


def run(job_input):
    load.scd1_upsert(job_input)

# SPDX-License-Identifier: Apache-2.0
"""Versions arrive with their start and end; what was valid and does not arrive goes, older versions stay."""
from vdk.sdk import load


def run(job_input):
    load.scd2_simple(job_input)

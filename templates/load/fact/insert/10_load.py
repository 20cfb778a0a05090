# SPDX-License-Identifier: Apache-2.0
"""The rows of the source are added to the target."""
from vdk.sdk import load


def run(job_input):
    load.insert(job_input)

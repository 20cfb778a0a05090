# SPDX-License-Identifier: Apache-2.0
"""%%vdkingest"""
from vdk.plugin.ipython import job


def vdkingest(line, cell):
    """Send everything that the flows of the cell (TOML) name, and wait until it is stored."""
    from vdk.sdk import ingest_cell

    job_input = job.current().get_initialized_job_input()
    ingest_cell.run(cell, "this cell", job_input)
    job_input._run.ingester.wait()

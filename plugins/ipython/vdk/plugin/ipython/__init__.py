# SPDX-License-Identifier: Apache-2.0
"""IPython extension of vdk: `%reload_ext vdk.plugin.ipython`."""
from vdk.plugin.ipython import sdk

sdk.find()


def load_ipython_extension(ipython):
    """Called by IPython."""
    from vdk.plugin.ipython import ingest
    from vdk.plugin.ipython import job
    from vdk.plugin.ipython import sql

    ipython.register_magic_function(job.reload_vdk, magic_name="reload_VDK")
    ipython.register_magic_function(sql.vdksql, magic_kind="cell", magic_name="vdksql")
    ipython.register_magic_function(ingest.vdkingest, magic_kind="cell", magic_name="vdkingest")

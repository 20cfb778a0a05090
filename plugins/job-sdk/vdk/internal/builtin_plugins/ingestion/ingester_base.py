# SPDX-License-Identifier: Apache-2.0
"""Where plugins import the ingestion interface from."""
from vdk.api.plugin.plugin_input import IIngesterPlugin

__all__ = ["IIngesterPlugin"]

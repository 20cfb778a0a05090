# SPDX-License-Identifier: Apache-2.0
"""Where notebooks of the original import the job outside of a run from."""
from vdk.api.data_job import StandaloneDataJobFactory
from vdk.sdk.session import StandaloneDataJob

__all__ = ["StandaloneDataJob", "StandaloneDataJobFactory"]

# SPDX-License-Identifier: Apache-2.0
"""Where plugins import the class of job_input from."""
from vdk.sdk.job_input import JobInput

__all__ = ["JobInput"]

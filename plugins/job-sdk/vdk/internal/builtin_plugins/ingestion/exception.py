# SPDX-License-Identifier: Apache-2.0
"""Failures of ingestion."""
from vdk.api.errors import BaseVdkError


class IngestionException(BaseVdkError):
    """Rows could not be stored."""

    def __init__(self, message, resolvable_by=None):
        super().__init__(None, resolvable_by, message)


class PayloadIngestionException(IngestionException):
    """These rows could not be stored."""

    def __init__(self, payload_id="", message="", destination_table="", target="", resolvable_by=None):
        super().__init__(message, resolvable_by)
        self.payload_id = payload_id
        self.destination_table = destination_table
        self.target = target


class PreProcessPayloadIngestionException(PayloadIngestionException):
    """A pre-processor failed."""


class PostProcessPayloadIngestionException(PayloadIngestionException):
    """A post-processor failed."""

# SPDX-License-Identifier: Apache-2.0
"""What plugins implement and where they register it."""
from typing import Any
from typing import Callable
from typing import Dict
from typing import NewType

PEP249Connection = Any


class IPropertiesServiceClient:
    """Keeps the properties of jobs somewhere."""

    def read_properties(self, job_name, team_name):
        """All properties of a job."""
        raise NotImplementedError

    def write_properties(self, job_name, team_name, properties):
        """Replace all properties of a job; returns what was written."""
        raise NotImplementedError


IPropertiesFactory = Callable[[], IPropertiesServiceClient]


class IPropertiesRegistry:
    """Where kinds of properties are registered."""

    def set_properties_factory_method(self, properties_type, properties_factory):
        raise NotImplementedError


class ISecretsServiceClient:
    """Keeps the secrets of jobs somewhere."""

    def read_secrets(self, job_name, team_name):
        """All secrets of a job."""
        raise NotImplementedError

    def write_secrets(self, job_name, team_name, secrets):
        """Replace all secrets of a job; returns what was written."""
        raise NotImplementedError


ISecretsFactory = Callable[[], ISecretsServiceClient]


class ISecretsRegistry:
    """Where kinds of secrets are registered."""

    def set_secrets_factory_method(self, secrets_type, secrets_factory):
        raise NotImplementedError


class ITemplateRegistry:
    """Where templates are registered."""

    def add_template(self, name, template_directory, database="default"):
        """A template is a job folder."""
        raise NotImplementedError


class IManagedConnectionRegistry:
    """Where databases are registered."""

    def add_open_connection_factory_method(self, dbtype, open_connection_func):
        """The function opens a driver's connection or makes a ManagedConnectionBase."""
        raise NotImplementedError


class IIngesterPlugin:
    """Takes rows to where they are stored, or looks at them on their way."""

    IngestionMetadata = NewType("IngestionMetadata", Dict)

    UPDATED_DYNAMIC_PARAMS = "updated_dynamic_params"
    TARGET_KEY = "target"
    DESTINATION_TABLE_KEY = "destination_table"
    COLLECTION_ID_KEY = "collection_id"

    def ingest_payload(self, payload, destination_table, target=None, collection_id=None, metadata=None):
        """Store a list of rows (dictionaries)."""
        raise NotImplementedError("%s cannot store rows" % type(self).__name__)

    def pre_ingest_process(
        self, payload, destination_table=None, target=None, collection_id=None, metadata=None, method=None
    ):
        """Change the rows before they are stored; returns (rows, metadata)."""
        return payload, metadata

    def post_ingest_process(
        self, payload=None, destination_table=None, target=None, collection_id=None, metadata=None, exception=None,
        method=None,
    ):
        """Look at the outcome after rows were stored, or were not."""
        return metadata


class IIngesterRegistry:
    """Where ingestion methods are registered."""

    def add_ingester_factory_method(self, method, ingester_plugin):
        raise NotImplementedError

# SPDX-License-Identifier: Apache-2.0
"""The interfaces of the object that every Python step receives as `job_input`."""
from abc import ABC
from abc import abstractmethod

__all__ = [
    "IJobInput",
    "IProperties",
    "ISecrets",
    "IJobArguments",
    "IManagedConnection",
    "IIngester",
    "ITemplate",
]


class IProperties(ABC):
    """State of the job that survives a run. Values: int, float, str, list, dict, None."""

    @abstractmethod
    def get_property(self, name, default_value=None):
        """One property, or the default when it is not set."""

    @abstractmethod
    def get_all_properties(self):
        """All properties as a dictionary."""

    @abstractmethod
    def set_all_properties(self, properties):
        """Replace all properties."""


class ISecrets(ABC):
    """Like properties, for values that nobody else may see."""

    @abstractmethod
    def get_secret(self, name, default_value=None):
        """One secret, or the default when it is not set."""

    @abstractmethod
    def get_all_secrets(self):
        """All secrets as a dictionary."""

    @abstractmethod
    def set_all_secrets(self, secrets):
        """Replace all secrets."""


class IJobArguments(ABC):
    """What was given to this run."""

    @abstractmethod
    def get_arguments(self):
        """The arguments of the run; every step gets the same object."""


class IManagedConnection(ABC):
    """Connections that vdk opens and closes."""

    @abstractmethod
    def get_managed_connection(self, database=None):
        """A DB-API connection; by default to the job's default database."""

    @abstractmethod
    def execute_query(self, sql, database=None):
        """Run one query after substitution of {name} and return its rows."""


class IIngester(ABC):
    """Sending rows to where they are stored."""

    @abstractmethod
    def send_object_for_ingestion(
        self, payload, destination_table=None, method=None, target=None, collection_id=None
    ):
        """Send one dictionary (one row) or one DataFrame."""

    @abstractmethod
    def send_tabular_data_for_ingestion(
        self, rows, column_names, destination_table=None, method=None, target=None, collection_id=None
    ):
        """Send rows: any iterable of sequences, or a cursor."""


class _ResultClass:
    """The class of what execute_template returns, imported when it is asked for."""

    def __get__(self, instance, owner):
        from vdk.internal.builtin_plugins.run.execution_results import ExecutionResult

        return ExecutionResult


class ITemplate(ABC):
    """Ready-made jobs."""

    ExecutionResult = _ResultClass()

    @abstractmethod
    def execute_template(self, template_name, template_args, database="default"):
        """Run a template as a part of this step."""


class IJobInput(IProperties, ISecrets, IJobArguments, IManagedConnection, IIngester, ITemplate):
    """Everything that a step can ask of vdk."""

    @abstractmethod
    def get_name(self):
        """Name of the job."""

    @abstractmethod
    def get_job_directory(self):
        """Folder of the job as pathlib.Path."""

    @abstractmethod
    def get_execution_properties(self):
        """Ids and start time of this run."""

    @abstractmethod
    def get_temporary_write_directory(self):
        """Folder for temporary files as pathlib.Path."""

    @abstractmethod
    def skip_remaining_steps(self):
        """End the job here, successfully."""

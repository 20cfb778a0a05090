# SPDX-License-Identifier: Apache-2.0
"""The object that steps receive."""
import json

from vdk.api import errors
from vdk.api.job_input import IJobInput

_WHY_NOT = {
    "large": "it holds an integer of more than 300 digits",
    "unicode": "it holds text that is not valid Unicode",
    "circular": "it contains itself, or is nested too deeply",
    "number": "it holds NaN or infinity, for which JSON has no word",
}
_SERVER = "server:"  # stands in front of names among the paths of files, which begin with a slash
_VALUE_TYPES = (int, float, str, list, dict, type(None))

# Other names of the templates that come with vdk.
_TEMPLATES = {
    "scd1": "load/dimension/scd1",
    "scd1_upsert": "load/dimension/scd1_upsert",
    "scd2": "load/versioned",
    "scd2_simple": "load/dimension/scd2",
    "insert": "load/fact/insert",
    "periodic_snapshot": "load/fact/snapshot",
}


class Run:
    """What all contexts of one run share: connection to vdk, ids, databases, caches."""

    def __init__(self, channel, ingester, settings):
        self.channel = channel
        self.ingester = ingester
        self.settings = settings
        self.connections = {}
        self.stores = {}
        self.arguments = {}
        self.secrets = []  # all that was read or written of them: they must not get into files
        self.watch = None  # notes what a step asks for, when a later run may leave it out
        self.next_context = 1
        self.plugins = None  # what plugins have registered, where there are some

    def database_names(self):
        """Every name that get_managed_connection takes."""
        plugins = self.plugins.connections.names() if self.plugins else []
        return sorted(set(self.settings["databases"]) | set(self.settings["servers"]) | set(plugins))

    def note(self, store, name):
        if self.watch is not None:
            self.watch.note(store, name)

    def server(self, name):
        """The open connection to a database of PostgreSQL, as the steps before have left it."""
        connection = self.connections.get(_SERVER + name)
        if connection is None or connection.vdk_closed:
            return self.connection(_SERVER + name)
        connection.vdk_refresh()
        return connection

    def connection(self, path):
        """The open connection to a database file."""
        connection = self.connections.get(path)
        if connection is not None and not connection.vdk_closed:
            return connection
        if path.startswith(_SERVER):
            from vdk.sdk import postgres

            connection = postgres.Connection(
                self.channel, path[len(_SERVER) :], self.settings["query_prefix"], self.ingester
            )
            self.connections[path] = connection
        else:
            from vdk.sdk import sqlite

            connection = sqlite.open_connection(path, self.ingester.wait, self.settings["query_prefix"], self.watch)
            self.connections[path] = connection
        return connection

    def read_store(self, store):
        if store not in self.stores:
            own = self.plugins.store(store) if self.plugins else None
            if own is not None:
                self.stores[store] = own.read()
            else:
                self.stores[store] = self.channel.call({"req": "kv", "store": store, "op": "read"})
            if store == "secrets":
                self.secrets.append(self.stores[store])
        return self.stores[store]

    def write_store(self, store, values):
        self.stores.pop(store, None)
        if store == "secrets":
            self.secrets.append(values)
        if self.plugins is None and self.settings["write_preprocess"][store].strip(" ,"):
            raise errors.VdkConfigurationError(
                "cannot use %s in %s_write_preprocess_sequence: no plugin has registered it, for none is installed"
                % (self.settings["write_preprocess"][store].strip(" ,"), store)
            )
        if self.plugins:
            values = self.plugins.preprocess(store, values)
            _check_values(store, values)
            own = self.plugins.store(store)
            if own is not None:
                own.write(values)
                return
        self.channel.call({"req": "kv", "store": store, "op": "write", "text": json.dumps(values)})


class JobInput(IJobInput):
    def __init__(self, run, context, directory, arguments, default_database):
        self._run = run
        self._context = context
        self._directory = directory
        self._arguments = arguments
        self._default_database = default_database

    def get_name(self):
        return self._run.settings["name"]

    def get_job_directory(self):
        import pathlib

        return pathlib.Path(self._directory) if self._directory else None  # a job that is only a name

    def get_arguments(self):
        if self._context == 0:
            self._run.note("arguments", "*")
        return self._arguments

    def get_execution_properties(self):
        return dict(self._run.settings["execution_properties"])

    def get_temporary_write_directory(self):
        import pathlib

        return pathlib.Path(self._run.settings["temporary_directory"])

    def skip_remaining_steps(self):
        raise errors.SkipRemainingStepsException("the step asked to skip the remaining steps")

    # Properties and secrets

    def get_property(self, name, default_value=None):
        self._run.note("properties", str(name))
        return _get(self._run.read_store("properties"), name, default_value)

    def get_all_properties(self):
        self._run.note("properties", "*")
        return dict(self._run.read_store("properties"))

    def set_all_properties(self, properties):
        _check_values("properties", properties)
        self._run.write_store("properties", properties)

    def get_secret(self, name, default_value=None):
        self._run.note("secrets", str(name))
        return _get(self._run.read_store("secrets"), name, default_value)

    def get_all_secrets(self):
        self._run.note("secrets", "*")
        return dict(self._run.read_store("secrets"))

    def set_all_secrets(self, secrets):
        _check_values("secrets", secrets)
        self._run.write_store("secrets", secrets)

    # Databases

    def get_managed_connection(self, database=None):
        name = (database or self._default_database or self._run.settings["default_database"]).lower()
        databases = self._run.settings["databases"]
        if self._run.plugins is not None and self._run.plugins.has_database(name):
            self._run.ingester.wait()
            return self._run.plugins.connections.open_connection(name)
        if name in self._run.settings["servers"]:
            return self._run.server(name)
        if name not in databases:
            raise errors.VdkConfigurationError(
                "cannot connect to database %r: there is no such database type or section. Known: %s. "
                "Check db_default_type, or add a [vdk_%s] section with sqlite_file or postgres_ settings to config.ini"
                % (name, ", ".join(self._run.database_names()), name)
            )
        return self._run.connection(databases[name])

    def execute_query(self, sql, database=None):
        if not isinstance(sql, str):
            raise errors.UserCodeError("cannot run a query of type %s: give the SQL text of one statement" % type(sql).__name__)
        if not sql.strip():
            raise errors.UserCodeError("cannot run an empty query: give the SQL text of one statement")
        return self.get_managed_connection(database).execute_query(self._substitute(sql))

    def _substitute(self, sql):
        if "{" not in sql:
            return sql
        import re
        import textwrap

        values = {}
        try:
            values.update(self._run.read_store("properties"))
        except errors.BaseVdkError:
            pass  # a query must not depend on a service that it does not use
        values.update(self._run.settings["execution_properties"])
        if isinstance(self._arguments, dict):
            values.update(self._arguments)

        def replace(match):
            key = match.group(1)
            self._run.note("properties", key)
            if self._context == 0:
                self._run.note("arguments", key)
            return str(values[key]) if key in values else match.group(0)

        return re.sub(r"\{([^{}]+)\}", replace, textwrap.dedent(sql).strip("\n") + "\n")

    # Ingestion

    def send_object_for_ingestion(
        self, payload, destination_table=None, method=None, target=None, collection_id=None
    ):
        self._run.ingester.send_object(payload, destination_table, method, target, collection_id)
        self._wait_when_asked()

    def send_tabular_data_for_ingestion(
        self, rows, column_names, destination_table=None, method=None, target=None, collection_id=None
    ):
        self._run.ingester.send_rows(rows, column_names, destination_table, method, target, collection_id)
        self._wait_when_asked()

    def _wait_when_asked(self):
        if self._run.settings.get("ingest_wait"):
            self._run.ingester.wait()

    # Templates

    def execute_template(self, template_name, template_args, database="default"):
        if not isinstance(template_name, str):
            raise errors.UserCodeError("cannot run a template: its name must be text, not %r" % (template_name,))
        run = self._run
        context = run.next_context
        run.next_context += 1
        run.arguments[context] = template_args
        with run.channel.lock:
            run.ingester.wait()
            request = {
                "req": "template",
                "name": template_name,
                "context": context,
                "args": {str(k): str(v) for k, v in template_args.items()} if isinstance(template_args, dict) else {},
                "database": None if database == "default" else database,
            }
            folder = run.plugins.templates.folder(template_name, database) if run.plugins else None
            if folder is not None:
                request["directory"] = str(folder)
            else:
                request["name"] = _TEMPLATES.get(template_name, template_name)
            value = run.channel.call(request)
        if value["status"] != "success":
            error = getattr(run, "last_error", None)
            if error is not None and error[0] == context:
                raise error[1]
            if value.get("blamee") == "user" and value["steps"][-1]["type"] == "sql":
                from vdk.sdk import statements

                raise statements.failure(self._driver_error(value["message"], request["database"]), value["message"])
            raise errors.by_blamee(value.get("blamee"), value.get("message"))
        return self._result_of(value)

    def _driver_error(self, message, database):
        """The class that the driver of a database raises for what vdk says of a failed .sql step."""
        name = (database or self._default_database or self._run.settings["default_database"]).lower()
        if name in self._run.settings["servers"]:
            import re

            from vdk.sdk import postgres_errors

            state = re.search(r"\[([0-9A-Z]{5})\]", message)
            return postgres_errors.kind_of(state.group(1) if state else "")
        import sqlite3

        return sqlite3.IntegrityError if "constraint failed" in message else sqlite3.OperationalError

    def _result_of(self, value):
        """What a template run gave, as the original says it."""
        import datetime

        from vdk.internal.builtin_plugins.run import execution_results as results

        def time(text):
            parsed = datetime.datetime.fromisoformat(text)
            return parsed.astimezone(datetime.timezone.utc).replace(tzinfo=None)

        status = results.ExecutionStatus
        steps = [
            results.StepResult(s["name"], s["type"], time(s["start_time"]), time(s["end_time"]), status(s["status"]))
            for s in value["steps"]
        ]
        return results.ExecutionResult(
            self.get_name(), self.get_execution_properties()["pa__execution_id"], time(value["start_time"]),
            time(value["end_time"]), status(value["status"]), steps,
        )


def _get(values, name, default):
    value = values.get(name)
    return default if value is None else value


_LARGE = "too large"


def _check_size(digits):
    if len(digits) > 300:
        raise ValueError(_LARGE)


def _kind_of(error):
    if isinstance(error, UnicodeError):
        return "unicode"
    if str(error) == _LARGE:
        return "large"
    return "circular" if isinstance(error, RecursionError) or "ircular" in str(error) else "number"


def _check_values(what, values):
    if not isinstance(values, dict):
        raise errors.UserCodeError("cannot set %s: expected a dictionary, got %s" % (what, type(values).__name__))
    for key, value in values.items():
        if type(key) is not str or not key or any(c.isspace() for c in key):
            raise errors.UserCodeError(
                "cannot set %s: the key %r is not valid, keys are text without white space" % (what, key)
            )
        if type(value) not in _VALUE_TYPES:
            raise errors.UserCodeError(
                "cannot set %s: the value of %r is of type %s, only int, float, str, list, dict and None can be stored"
                % (what, key, type(value).__name__)
            )
        try:
            key.encode("utf-8")
            text = json.dumps(value, allow_nan=False, ensure_ascii=False)
            text.encode("utf-8")
            json.loads(text, parse_int=_check_size)
        except (TypeError, ValueError, RecursionError) as error:
            # Not the error's own text: it may quote a secret.
            why = str(error) if isinstance(error, TypeError) else _WHY_NOT[_kind_of(error)]
            raise errors.UserCodeError("cannot set %s: the value of %r cannot be stored: %s" % (what, key, why)) from None

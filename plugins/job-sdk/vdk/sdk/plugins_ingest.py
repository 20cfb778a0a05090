# SPDX-License-Identifier: Apache-2.0
"""Ingestion through plugins: methods of their own, and what they do to rows before and after they are stored."""
import inspect
import logging

from vdk.api import errors
from vdk.api.plugin.plugin_input import IIngesterPlugin
from vdk.api.plugin.plugin_input import IIngesterRegistry
from vdk.internal.builtin_plugins.ingestion import exception
from vdk.internal.core.errors import find_whom_to_blame_from_exception
from vdk.internal.util.utils import parse_config_sequence
from vdk.sdk.plugins_stores import blamed_on_plugin


class Methods(IIngesterRegistry):
    """The registered methods."""

    def __init__(self, plugins):
        self._plugins = plugins
        self._makers = {}
        self._made = {}
        self._before = None
        self._after = None

    def add_ingester_factory_method(self, method, ingester_plugin):
        self._makers[method.lower()] = ingester_plugin

    def names(self):
        """Names that are registered."""
        return sorted(self._makers)

    def has(self, name):
        """Whether a plugin brings the method."""
        return name in self._makers

    def takes(self, method):
        """Whether rows of this method (None = the default one) pass through here."""
        self._prepare()
        return bool(self._before or self._after) or self._name(method) in self._makers

    def may_fail(self):
        """Whether a failed batch leaves the run successful."""
        value = self._plugins.configuration.get_value("ingester_should_raise_exception_on_failure")
        return value is not None and str(value).lower() in ("false", "0", "no", "n")

    @staticmethod
    def warn(error):
        """Say that rows are lost."""
        logging.getLogger("vdk.plugins").warning("ingestion failed and the run goes on, as it was asked to: %s", error)

    def _name(self, method):
        return (method or self._plugins.configuration.get_value("ingest_method_default") or "").lower()

    def _plugin(self, name):
        if name not in self._made:
            made = self._makers[name]()
            if made is None:
                raise errors.VdkConfigurationError("the plugin of ingestion method %r gave no ingester" % name)
            self._made[name] = made
        return self._made[name]

    def _prepare(self):
        if self._before is None:
            self._before = self._sequence("ingest_payload_preprocess_sequence")
            self._after = self._sequence("ingest_payload_postprocess_sequence")

    def _sequence(self, key):
        found = []
        for name in parse_config_sequence(self._plugins.configuration, key, ","):
            if name.lower() not in self._makers:
                raise errors.VdkConfigurationError(
                    "cannot use %s in %s: no plugin has registered it. Known: %s"
                    % (name, key, ", ".join(self.names()) or "none")
                )
            found.append(self._plugin(name.lower()))
        return found

    def store(self, head, rows, send, settle):
        """Take one batch all the way. `send(head, rows)` hands it to vdk where the method is one of its own, `settle()`
        waits until it is stored."""
        method, target, table, collection, columns = head
        configuration = self._plugins.configuration
        target = target or configuration.get_value("ingest_target_default")
        collection = collection or "%s|%s" % (self._plugins.name, self._plugins.op_id)
        payload = [dict(zip(columns, row)) for row in rows]
        metadata = None
        failure = None
        try:
            payload, metadata = self._preprocess(payload, table, target, collection, method)
            changed = (metadata or {}).pop(IIngesterPlugin.UPDATED_DYNAMIC_PARAMS, None) or {}
            table = changed.get(IIngesterPlugin.DESTINATION_TABLE_KEY) or table
            target = changed.get(IIngesterPlugin.TARGET_KEY) or target
            collection = changed.get(IIngesterPlugin.COLLECTION_ID_KEY) or collection
            name = self._name(method)
            if name in self._makers:
                with blamed_on_plugin():
                    metadata = self._plugin(name).ingest_payload(
                        payload=payload, destination_table=table, target=target, collection_id=collection,
                        metadata=metadata,
                    )
            else:
                for columns, group in _by_columns(payload):
                    send((method, target, table, collection, columns), group)
                if self._after:
                    settle()  # they are told whether the rows are stored
        except Exception as error:
            failure = error
        for plugin in self._after:
            try:
                metadata = _call(
                    plugin.post_ingest_process,
                    payload=payload, destination_table=table, target=target, collection_id=collection,
                    metadata=metadata, exception=failure, method=method,
                )
            except Exception as error:
                raise exception.PostProcessPayloadIngestionException(
                    message="post-processing of ingested rows failed: %s" % error, destination_table=table,
                    target=target, resolvable_by=find_whom_to_blame_from_exception(error),
                ) from error
        if failure is not None:
            raise failure

    def _preprocess(self, payload, table, target, collection, method):
        metadata = None
        for plugin in self._before:
            try:
                payload, metadata = _rows_and_metadata(plugin, _call(
                    plugin.pre_ingest_process,
                    payload=payload, destination_table=table, target=target, collection_id=collection,
                    metadata=metadata, method=method,
                ))
            except Exception as error:
                raise exception.PreProcessPayloadIngestionException(
                    message="pre-processing of rows to ingest failed: %s" % error, destination_table=table,
                    target=target, resolvable_by=find_whom_to_blame_from_exception(error),
                ) from error
        return payload, metadata


def _call(function, method, **arguments):
    """Older plugins do not know the argument `method`."""
    parameters = inspect.signature(function).parameters
    if "method" in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        arguments["method"] = method
    return function(**arguments)


def _rows_and_metadata(plugin, returned):
    if not isinstance(returned, (tuple, list)) or len(returned) != 2 or isinstance(returned[0], dict):
        name = "%s.pre_ingest_process" % type(plugin).__name__
        raise TypeError("%s returned %s, not (payload, metadata)" % (name, type(returned).__name__))
    return returned


def _by_columns(payload):
    """Runs of rows with the same columns."""
    columns, group = None, []
    for row in payload:
        if not isinstance(row, dict):
            raise errors.UserCodeError(
                "cannot ingest a row of type %s: pre-processors must return dictionaries" % type(row).__name__
            )
        names = tuple(row)
        if names != columns and group:
            yield columns, group
            group = []
        columns = names
        group.append(list(row.values()))
    if group:
        yield columns, group

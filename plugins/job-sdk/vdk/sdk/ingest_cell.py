# SPDX-License-Identifier: Apache-2.0
"""%%vdkingest: sources, destinations and the flows between them, as TOML. Used by runs and by the IPython magic."""
from vdk.api import errors


def parse(text, label):
    """The flows of a cell: a list of (source, destination), each a dictionary with its id."""
    from vdk.sdk import toml_text

    try:
        document = toml_text.loads(text)
    except ValueError as error:
        failure = errors.UserCodeError("%s: this is no valid TOML: %s" % (label, error))
        failure.vdk_line = getattr(error, "line", None)
        raise failure from None
    sources = _section(document, "sources", "name", label)
    destinations = _section(document, "destinations", "method", label)
    unknown = sorted(set(document) - {"sources", "destinations", "flows"})
    if unknown:
        raise errors.UserCodeError("%s: %r is none of sources, destinations and flows" % (label, unknown[0]))
    flows = document.get("flows", [])
    if not isinstance(flows, list) or not flows:
        raise errors.UserCodeError("%s: there is no flow. Add [[flows]] with from = and to =" % label)
    return [(_end(flow, "from", sources, label), _end(flow, "to", destinations, label)) for flow in flows]


def _section(document, name, key, label):
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise errors.UserCodeError("%s: %s must be a table, as in [%s.ID]" % (label, name, name))
    for item, value in section.items():
        if not isinstance(value, dict) or not isinstance(value.get(key), str):
            raise errors.UserCodeError("%s: %s.%s has no %s = \"…\"" % (label, name, item, key))
    return section


def _end(flow, key, known, label):
    if not isinstance(flow, dict) or key not in flow:
        raise errors.UserCodeError("%s: a flow has no %s =" % (label, key))
    name = flow[key]
    if not isinstance(name, str) or name not in known:
        raise errors.UserCodeError(
            "%s: a flow has %s = %r, which is not defined. Known: %s" % (label, key, name, ", ".join(sorted(known)) or "none")
        )
    return dict(known[name], id=name)


def run(text, label, job_input):
    """Send everything that the flows of the cell name."""
    for source, destination in parse(text, label):
        if source["name"] == "auto-generated-data":
            _generate(source.get("config") or {}, destination, job_input, label)
        else:
            _with_plugin(source, destination, job_input, label)


def _generate(config, destination, job_input, label):
    """Rows for trying things out, as vdk-data-sources makes them."""
    unknown = sorted(set(config) - {"num_records", "num_streams", "include_metadata"})
    if unknown:
        raise errors.UserCodeError("%s: auto-generated-data has no setting %r" % (label, unknown[0]))
    for key in ("num_records", "num_streams"):
        if type(config.get(key, 0)) is not int or config.get(key, 0) < 0:
            raise errors.UserCodeError("%s: %s of auto-generated-data is no whole number from 0 on" % (label, key))
    for stream in range(config.get("num_streams", 1)):
        for i in range(config.get("num_records", 2)):
            job_input.send_object_for_ingestion(
                {"id": i + 1, "name": "Stream_%d_Name_%d" % (stream, i), "stream": stream},
                destination_table="stream_%d" % stream,
                method=destination["method"],
                target=destination.get("target"),
            )


def _with_plugin(source, destination, job_input, label):
    try:
        from vdk.plugin.data_sources.mapping.data_flow import DataFlowInput
        from vdk.plugin.data_sources.mapping.definitions import DataFlowMappingDefinition
        from vdk.plugin.data_sources.mapping.definitions import DestinationDefinition
        from vdk.plugin.data_sources.mapping.definitions import SourceDefinition
    except ImportError:
        raise errors.UserCodeError(
            "%s: there is no data source %r. Known without plugins: auto-generated-data. Add vdk-data-sources and the "
            "package of the source to requirements.txt" % (label, source["name"])
        ) from None
    flow = DataFlowMappingDefinition(
        SourceDefinition(id=source["id"], name=source["name"], config=source.get("config") or {}),
        DestinationDefinition(id=destination["id"], method=destination["method"], target=destination.get("target")),
    )
    with DataFlowInput(job_input) as flows:
        flows.start(flow)

# SPDX-License-Identifier: Apache-2.0
"""The configuration that plugins see: their own keys and vdk's, with the values that vdk found."""
import os

from vdk.internal.core.config import ConfigurationBuilder


def start_builder(given):
    """A builder that knows vdk's own settings; `given` is vdk's answer to {"req": "configuration"}."""
    builder = ConfigurationBuilder()
    for key, value in given["declared"].items():
        builder.add(key, _typed(value, given["types"].get(key)), False, "A setting of vdk itself.")
    builder.set_value("team", given["team"])
    return builder


def _typed(text, kind):
    if text == "":
        return None
    if kind == "boolean":
        return text.strip().lower() in ("true", "1", "yes", "y")
    if kind == "integer":
        try:
            return int(text)
        except ValueError:
            return text
    return text


def fill(builder, given):
    """Values of config.ini and the environment for the keys that plugins have defined; values no plugin asked for too."""
    own = set(given["declared"])
    environment = {name.upper(): value for name, value in os.environ.items()}
    for section, values in given["settings"].items():
        for key, value in values.items():
            if section == "vdk" and key in own:
                continue
            builder.set_value(_defined(builder, section, key), value, section)
    for key in builder.list_config_keys_from_main_sections():
        name = key.replace(".", "_").replace("-", "_").upper()
        if key not in own and "VDK_" + name not in environment and "_" in name:
            value = os.environ.get(name, environment.get(name))  # asked by name: a run that is remembered notes it
            if value is not None:
                builder.set_value(key, value)


def _defined(builder, section, key):
    """Name under which a plugin has defined a key; `.` and `-` are `_` in the environment."""
    known = builder.list_config_keys_for_section(section) if section in builder.list_all_section_names() else []
    for name in known:
        if name.replace(".", "_").replace("-", "_") == key:
            return name
    return key


def apply_secrets(configuration, secrets):
    """A secret named as a key replaces its value unless the environment sets it."""
    from vdk.internal.core.config import convert_value_to_type_of_default_type

    environment = {name.upper() for name in dict(os.environ)}
    for name, value in secrets.items():
        key = name.lower()
        section = "vdk"
        for other in configuration.list_sections():
            if other != "vdk" and key.startswith(other + "_"):
                section, key = other, key[len(other) + 1 :]
        if key not in configuration.list_keys_in_section(section):
            continue
        variable = ("VDK_" + name.replace(".", "_").replace("-", "_")).upper()
        if variable in environment or variable[4:] in environment:
            continue
        entry = configuration._entry(key, section)
        entry.value = convert_value_to_type_of_default_type(key, value, entry.default)

# SPDX-License-Identifier: Apache-2.0
"""Configuration keys that plugins define and read."""
from vdk.api.errors import VdkConfigurationError

_TRUE = ("true", "1", "yes", "y")
_FALSE = ("false", "0", "no", "n")


def convert_value_to_type_of_default_type(key, v, default_value):
    """A text as the type that the default has."""
    if v is None or default_value is None:
        return v
    if isinstance(default_value, bool):
        word = str(v).strip().lower()
        if word not in _TRUE + _FALSE:
            raise VdkConfigurationError(
                "cannot use the setting %s=%s: it must be one of %s" % (key, v, ", ".join(_TRUE + _FALSE))
            )
        return word in _TRUE
    try:
        return type(default_value)(v)
    except (TypeError, ValueError):
        raise VdkConfigurationError(
            "cannot use the setting %s=%s: it must be of type %s" % (key, v, type(default_value).__name__)
        ) from None


def _lower(name):
    return str(name).lower()


class _Entry:
    def __init__(self, default=None, description=None, sensitive=False, help=""):
        self.value = None
        self.help = help
        self.default = default
        self.description = description
        self.sensitive = sensitive

    def current(self):
        return self.default if self.value is None else self.value


class Configuration:
    """Values of all keys, by section; the section "vdk" is the main one."""

    def __init__(self, sections=None):
        self._sections = sections if sections else {}
        self._sections.setdefault("vdk", {})

    def _entry(self, key, section):
        entries = self._sections.get(_lower(section) if section else "vdk", {})
        key = _lower(key)
        prefix = _lower(section) + "_" if section else None
        if key not in entries and prefix and key.startswith(prefix):
            key = key[len(prefix) :]
        return entries.get(key)

    def get_value(self, key, section=None):
        """The value, else the default, else None."""
        entry = self._entry(key, section)
        return None if entry is None else entry.current()

    def get_required_value(self, key, section=None):
        """The value; a configuration error when there is none."""
        value = self.get_value(key, section)
        if value is None:
            where = "in section [vdk_%s] of" % section if section and section != "vdk" else "in [vdk] of"
            raise VdkConfigurationError(
                "the setting %s is required and has no value. Set it %s config.ini or as VDK_%s in the environment"
                % (str(key).lower(), where, str(key).upper())
            )
        return value

    def override_value(self, key, value, section=None):
        """Give a key that is defined another value."""
        entry = self._entry(key, section)
        if entry is not None:
            entry.value = value
        elif section is not None:
            raise VdkConfigurationError("cannot override %s: section %s has no such setting" % (key, section))

    def get_description(self, key, section=None):
        """What the key is for."""
        entry = self._entry(key, section)
        return None if entry is None else entry.description

    def is_sensitive(self, key, section=None):
        """Whether the value must not be shown."""
        entry = self._entry(key, section)
        return entry is not None and entry.sensitive

    def is_default(self, key, section=None):
        """Whether nobody has set the key."""
        entry = self._entry(key, section)
        return entry is not None and entry.value is None

    def list_sections(self):
        """Names of all sections."""
        return list(self._sections)

    def list_keys_in_section(self, section):
        """Keys of one section."""
        if _lower(section) not in self._sections:
            raise ValueError("there is no section %r in the configuration" % section)
        return list(self._sections[_lower(section)])

    def list_config_keys_from_main_sections(self):
        """Keys of the main section."""
        return list(self._sections["vdk"])

    list_config_keys = list_config_keys_from_main_sections

    def __getitem__(self, key):
        section, name = key if isinstance(key, tuple) else (None, key)
        return self.get_value(name, section)


class ConfigurationBuilder:
    """Collects keys and values before the configuration is used."""

    def __init__(self):
        self._sections = {"vdk": {}}

    def add(
        self, key, default_value=None, show_default_value=True, description=None, is_sensitive=False, section="vdk"
    ):
        """Define a key; a value that it already has is kept."""
        entries = self._sections.setdefault(_lower(section) if section else "vdk", {})
        text = help = str(description or "No description provided.")
        if show_default_value and default_value is not None:
            text += " Default value: %s." % (default_value,)
        entry = _Entry(default_value, text, is_sensitive, help)
        before = entries.get(_lower(key))
        entries[_lower(key)] = entry
        if before is not None and before.value is not None:
            entry.value = convert_value_to_type_of_default_type(key, before.value, default_value)
        return self

    def set_value(self, key, value, section="vdk"):
        """Give a key a value; the key is defined when it was not."""
        entries = self._sections.setdefault(_lower(section) if section else "vdk", {})
        entry = entries.setdefault(_lower(key), _Entry())
        entry.value = convert_value_to_type_of_default_type(key, value, entry.default)
        return self

    def list_config_keys_from_main_sections(self):
        """Keys of the main section."""
        return list(self._sections["vdk"])

    def list_config_keys_for_section(self, section):
        """Keys of one section."""
        if _lower(section) not in self._sections:
            raise ValueError("there is no section %r in the configuration" % section)
        return list(self._sections[_lower(section)])

    def list_all_section_names(self):
        """Names of all sections."""
        return list(self._sections)

    def build(self):
        """The configuration as it is now."""
        return Configuration(self._sections)

# SPDX-License-Identifier: Apache-2.0
"""Helpers for plugins that change commands."""


def set_defaults_for_specific_command(root_command, target_command, defaults_dict):
    """Defaults for the options of one command."""
    settings = dict(root_command.context_settings or {})
    defaults = dict(settings.get("default_map") or {})
    defaults[target_command] = {**dict(defaults.get(target_command) or {}), **defaults_dict}
    settings["default_map"] = defaults
    root_command.context_settings = settings


def set_defaults_for_all_commands(root_command, defaults_dict):
    """Defaults for the options of all commands that are there now."""
    for name in list(root_command.commands):
        set_defaults_for_specific_command(root_command, name, defaults_dict)

# SPDX-License-Identifier: Apache-2.0
"""Commands that plugins add to vdk (vdk_command_line). Started when vdk itself has no command of the name."""
import importlib
import json
import os
import sys

from vdk.api import errors
from vdk.sdk import plugins_found

_CLI_GROUP = "[vdk.plugin.cli]"


def main(fd, arguments):
    """Run one command; --list prints all commands as JSON, --settings the settings that plugins define."""
    with os.fdopen(fd, encoding="utf-8") as file:
        given = json.load(file)
    os.environ.setdefault("VDK_EXECUTABLE", given["executable"])
    listing = arguments[:1] in (["--list"], ["--settings"])
    _log(given, listing)
    try:
        plugins, root = _start(given, arguments)
        if arguments[0] == "--settings":
            print(json.dumps(_settings(plugins.configuration, given)))
            return 0
        if listing:
            print(json.dumps({name: _summary(command) for name, command in root.commands.items() if name != "run"}))
            return 0
        if arguments[0] not in root.commands:
            return _unknown(given)
        return _call(plugins, root, arguments)
    except errors.BaseVdkError as error:
        return _fail(given, error)
    except ImportError as error:
        return _fail(given, "cannot start the commands of Python plugins: %s" % error)


def _start(given, arguments):
    import click

    from vdk.internal.builtin_plugins.run.cli_run import run
    from vdk.sdk.plugins import Plugins

    root = click.Group(name="vdk")
    root.add_command(run)
    for _, entry, reference in plugins_found.find(_CLI_GROUP):
        module, _, attribute = reference.partition(":")
        root.add_command(getattr(importlib.import_module(module), attribute), entry)
    plugins = Plugins(plugins_found.find(), given)
    plugins.load()
    plugins.configure(list(arguments), root)
    return plugins, root


def _call(plugins, root, arguments):
    import click

    code = 1
    try:
        try:
            root.main(args=arguments, prog_name="vdk", obj=plugins.core, standalone_mode=False)
            code = 0
        except click.exceptions.Exit as end:
            code = end.exit_code
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except click.Abort:
            print("Aborted!", file=sys.stderr)
        except Exception as error:
            if plugins.handles(error):
                code = 0
            else:
                code = _fail({}, error)
    finally:
        plugins.leave(code)
    return code


def _settings(configuration, given):
    found = []
    for key in configuration.list_keys_in_section("vdk"):
        entry = configuration._entry(key, None)
        if key not in given["declared"] and entry.help:
            secret = entry.sensitive or "password" in key or "secret" in key
            default = "" if secret or entry.default is None else str(entry.default)
            found.append({"name": key, "default": default, "help": " ".join(entry.help.split()), "secret": secret})
    return found


def _summary(command):
    return command.get_short_help_str(80)


def _unknown(given):
    """vdk's own words for a command that nobody knows."""
    print(given["unknown"], file=sys.stdout if given["json"] else sys.stderr, end="")
    return 2


def _fail(given, error):
    text = str(error) if isinstance(error, (str, errors.BaseVdkError)) else "%s: %s" % (type(error).__name__, error)
    if given.get("json"):
        print(json.dumps({"error": {"kind": "operation", "message": text}}))
    else:
        print("error: " + text, file=sys.stderr)
    return 1


def _log(given, quiet):
    import logging

    level = "ERROR" if quiet else given["log_level"]
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s")

# SPDX-License-Identifier: Apache-2.0
"""The marks by which vdk finds the hooks of a plugin."""
try:
    import pluggy as _hooks
except ImportError:  # an interpreter without the plugins' own dependencies
    from vdk.sdk import hooks as _hooks

GROUP_NAME = "vdk.plugin.run"

hookspec = _hooks.HookspecMarker(GROUP_NAME)
hookimpl = _hooks.HookimplMarker(GROUP_NAME)

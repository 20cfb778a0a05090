# SPDX-License-Identifier: Apache-2.0
"""How plugins reach other plugins and their hooks."""
try:
    import pluggy as _hooks
except ImportError:
    from vdk.sdk import hooks as _hooks

#: What the yield of a hook wrapper gives. Its name has changed in pluggy.
HookCallResult = getattr(_hooks, "Result", None)
if HookCallResult is None:
    from pluggy import _callers

    HookCallResult = _callers._Result


class PluginException(Exception):
    """A plugin cannot be loaded or used."""


class PluginHookRelay:
    """All hooks by name: `registry.hook().vdk_initialize(context=...)`."""

    def __init__(self, hook_relay):
        self.__dict__["_relay"] = hook_relay

    def __getattr__(self, name):
        return getattr(self._relay, name)

    def __dir__(self):
        return dir(self._relay)


class IPluginRegistry:
    """The plugins of this run."""

    def list_plugins(self):
        """Pairs of name and module or object."""
        raise NotImplementedError

    def has_plugin(self, name):
        """Whether a plugin of that name is loaded."""
        raise NotImplementedError

    def is_plugin_load_success(self):
        """Whether all installed plugins were loaded."""
        raise NotImplementedError

    def load_plugin_with_hooks_impl(self, module_or_class_with_hook_impls, name=None):
        """Load one more plugin."""
        raise NotImplementedError

    def add_hook_specs(self, module_or_class_with_hookspecs):
        """Declare hooks of the plugin's own."""
        raise NotImplementedError

    def hook(self):
        """All hooks, to call them."""
        raise NotImplementedError

# SPDX-License-Identifier: Apache-2.0
"""The plugins of one run."""
from vdk.api.plugin.connection_hook_spec import ConnectionHookSpec
from vdk.api.plugin.core_hook_spec import CoreHookSpecs
from vdk.api.plugin.core_hook_spec import JobRunHookSpecs
from vdk.api.plugin.hook_markers import GROUP_NAME
from vdk.api.plugin.plugin_registry import IPluginRegistry
from vdk.api.plugin.plugin_registry import PluginException
from vdk.api.plugin.plugin_registry import PluginHookRelay

try:
    from pluggy import PluginManager
except ImportError:
    from vdk.sdk.hooks import PluginManager


class PluginRegistry(IPluginRegistry):
    """Loads plugins and gives their hooks."""

    def __init__(self, group_name=GROUP_NAME, plugin_manager=None):
        self._manager = plugin_manager or PluginManager(group_name)
        for specs in (CoreHookSpecs, JobRunHookSpecs, ConnectionHookSpec):
            self._manager.add_hookspecs(specs)
        self._relay = PluginHookRelay(self._manager.hook)
        self.loaded = False

    def plugin_manager(self):
        return self._manager

    def list_plugins(self):
        return self._manager.list_name_plugin()

    def has_plugin(self, name):
        return self._manager.has_plugin(name)

    def is_plugin_load_success(self):
        return self.loaded

    def load_plugin_with_hooks_impl(self, module_or_class_with_hook_impls, name=None):
        try:
            self._manager.register(module_or_class_with_hook_impls, name=name)
        except Exception as error:
            raise PluginException(
                "cannot load the plugin %s: %s" % (name or module_or_class_with_hook_impls, error)
            ) from error

    def add_hook_specs(self, module_or_class_with_hookspecs):
        try:
            self._manager.add_hookspecs(module_or_class_with_hookspecs)
        except ValueError:
            pass  # these hooks are declared already

    def hook(self):
        return self._relay

# SPDX-License-Identifier: Apache-2.0
"""What plugins get before there is a job."""
from vdk.internal.core.statestore import StateStore
from vdk.internal.core.statestore import StoreKey


class CoreContext:
    """Plugin registry, configuration and state of one call of vdk."""

    def __init__(self, plugin_registry, configuration, state=None):
        self.plugin_registry = plugin_registry
        self.configuration = configuration
        self.state = StateStore() if state is None else state

    def create_child_context(self):
        """A context whose state changes by itself, as a template run has it."""
        child = CoreContext(self.plugin_registry, self.configuration, self.state.clone())
        child.state.set(StoreKey("vdk.state.parent"), self.state)
        return child

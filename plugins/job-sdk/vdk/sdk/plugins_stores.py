# SPDX-License-Identifier: Apache-2.0
"""Properties and secrets that plugins keep."""
import contextlib

from vdk.api import errors
from vdk.api.plugin.plugin_input import IPropertiesRegistry
from vdk.api.plugin.plugin_input import ISecretsRegistry
from vdk.internal.core.errors import get_exception_resolvable_by
from vdk.internal.core.errors import ResolvableBy
from vdk.internal.core.errors import set_exception_resolvable_by


@contextlib.contextmanager
def blamed_on_plugin():
    """An error in here that says nothing else is none of the job's author."""
    try:
        yield
    except Exception as error:
        if get_exception_resolvable_by(error) is None:
            set_exception_resolvable_by(error, ResolvableBy.PLATFORM_ERROR)
        raise


class Store(IPropertiesRegistry, ISecretsRegistry):
    """The registered kinds of properties or of secrets, and the one that the job uses."""

    def __init__(self, what, plugins):
        self.what = what
        self._plugins = plugins
        self._makers = {}
        self._client = None

    def set_properties_factory_method(self, properties_type, properties_factory):
        self._makers[properties_type] = properties_factory

    def set_secrets_factory_method(self, secrets_type, secrets_factory):
        self._makers[secrets_type] = secrets_factory

    def chosen(self):
        """Name of the plugin's kind that is used; None when vdk keeps the values itself."""
        wanted = self._plugins.configuration.get_value(self.what + "_default_type")
        if wanted:
            if wanted in self._makers:
                return wanted
            return None  # one of vdk's own kinds, or vdk says that there is none of that name
        if "default" in self._makers:
            return "default"
        if self._plugins.service_store(self.what):
            return None
        others = sorted(name for name in self._makers if name != "memory")
        if len(others) > 1:
            raise errors.VdkConfigurationError(
                "cannot choose where the %s are kept: plugins offer %s. Set %s_default_type"
                % (self.what, ", ".join(others), self.what)
            )
        return others[0] if others else None

    def read(self):
        """All values, from the plugin."""
        with blamed_on_plugin():
            client = self._open()
            read = client.read_properties if self.what == "properties" else client.read_secrets
            return dict(read(self._plugins.name, self._plugins.team) or {})

    def write(self, values):
        """Replace all values, in the plugin."""
        with blamed_on_plugin():
            self._write(self._open(), values)

    def preprocess(self, values):
        """The values as the configured kinds change them before they are written, wherever that is."""
        from vdk.internal.util.utils import parse_config_sequence

        for name in parse_config_sequence(self._plugins.configuration, self.what + "_write_preprocess_sequence", ","):
            if name not in self._makers:
                raise errors.VdkConfigurationError(
                    "cannot use %s in %s_write_preprocess_sequence: no plugin has registered it. Known: %s"
                    % (name, self.what, ", ".join(sorted(self._makers)) or "none")
                )
            try:
                values = self._write(self._makers[name](), dict(values))
            except Exception as error:
                raise errors.UserCodeError(
                    "cannot set %s: the pre-processor %s failed: %s" % (self.what, name, error)
                ) from error
        return values

    def _write(self, client, values):
        write = client.write_properties if self.what == "properties" else client.write_secrets
        return write(self._plugins.name, self._plugins.team, values)

    def _open(self):
        if self._client is None:
            self._client = self._makers[self.chosen()]()
        return self._client

    # As job_input has them, for plugins that look at context.properties.

    def get_property(self, name, default_value=None):
        return self._plugins.job_input.get_property(name, default_value)

    def get_all_properties(self):
        return self._plugins.job_input.get_all_properties()

    def get_secret(self, name, default_value=None):
        return self._plugins.job_input.get_secret(name, default_value)

    def get_all_secrets(self):
        return self._plugins.job_input.get_all_secrets()

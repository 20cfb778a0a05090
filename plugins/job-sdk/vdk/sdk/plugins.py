# SPDX-License-Identifier: Apache-2.0
"""Plugins of the original in the process that runs the job: loads them, calls their hooks, holds what they register.

Imported only when a plugin is installed.
"""
import datetime
import functools
import importlib
import logging
import pathlib
import sys

from vdk.api import errors
from vdk.api.plugin.hook_markers import hookimpl
from vdk.api.plugin.plugin_input import ITemplateRegistry
from vdk.internal.builtin_plugins.connection.connection_hooks import ConnectionHookSpecFactory
from vdk.internal.builtin_plugins.connection.impl.router import ManagedConnectionRouter
from vdk.internal.builtin_plugins.run.data_job import JobArguments
from vdk.internal.builtin_plugins.run.execution_results import ExecutionResult
from vdk.internal.builtin_plugins.run.execution_results import StepResult
from vdk.internal.builtin_plugins.run.execution_state import ExecutionStateStoreKeys
from vdk.internal.builtin_plugins.run.job_context import JobContext
from vdk.internal.builtin_plugins.run.run_status import ExecutionStatus
from vdk.internal.builtin_plugins.run.step import Step
from vdk.internal.core.context import CoreContext
from vdk.internal.core.errors import get_exception_resolvable_by
from vdk.internal.core.statestore import CommonStoreKeys
from vdk.internal.plugin.plugin import PluginRegistry
from vdk.sdk import plugins_config
from vdk.sdk import plugins_found
from vdk.sdk.plugins_ingest import Methods
from vdk.sdk.plugins_stores import Store

log = logging.getLogger("vdk.plugins")

_QUERY_HOOKS = (
    "db_connection_validate_operation", "db_connection_before_operation", "db_connection_on_operation_failure",
)
# Replaced as a whole they would be another runner; vdk is one.
_REFUSED = ("vdk_main", "vdk_cli_execute")


class Templates(ITemplateRegistry):
    """Folders of templates, by database and name."""

    def __init__(self):
        self._folders = {}

    def add_template(self, name, template_directory, database="default"):
        self._folders[(database.lower(), name)] = pathlib.Path(template_directory)

    def folder(self, name, database):
        """Folder of a template; None when no plugin has it."""
        return self._folders.get(((database or "default").lower(), name))


class _Core:
    """What vdk itself does at each hook, after the plugins."""

    def __init__(self, plugins):
        self._plugins = plugins

    @hookimpl(trylast=True)
    def run_job(self, context):
        return self._plugins.run_steps()

    @hookimpl(trylast=True)
    def run_step(self, context, step):
        started = datetime.datetime.utcnow()
        status, error, blamee = ExecutionStatus.SUCCESS, None, None
        try:
            if not step.runner_func(step, context.job_input):
                status = ExecutionStatus.NOT_RUNNABLE
        except errors.SkipRemainingStepsException:
            status = ExecutionStatus.SKIP_REQUESTED
        except Exception as failure:
            status, error, blamee = ExecutionStatus.ERROR, failure, get_exception_resolvable_by(failure)
        return StepResult(
            step.name, step.type, started, datetime.datetime.utcnow(), status, None, error, blamee
        )

    @hookimpl(trylast=True)
    def db_connection_before_operation(self, operation):
        operation.set_operation(self._plugins.query_prefix + operation.get_operation())


class Plugins:
    """All plugins of one run."""

    def __init__(self, found, given, query_prefix=""):
        self.name = given["job"]
        self.team = given["team"]
        self.op_id = given["op_id"]
        self.query_prefix = query_prefix
        self.registry = PluginRegistry()
        self.run_steps = lambda: None
        self.job_input = None
        self._given = given
        self._found = [item for item in found if item[0] not in plugins_found.BUILT_IN]
        self._replaced = [item[0] for item in found if item[0] in plugins_found.BUILT_IN]
        self._watched = []  # databases of vdk whose queries pass through the hooks
        self.results = []

    @property
    def hook(self):
        return self.registry.hook()

    def load(self, extra=()):
        """Import all plugins; each failure names the plugin and its distribution."""
        for plugin in extra:
            self.registry.load_plugin_with_hooks_impl(plugin)
        for distribution, entry, reference in self._found:
            module, _, attributes = reference.partition(":")
            try:
                plugin = importlib.import_module(module.strip())
                for attribute in filter(None, attributes.strip().split(".")):
                    plugin = getattr(plugin, attribute)
                self.registry.load_plugin_with_hooks_impl(plugin, entry)
            except Exception as error:
                raise errors.PlatformServiceError(
                    "cannot load the Python plugin %s" % distribution,
                    "importing %s failed: %s: %s" % (module, type(error).__name__, error),
                    "no step was run",
                    "Correct or uninstall it (%s -m pip uninstall %s), or set VDK_PYTHON_PLUGINS=false"
                    % (sys.executable, distribution),
                ) from error
        self.registry.load_plugin_with_hooks_impl(_Core(self), "vdk")
        self.registry.loaded = True

    def configure(self, command_line, root_command=None):
        """From vdk_start to vdk_initialize."""
        self.hook.vdk_start.call_historic(
            kwargs={"plugin_registry": self.registry, "command_line_args": command_line}
        )
        self._refuse_other_runners()
        if root_command is not None:
            self.hook.vdk_command_line(root_command=root_command)
        builder = plugins_config.start_builder(self._given)
        plugins_config.fill(builder, self._given)  # some plugins read values while they define keys
        self.hook.vdk_configure(config_builder=builder)
        plugins_config.fill(builder, self._given)
        self.configuration = builder.build()
        plugins_config.apply_secrets(self.configuration, self._given.get("secrets") or {})
        self.core = CoreContext(self.registry, self.configuration)
        state = self.core.state
        state.set(CommonStoreKeys.OP_ID, self.op_id)
        state.set(CommonStoreKeys.EXECUTION_ID, self._given["execution_id"])
        state.set(CommonStoreKeys.ATTEMPT_ID, self._given["attempt_id"])
        state.set(CommonStoreKeys.START_TIME, datetime.datetime.utcnow())
        state.set(CommonStoreKeys.VDK_VERSION, self._given["version"])
        state.set(CommonStoreKeys.TEMPORARY_WRITE_DIRECTORY, pathlib.Path(self._given["temporary_directory"]))
        state.set(ExecutionStateStoreKeys.JOB_NAME, self.name)
        for key in ("STEPS_STARTED", "STEPS_SUCCEEDED", "STEPS_FAILED"):
            state.set(getattr(ExecutionStateStoreKeys, key), [])
        self.hook.vdk_initialize(context=self.core)

    def start_job(self, directory, arguments, job_input):
        """initialize_job: plugins register what they bring."""
        self.job_input = job_input
        self.connections = ManagedConnectionRouter(self.configuration, ConnectionHookSpecFactory(self.registry))
        self.methods = Methods(self)
        self.templates = Templates()
        self.properties = Store("properties", self)
        self.secrets = Store("secrets", self)
        self.job = self._context(directory, arguments, job_input)
        self.hook.initialize_job(context=self.job)

    def _context(self, directory, arguments, job_input):
        return JobContext(
            self.name, pathlib.Path(directory), self.core, JobArguments(arguments), self.templates, self.connections,
            self.methods, self.properties, self.secrets, job_input,
        )

    def _refuse_other_runners(self):
        relay = self.registry.plugin_manager().hook
        for name in _REFUSED:
            for impl in getattr(relay, name).get_hookimpls() if hasattr(relay, name) else ():
                raise errors.VdkConfigurationError(
                    "the Python plugin %s cannot be used" % impl.plugin_name,
                    "it implements the hook %s, which replaces the program that runs jobs; vdk is that program" % name,
                    "no step was run",
                    "Uninstall it, or set VDK_PYTHON_PLUGINS=false",
                )

    def hook_of(self, error):
        """Plugin and hook that an error comes from; None when it comes from none."""
        codes = {}
        for name, caller in vars(self.registry.plugin_manager().hook).items():
            for impl in caller.get_hookimpls() if hasattr(caller, "get_hookimpls") else ():
                function = getattr(impl.function, "__func__", impl.function)
                # One that was registered without a name has its id for that.
                known = type(impl.plugin).__module__ if impl.plugin_name.isdigit() else impl.plugin_name
                codes[getattr(function, "__code__", None)] = (known, name)
        frame = error.__traceback__
        while frame is not None and frame.tb_frame.f_code not in codes:
            frame = frame.tb_next
        return codes[frame.tb_frame.f_code] if frame is not None else None

    # What is registered

    def watch_databases(self, run):
        """vdk's own databases, too, where a plugin wants to see the queries."""
        relay = self.registry.plugin_manager().hook
        hooks = [getattr(relay, name).get_hookimpls() for name in _QUERY_HOOKS]
        if any(impl.plugin_name != "vdk" for impls in hooks for impl in impls):
            openers = {name: functools.partial(run.connection, path) for name, path in run.settings["databases"].items()}
            openers.update((name, functools.partial(run.server, name)) for name in run.settings["servers"])
            for name in set(openers) - set(self.connections.names()):
                self.connections.add_open_connection_factory_method(name, openers[name])
                self._watched.append(name)

    def default_database(self):
        """Name of the database that a job uses without naming one; None leaves it to vdk."""
        wanted = self.configuration.get_value("db_default_type")
        if wanted:
            return wanted.lower()
        names = [name for name in self.connections.names() if name not in self._watched]
        # As the original: the only database is the default one. With vdk-sqlite installed there is another.
        alone = len(names) == 1 and "vdk-sqlite" not in self._replaced
        return names[0] if alone and not self.configuration.get_value("sqlite_file") else None

    def has_database(self, name):
        """Whether a plugin has registered that database."""
        return name.lower() in self.connections.names()

    def store(self, what):
        """The plugin's store of properties or secrets that the job uses; None when vdk keeps them."""
        store = getattr(self, what)
        return store if store.chosen() is not None else None

    def preprocess(self, what, values):
        """Values as the configured kinds change them before they are written."""
        return getattr(self, what).preprocess(values)

    def service_store(self, what):
        """Whether a control service keeps them."""
        return what in self._given.get("service_stores", ())

    def describe(self):
        """What vdk has to know."""
        relay = self.registry.plugin_manager().hook
        own = [impl for impl in relay.run_step.get_hookimpls() if impl.plugin_name != "vdk"]
        return {
            "names": [item[0] for item in self._found],
            "databases": self.connections.names(),
            "methods": self.methods.names(),
            "default_database": self.default_database(),
            "run_step": bool(own),
            "stores": [store.what for store in (self.properties, self.secrets) if self._uses(store)],
        }

    @staticmethod
    def _uses(store):
        try:
            return store.chosen() is not None
        except errors.BaseVdkError:
            return False  # told to the step that asks for a value

    # The run

    def run_job(self, run_steps):
        """Call run_job: wrappers of plugins around `run_steps`, which executes what vdk asks for."""
        ran = []

        def steps():
            ran.append(True)
            run_steps()
            return self._result()

        self.run_steps = steps
        result = self.hook.run_job(context=self.job)
        if not ran:
            names = [
                impl.plugin_name
                for impl in self.registry.plugin_manager().hook.run_job.get_hookimpls()
                if impl.plugin_name != "vdk" and not impl.hookwrapper
            ]
            raise errors.VdkConfigurationError(
                "the Python plugin %s cannot be used" % " or ".join(names),
                "its hook run_job returned a result of its own, which replaces the running of the steps",
                "no step was run",
                "Use the hook as a wrapper, or run_step; or uninstall the plugin",
            )
        return result

    def _result(self):
        failed = [result for result in self.results if result.status == ExecutionStatus.ERROR]
        result = ExecutionResult(
            self.name,
            self._given["execution_id"],
            self.core.state.get(CommonStoreKeys.START_TIME),
            datetime.datetime.utcnow(),
            ExecutionStatus.ERROR if failed else ExecutionStatus.SUCCESS,
            list(self.results),
            failed[0].exception if failed else None,
        )
        self.core.state.set(ExecutionStateStoreKeys.EXECUTION_RESULT, result)
        return result

    def run_step(self, name, kind, file, directory, job_input, arguments, outermost, call):
        """Run one step through the hooks. Returns the word for a step that ended well, or raises its error."""
        context = self.job if outermost else self._context(directory, arguments, job_input)
        context.job_input = job_input
        step = Step(name, kind, lambda _step, _job_input: call() == "success", pathlib.Path(file), context.job_directory)
        state = self.core.state
        state.get(ExecutionStateStoreKeys.STEPS_STARTED).append(name)
        context.step_builder._steps.append(step)
        try:
            result = self.hook.run_step(context=context, step=step)
        except Exception as error:
            now = datetime.datetime.utcnow()
            self._note(StepResult(name, kind, now, now, ExecutionStatus.ERROR, None, error), outermost)
            raise
        self._note(result, outermost)
        if result.status == ExecutionStatus.ERROR:
            raise result.exception or errors.PlatformServiceError(
                "a plugin ended the step %s as failed without saying why" % name
            )
        if result.status == ExecutionStatus.SKIP_REQUESTED:
            raise errors.SkipRemainingStepsException("the step asked to skip the remaining steps")
        return "not_runnable" if result.status == ExecutionStatus.NOT_RUNNABLE else "success"

    def _note(self, result, outermost):
        if not outermost:
            return
        self.results.append(result)
        keys = ExecutionStateStoreKeys
        key = keys.STEPS_FAILED if result.status == ExecutionStatus.ERROR else keys.STEPS_SUCCEEDED
        self.core.state.get(key).append(result.name)

    def end_job(self):
        """finalize_job, and the connections are closed."""
        try:
            self.hook.finalize_job(context=self.job)
        finally:
            self.connections.close()

    def handles(self, error):
        """Whether a plugin says that it has dealt with the error of the run."""
        return any(answer is True for answer in self.hook.vdk_exception(exception=error))

    def leave(self, exit_code):
        """Last of all."""
        self.hook.vdk_exit(context=self.core, exit_code=exit_code)

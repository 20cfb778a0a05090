# SPDX-License-Identifier: Apache-2.0
"""The plugins' part of the Python host."""
import os
import sys

from vdk.api import errors
from vdk.sdk import statements


class PluginHost:
    """Loads the plugins at the start of the host and stands between vdk's requests and the steps."""

    def __init__(self, host, found, extra=()):
        self._host = host
        self._error = None
        self._ending = None
        self._plugins = None
        host.channel.early = []
        try:
            self._start(found, extra)
        except Exception as error:
            self._error = self._named(error)
            host.run.plugins = None
            self._give_up(error)

    def _start(self, found, extra):
        host = self._host
        given = host.channel.call({"req": "configuration"})
        _log(host.run.settings)
        # For plugins that start vdk themselves.
        os.environ.setdefault("VDK_EXECUTABLE", given["executable"])
        from vdk.sdk.plugins import Plugins

        self._plugins = Plugins(found, given, host.run.settings["query_prefix"])
        self._plugins.load(extra)
        line = ["run", given["directory"]]
        if host.run.arguments[0]:
            line += ["--arguments", str(given["arguments"])]
        self._plugins.configure(line)
        job_input = host.first_input(given["directory"])
        self._plugins.start_job(given["directory"], host.run.arguments[0], job_input)
        self._plugins.watch_databases(host.run)
        host.run.plugins = self._plugins
        host.run.ingester.through = self._plugins.methods
        default = self._plugins.default_database()
        if default:
            host.run.settings["default_database"] = default

    def _give_up(self, error):
        """The run ends before its first step; what plugins have begun until then they may end."""
        if self._plugins is None:
            return
        try:
            self._plugins.handles(error)
            self._plugins.leave(1)
        except Exception as more:
            import logging

            logging.getLogger("vdk.plugins").warning("a plugin failed at the end of the run, too: %s", more)

    def _named(self, error):
        """The error, with the plugin whose hook it comes from."""
        where = self._plugins.hook_of(error) if self._plugins is not None else None
        if where is None or isinstance(error, errors.BaseVdkError):
            return error
        named = errors.PlatformServiceError(
            "the Python plugin %s failed in its hook %s" % where, "%s: %s" % (type(error).__name__, error)
        )
        named.__cause__ = error
        return named

    # A job outside of a run

    def open(self, template=None):
        """The job begins; its steps are not run."""
        if self._error is not None:
            raise self._error
        if template:
            from vdk.internal.builtin_plugins.run.execution_state import ExecutionStateStoreKeys

            self._plugins.core.state.set(ExecutionStateStoreKeys.TEMPLATE_NAME, template)
        self._plugins.run_job(lambda: None)

    def close(self, error):
        """The job ends, with the error of the program that used it."""
        if self._error is not None:
            return
        if error is None:
            self._plugins.end_job()
            self._plugins.leave(0)
        else:
            self._plugins.connections.close()
            self._plugins.leave(0 if self._plugins.handles(error) else 2)

    # The order of a run

    def serve(self):
        """Execute what vdk asks for inside of the hook run_job, up to the end of the job."""
        if self._error is not None:
            return
        error = None
        try:
            self._plugins.run_job(self._steps)
        except BaseException as failure:
            error = failure
        if self._ending is None:
            self._error = self._named(error)  # before the first step: each request of vdk gets it
            self._give_up(error)
            return
        self._finalize(error)

    def _steps(self):
        while self._ending is None:
            message = self._host.channel.command()
            if message["cmd"] == "exit":
                message = {"cmd": "finalize", "exit_code": 130, "silent": True}  # only an interrupted run ends so
            if message["cmd"] == "finalize":
                self._ending = message
            else:
                self._host.execute(message)

    def _finalize(self, error):
        """finalize_job, vdk_exception, vdk_exit; an error of a hook becomes the error of the run."""
        try:
            self._plugins.end_job()
        except BaseException as failure:
            error = failure
        exit_code = self._ending["exit_code"] if error is None else 1
        reply = {"done": "finalized", "handled": False}
        if error is not None:
            reply = {**self._failure(error), "handled": False}
        failed = error if error is not None else self._error_of_run()
        try:
            if failed is not None and self._plugins.handles(failed):
                reply["handled"] = True
                exit_code = 0
            self._plugins.leave(exit_code)
        except BaseException as failure:
            reply = {**self._failure(failure), "handled": False}
        if self._ending.get("silent"):
            sys.exit(0)
        self._host.channel.send(reply)

    def _error_of_run(self):
        if not self._ending["exit_code"]:
            return None
        last = getattr(self._host.run, "last_error", None)
        if last is not None and last[0] == 0:
            return last[1]
        return errors.by_blamee(self._ending.get("blamee"), self._ending.get("message") or "the run failed")

    def _failure(self, error):
        where = {"context": 0, "directory": self._plugins.job.job_directory.as_posix()}
        return self._host._failure(self._named(error), where)

    # What vdk asks for

    def execute(self, message):
        """Everything but Python steps."""
        host = self._host
        try:
            if self._error is not None:
                raise self._error
            host.channel.send(getattr(self, "_do_" + message["cmd"])(message))
        except BaseException as error:
            host.channel.send(host._failure(error, {"context": 0, "directory": host.run.settings["directory"], **message}))
            host.run.ingester.discard()

    def _do_plugins(self, message):
        return {"done": "plugins", **self._plugins.describe()}

    def _do_finalize(self, message):
        return {"done": "finalized", "handled": False}  # serve() has ended already

    def _do_store(self, message):
        store = self._plugins.store(message["store"])
        if message["op"] == "read":
            return {"done": "store", "value": store.read()}
        store.write(message["value"])
        return {"done": "store"}

    def _do_sql(self, message):
        """A SQL step: on a plugin's database, or through the hooks of plugins on one of vdk's own."""
        return {"done": self.run_step(message, lambda: self._run_sql(message))}

    def _run_sql(self, message):
        if not message.get("script"):
            self._host.channel.call({"req": "native_sql"})
            return "success"
        connection = self._plugins.connections.open_connection(message["database"])
        script = message["script"]
        for offset, statement in statements.split(script):
            try:
                connection.execute_query(statement)
            except Exception as error:
                line = statements.line_of(script, offset)
                failure = statements.failure(
                    type(error),
                    "cannot run the SQL statement at line %d of %s" % (line, message["place"]),
                    "%s: %s" % (type(error).__name__, str(error).strip()),
                    "the statement was: " + (statement if len(statement) <= 300 else statement[:300] + " ..."),
                )
                failure.lineno = line
                raise failure from error
        statements.commit(connection)
        return "success"

    def run_step(self, message, call):
        """A step through the hooks of plugins."""
        if self._error is not None:
            raise self._error
        run = self._host.run
        context = message["context"]
        return self._plugins.run_step(
            message["name"], message.get("cell", message).get("kind", "python"), message["file"], message["directory"],
            self._host._input(message), run.arguments[context], context == 0, call,
        )


def _log(settings):
    """Plugins log much; on a terminal what matters is enough."""
    import logging

    from vdk.sdk import host

    host.configure_logging(settings)
    if not settings["collected_logs"] and settings.get("log_level") != "DEBUG":
        logging.getLogger("vdk").setLevel(logging.WARNING)

# SPDX-License-Identifier: Apache-2.0
"""Hook calls by pluggy's rules, for plugins in an interpreter that has no pluggy. Where it is installed, it is used."""
import inspect

__version__ = "1.0.0"


class HookspecMarker:
    """Marks the functions that declare a hook."""

    def __init__(self, project_name):
        self.project_name = project_name

    def __call__(self, function=None, firstresult=False, historic=False):
        def mark(item):
            setattr(item, self.project_name + "_spec", {"firstresult": firstresult, "historic": historic})
            return item

        return mark if function is None else mark(function)


class HookimplMarker:
    """Marks the functions that implement a hook."""

    def __init__(self, project_name):
        self.project_name = project_name

    def __call__(
        self, function=None, hookwrapper=False, optionalhook=False, tryfirst=False, trylast=False, specname=None,
        wrapper=False,
    ):
        def mark(item):
            options = {
                "hookwrapper": hookwrapper,
                "wrapper": wrapper,
                "tryfirst": tryfirst,
                "trylast": trylast,
                "specname": specname,
            }
            setattr(item, self.project_name + "_impl", options)
            return item

        return mark if function is None else mark(function)


class Result:
    """Outcome of the inner calls, as wrappers get it from their yield."""

    def __init__(self, value, error):
        self._value = value
        self._error = error

    @property
    def excinfo(self):
        error = self._error
        return None if error is None else (type(error), error, error.__traceback__)

    @property
    def exception(self):
        return self._error

    def get_result(self):
        if self._error is not None:
            raise self._error
        return self._value

    def force_result(self, value):
        self._value = value
        self._error = None

    def force_exception(self, error):
        self._value = None
        self._error = error


class HookImpl:
    """One implementation of a hook."""

    def __init__(self, plugin, plugin_name, function, options):
        self.plugin = plugin
        self.plugin_name = plugin_name
        self.function = function
        self.hookwrapper = options["hookwrapper"]
        self.wrapper = options["wrapper"]
        self.tryfirst = options["tryfirst"]
        self.trylast = options["trylast"]
        self.argnames = tuple(inspect.signature(function).parameters)

    def call(self, arguments):
        missing = [name for name in self.argnames if name not in arguments]
        if missing:
            raise TypeError("hook call must provide argument %r" % missing[0])
        return self.function(*[arguments[name] for name in self.argnames])


class HookCaller:
    """All implementations of one hook, weakest first."""

    def __init__(self, name):
        self.name = name
        self.spec = None
        self._plain = []
        self._wrappers = []
        self._history = []

    def get_hookimpls(self):
        return self._plain + self._wrappers

    def add(self, impl):
        group = self._wrappers if impl.hookwrapper or impl.wrapper else self._plain
        if impl.trylast:
            group.insert(0, impl)
        elif impl.tryfirst:
            group.append(impl)
        else:
            at = len(group)
            while at > 0 and group[at - 1].tryfirst:
                at -= 1
            group.insert(at, impl)
        for arguments, callback in self._history:
            results = _run([impl], arguments, False)
            if results and callback:
                callback(results[0])

    def remove(self, plugin):
        self._plain = [impl for impl in self._plain if impl.plugin is not plugin]
        self._wrappers = [impl for impl in self._wrappers if impl.plugin is not plugin]

    def __call__(self, **arguments):
        return _run(self.get_hookimpls(), arguments, bool(self.spec and self.spec["firstresult"]))

    def call_historic(self, result_callback=None, kwargs=None):
        arguments = kwargs or {}
        self._history.append((arguments, result_callback))
        for result in _run(self.get_hookimpls(), arguments, False):
            if result_callback:
                result_callback(result)


def _run(impls, arguments, first):
    results = []
    error = None
    waiting = []
    try:
        for impl in reversed(impls):
            if impl.hookwrapper or impl.wrapper:
                generator = impl.call(arguments)
                try:
                    next(generator)
                except StopIteration:
                    raise RuntimeError("a hook wrapper did not yield: %r" % impl.function) from None
                waiting.append((impl, generator))
                continue
            value = impl.call(arguments)
            if value is not None:
                results.append(value)
                if first:
                    break
    except BaseException as failure:
        error = failure
    value = (results[0] if results else None) if first else results
    outcome = Result(None if error is not None else value, error)
    for impl, generator in reversed(waiting):
        _finish(impl, generator, outcome)
    return outcome.get_result()


def _finish(impl, generator, outcome):
    try:
        if impl.hookwrapper:
            generator.send(outcome)
        elif outcome.exception is not None:
            generator.throw(outcome.exception)
        else:
            generator.send(outcome.get_result())
    except StopIteration as end:
        if impl.wrapper:
            outcome.force_result(end.value)
        return
    except BaseException as failure:
        outcome.force_exception(failure)
        return
    generator.close()
    outcome.force_exception(RuntimeError("a hook wrapper yielded twice: %r" % impl.function))


class _Relay:
    """The hooks by name."""


class PluginManager:
    """Registers plugins and calls their hooks."""

    def __init__(self, project_name):
        self.project_name = project_name
        self.hook = _Relay()
        self._plugins = {}

    def _caller(self, name):
        caller = self.hook.__dict__.get(name)
        if caller is None:
            caller = self.hook.__dict__[name] = HookCaller(name)
        return caller

    def add_hookspecs(self, module_or_class):
        for name in dir(module_or_class):
            spec = getattr(getattr(module_or_class, name, None), self.project_name + "_spec", None)
            if isinstance(spec, dict):
                self._caller(name).spec = spec

    def register(self, plugin, name=None):
        name = name or getattr(plugin, "__name__", None) or str(id(plugin))
        if name in self._plugins:
            raise ValueError("plugin name already registered: %s" % name)
        if any(known is plugin for known in self._plugins.values()):
            raise ValueError("plugin already registered under another name: %s" % name)
        self._plugins[name] = plugin
        for attribute in dir(plugin):
            function = getattr(plugin, attribute, None)
            if not inspect.isroutine(function):
                continue
            options = getattr(function, self.project_name + "_impl", None)
            if isinstance(options, dict):
                self._caller(options["specname"] or attribute).add(HookImpl(plugin, name, function, options))
        return name

    def unregister(self, plugin=None, name=None):
        for known, registered in list(self._plugins.items()):
            if registered is plugin or known == name:
                del self._plugins[known]
                for caller in self.hook.__dict__.values():
                    caller.remove(registered)
                return registered
        return None

    def list_name_plugin(self):
        return list(self._plugins.items())

    def has_plugin(self, name):
        return name in self._plugins

    def get_plugin(self, name):
        return self._plugins.get(name)

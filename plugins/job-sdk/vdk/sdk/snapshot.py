# SPDX-License-Identifier: Apache-2.0
"""What a step leaves behind in the process, for a later run that starts behind it: the names of the notebook, the data of
job-local modules, environment, working folder. What cannot be saved whole is named, and nothing is saved: half a state would
be worse than none."""
import operator
import os
import pickle
import sys

from vdk.sdk import process_state
from vdk.sdk import threads
from vdk.sdk.cells import MODULE

_PLAIN = (int, float, complex, str, bytes, bool, type(None), tuple, frozenset)
_FunctionType = type(lambda: None)
_ModuleType = type(sys)
_RESTORED = None  # the host that is being restored; what the functions below work on


class CannotSave(Exception):
    pass


# What restoring calls. The names are in snapshots.


def _names():
    return _RESTORED.restored_names


def _module_names(name):
    return sys.modules[name].__dict__


def _attribute(module, name):
    import importlib

    return getattr(importlib.import_module(module), name)


def _import(name):
    import importlib

    return importlib.import_module(name)


def _notebook_module():
    return sys.modules[MODULE]


def _job_input():
    return _RESTORED.restored_input


def _connection(path):
    return _RESTORED.run.connection(path)


def _function(code, names, cells):
    import marshal

    return _FunctionType(marshal.loads(code), names, None, None, tuple(_empty_cell() for _ in range(cells)) or None)


def _empty_cell():
    value = None

    def inner():
        return value

    cell = inner.__closure__[0]
    del value
    return cell


def _fill_function(function, state):
    contents, attributes, more = state
    for cell, content in zip(function.__closure__ or (), contents):
        if content is not None:
            cell.cell_contents = content[0]
    for name, value in attributes.items():
        setattr(function, name, value)
    function.__dict__.update(more)


def _class(meta, name, bases, slots):
    names = {"__module__": MODULE}
    if slots is not None:
        names["__slots__"] = slots
    return meta(name, bases, names)


def _fill_class(cls, attributes):
    for name, value in attributes.items():
        setattr(cls, name, value)


def _enum(meta, name, bases, items):
    names = meta.__prepare__(name, bases)
    for key, value in items:
        names[key] = value
    return meta(name, bases, names)


def _named_tuple(name, fields, defaults):
    import collections

    return collections.namedtuple(name, fields, defaults=defaults, module=MODULE)


def _cached(function, maxsize, typed):
    import functools

    return functools.lru_cache(maxsize, typed)(function)


def _wrapped(kind, *arguments):
    return kind(*arguments)


def _view(root, shape, dtype, offset, strides, writeable):
    import numpy

    flat = root.ravel(order="K")
    if dtype.hasobject:
        array = numpy.lib.stride_tricks.as_strided(flat[offset // dtype.itemsize :], shape, strides)
    else:
        array = numpy.ndarray(shape, dtype, flat, offset, strides)
    if not writeable:
        array.flags.writeable = False
    return array


class _Bounded:
    """A file that refuses to grow over a limit, and to take secrets of the job."""

    def __init__(self, file, limit, secrets):
        self._file = file
        self._limit = limit
        self._secrets = secrets
        self.size = 0

    def write(self, data):
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        self.size += size
        if self.size > self._limit:
            raise CannotSave("it is larger than %d MB" % (self._limit >> 20))
        if self._secrets:
            data = bytes(data)
            if any(secret in data for secret in self._secrets):
                raise CannotSave("it holds a secret of the job")
        if self._file is not None:
            self._file.write(data)
        return size


class _Pickler(pickle.Pickler):
    def __init__(self, file, host, notebook, known):
        super().__init__(file, 4)
        self._host = host
        self._names = notebook.names if notebook else {}
        self._known = known
        self._arrays = {}  # saved as if they were alone, by what they are views of
        self._roots = {}  # saved as what others are views of

    def reducer_override(self, obj):
        kind = type(obj)
        if kind is _FunctionType:
            return self._save_function(obj)
        if kind is _ModuleType:
            if obj.__name__ == MODULE and obj.__dict__ is self._names:
                return _notebook_module, ()
            if sys.modules.get(obj.__name__) is not obj:
                raise CannotSave("the module %s cannot be imported by its name" % obj.__name__)
            return _import, (obj.__name__,)
        if isinstance(obj, type):
            return self._save_class(obj) if obj.__module__ == MODULE else NotImplemented
        known = self._known.get(id(obj))
        if known is not None and known[0] is obj:
            return _attribute, known[1]
        for context, job_input in self._host.inputs.items():
            if obj is job_input and context == 0:
                return _job_input, ()
        for path, connection in self._host.run.connections.items():
            if obj is connection:
                return _connection, (path,)
        if kind in (staticmethod, classmethod):
            return _wrapped, (kind, obj.__func__)
        if kind is property:
            return _wrapped, (kind, obj.fget, obj.fset, obj.fdel, obj.__doc__)
        if kind.__name__ == "_lru_cache_wrapper" and kind.__module__ == "functools":
            return self._save_cached(obj)
        if kind.__name__ == "ndarray" and kind.__module__ == "numpy":
            return self._save_array(obj)
        return NotImplemented

    def _save_cached(self, obj):
        if obj.cache_info().currsize or not hasattr(obj, "cache_parameters"):
            raise CannotSave("it has cached results")
        parameters = obj.cache_parameters()
        return _cached, (obj.__wrapped__, parameters["maxsize"], parameters["typed"])

    def _save_array(self, array):
        """Arrays that share memory go on sharing it."""
        if not array.size:
            return NotImplemented
        root = array
        while type(getattr(root, "base", None)) is type(array):
            root = root.base
        if root is not array and _can_hold_views(root, array):
            self._roots[id(root)] = root
            offset = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
            return _view, (root, array.shape, array.dtype, offset, array.strides, array.flags.writeable)
        other = self._arrays.get(id(root), (array,))[0]
        if other is not array or (root is not array and id(root) in self._roots):
            raise CannotSave("it shares memory with another array")
        if root is not array:
            self._arrays[id(root)] = (array, root)
        else:
            self._roots[id(root)] = root
        return NotImplemented

    def _save_function(self, function):
        module = sys.modules.get(function.__module__)
        if function.__module__ != MODULE and module is not None and _found(module, function):
            return NotImplemented
        import marshal

        names = function.__globals__
        if names is self._names:
            source = (_names, ())
        else:
            home = names.get("__name__")
            if getattr(sys.modules.get(home), "__dict__", None) is not names:
                raise CannotSave("the function %s has global names of its own" % function.__qualname__)
            source = (_module_names, (home,))
        contents = []
        for cell in function.__closure__ or ():
            try:
                contents.append((cell.cell_contents,))
            except ValueError:
                contents.append(None)
        attributes = {
            name: getattr(function, name)
            for name in ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__", "__annotations__")
        }
        arguments = (marshal.dumps(function.__code__), _Call(*source), len(contents))
        return _function, arguments, (contents, attributes, dict(function.__dict__)), None, None, _fill_function

    def _save_class(self, cls):
        meta = type(cls)
        for base in cls.__mro__[1:]:
            if "__init_subclass__" in base.__dict__ and base is not object:
                raise CannotSave("the class %s has __init_subclass__ in its base %s" % (cls.__name__, base.__name__))
        import abc
        import enum

        if isinstance(cls, enum.EnumMeta):
            return self._save_enum(cls)
        if cls.__bases__ == (tuple,) and hasattr(cls, "_fields"):
            return self._save_named_tuple(cls)
        hooks = any(hasattr(type(v), "__set_name__") for v in cls.__dict__.values() if type(v) is not property)
        if meta not in (type, abc.ABCMeta) or hooks:
            raise CannotSave("the class %s cannot be built again" % cls.__name__)
        slots = cls.__dict__.get("__slots__")
        leave = {"__dict__", "__weakref__", "__slots__", "_abc_impl", "__module__"}
        leave.update((slots,) if isinstance(slots, str) else slots or ())
        attributes = {name: value for name, value in cls.__dict__.items() if name not in leave}
        return _class, (meta, cls.__name__, cls.__bases__, slots), attributes, None, None, _fill_class

    def _save_named_tuple(self, cls):
        if any(type(v) is _FunctionType and v.__globals__ is self._names for v in cls.__dict__.values()):
            raise CannotSave("the named tuple %s has methods of its own" % cls.__name__)
        return _named_tuple, (cls.__name__, cls._fields, list(cls._field_defaults.values()))

    def _save_enum(self, cls):
        import enum

        if any(not base.__module__ == "enum" and base not in (int, str, float, object) for base in cls.__mro__[1:]):
            raise CannotSave("the class %s is an enumeration with bases of its own" % cls.__name__)
        items = [("__module__", MODULE), ("__qualname__", cls.__qualname__)]
        items += [(name, member._value_) for name, member in cls.__members__.items()]
        made = set(enum.Enum.__dict__) | set(enum.Flag.__dict__) | set(cls.__members__)
        for name, value in cls.__dict__.items():
            if isinstance(value, (_FunctionType, property, staticmethod, classmethod)) and name not in made:
                items.append((name, value))
            elif name in ("__init__", "__new__", "__str__", "__repr__", "_missing_") and type(value) is _FunctionType:
                if value.__module__ == MODULE:
                    raise CannotSave("the class %s changes how an enumeration works" % cls.__name__)
        return _enum, (type(cls), cls.__name__, cls.__bases__, items)


def _can_hold_views(root, array):
    """Whether the root keeps its layout when it is saved, and is not far larger than what is looked at."""
    objects = root.dtype.hasobject or array.dtype.hasobject
    return (
        root.base is None
        and root.flags.forc
        and (root.dtype == array.dtype if objects else True)
        and root.nbytes <= 4 * array.nbytes + (1 << 20)
    )


class _Call:
    """Stands for the result of a call when it is read back."""

    def __init__(self, function, arguments):
        self._call = (function, arguments)

    def __reduce__(self):
        return self._call


def _found(module, function):
    value = module
    for part in function.__qualname__.split("."):
        value = getattr(value, part, None)
    return value is function


def _known_objects(host):
    """Objects that belong to importable modules and must stay the same ones: os.environ, sys.path, sentinels."""
    local = set(host.watch.job_modules())
    local.update((MODULE, "__main__"))
    modules = {
        name: module
        for name, module in list(sys.modules.items())
        if type(module) is _ModuleType and name not in local and not name.startswith("step_")
    }
    # Most modules are as they were behind the cell before.
    last, all_known = getattr(host, "known_objects", ({}, {}))
    found, same = {}, list(last) == list(modules)
    for name, module in modules.items():
        values = list(vars(module).values())
        entry = last.get(name)
        if entry is None or len(entry[0]) != len(values) or not all(map(operator.is_, entry[0], values)):
            entry, same = (values, _objects_of(name, module)), False
        found[name] = entry
    if not same:
        all_known = {}
        for _, objects in found.values():
            for item in objects:
                all_known.setdefault(id(item[0]), item)
    host.known_objects = (found, all_known)
    return all_known


def _objects_of(name, module):
    return [
        (value, (name, key))
        for key, value in list(vars(module).items())
        if type(value) not in _PLAIN
        and type(value) is not _FunctionType
        and type(value) is not _ModuleType
        and not isinstance(value, type)
        and key != "__builtins__"
    ]


def _module_data(module):
    """The data of a job-local module, and of its classes: (names, {class: attributes})."""
    names, classes = {}, {}
    for name, value in vars(module).items():
        if name.startswith("__") and name.endswith("__"):
            continue
        if isinstance(value, type) and value.__module__ == module.__name__:
            classes[value.__qualname__] = {
                key: item
                for key, item in vars(value).items()
                if not (key.startswith("__") and key.endswith("__"))
                and key != "_abc_impl"
                and (not hasattr(item, "__get__") or _is_put_there(item, value, key))
            }
        elif not (_is_definition(value) and getattr(value, "__module__", None) == module.__name__):
            names[name] = value
    return names, {key: value for key, value in classes.items() if value}


def _is_put_there(item, cls, key):
    """A function that the text of the class does not have under this name."""
    return type(item) is _FunctionType and (item.__module__, item.__qualname__) != (cls.__module__, cls.__qualname__ + "." + key)


def _is_definition(value):
    return type(value) is _FunctionType and _found(sys.modules.get(value.__module__), value)


def _secrets(host):
    """What must not get into a file: the secrets that the steps have read, also as base64."""
    import base64

    found, todo = set(), list(host.run.secrets)
    while todo:
        value = todo.pop()
        if isinstance(value, (dict, list)):
            todo += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str) and len(value) >= 4:
            encoded = value.encode("utf-8", "surrogatepass")
            found.update((encoded, base64.b64encode(encoded).rstrip(b"=")[:-1]))
    return found


def _process(host):
    """What of the process itself a step may have changed."""
    state = {}
    now, given = dict(os.environ), host.start["environ"]
    # Also what was set to the value that it had: the next run's may be another one.
    changed = {k for k in now if given.get(k) != now[k]} | given.keys() - now.keys() | host.watch.variables.written
    changes = {k: now.get(k) for k in changed}
    if changes:
        state["environ"] = changes
    if os.getcwd() != host.start["cwd"]:
        state["cwd"] = os.getcwd()
    if sys.path != host.start["path"]:
        state["path"] = list(sys.path)
    if sys.getrecursionlimit() != host.start["recursion"]:
        state["recursion"] = sys.getrecursionlimit()
    if "random" in sys.modules:
        state["random"] = sys.modules["random"].getstate()
    if "numpy.random" in sys.modules:
        state["numpy.random"] = sys.modules["numpy.random"].get_state()
    if "decimal" in sys.modules:
        state["decimal"] = sys.modules["decimal"].getcontext().copy()
    if host.run.arguments[0] != host.start["arguments"]:
        state["arguments_changed"] = True
    state.update(process_state.changes(host.start["process"]))
    return state


def _beyond(host, notebook):
    """Why the state cannot be saved whatever the names are: [(name, why)]."""
    found = []
    found += process_state.replaced(host.start["process"])
    found += [("the thread " + thread.name, "it is still running") for thread in threads.busy()]
    if notebook is not None and notebook.has_tasks():
        found.append(("an asynchronous task", "it is still running"))
    plugins = host.run.plugins
    if plugins is not None and getattr(plugins.connections, "is_used", lambda: True)():
        found.append(("a database of a plugin", "what it holds is not known"))
    for connection in host.run.connections.values():
        why = getattr(connection, "vdk_state", lambda: "its state is not known")()
        if why:
            found.append(("the database connection", why))
    return found


def save(host, path, notebook, limit):
    """Write the state to `path`; returns what the run has to know about it."""
    lost = _beyond(host, notebook)
    if lost:
        return {"carry": "lost", "lost": lost}
    host.watch.pause()
    names = notebook.own_names() if notebook is not None else {}
    modules = {name: _module_data(sys.modules[name]) for name in host.watch.job_modules()}
    process = _process(host)
    if not names and not process and not any(data or classes for data, classes in modules.values()):
        return {"carry": "none"}
    temporary = path + ".new"
    known = _known_objects(host)
    try:
        parts = _parts(host, notebook, names, modules, process, known)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            bounded = _Bounded(file, limit, _secrets(host))
            _dump(bounded, host, notebook, parts, known)
        os.replace(temporary, path)
        return {"carry": "saved", "bytes": bounded.size}
    except (Exception, RecursionError) as error:
        _remove(temporary)
        culprits = _culprits(host, notebook, names, limit, known)
        return {"carry": "lost", "lost": culprits or [("what it left in memory", _why(error))]}


def _parts(host, notebook, names, modules, process, known):
    """In the order in which they are read back: definitions may need modules, and data the definitions."""
    first = {k: v for k, v in names.items() if type(v) is _ModuleType}
    second = {k: v for k, v in names.items() if k not in first and (type(v) is _FunctionType or isinstance(v, type))}
    rest = {k: v for k, v in names.items() if k not in first and k not in second}
    for key, value in rest.items():
        if notebook is not None and value is notebook.names:
            raise CannotSave("%s is globals()" % key)
        if id(value) in known and known[id(value)][0] is value:
            rest[key] = _Call(_attribute, known[id(value)][1])
    head = {
        "modules": sorted(modules),
        "notebook": notebook.file if notebook else None,
        "flags": notebook.flags if notebook else 0,
        "cells": _sources(notebook),
        "environ": process.pop("environ", {}),
        "path": process.pop("path", None),
    }
    tail = {"names": rest, "modules": modules, "process": process, "arguments": host.run.arguments[0]}
    tail["given"] = host.start["arguments"]
    return [head, first, second, tail]


def _sources(notebook):
    if notebook is None or "linecache" not in sys.modules:
        return {}
    lines = sys.modules["linecache"].cache
    return {name: "".join(entry[2]) for name, entry in lines.items() if name.startswith(notebook.file + ",") and len(entry) > 2}


def _dump(file, host, notebook, parts, known):
    pickler = _Pickler(file, host, notebook, known)
    for part in parts:
        pickler.dump(part)


def _culprits(host, notebook, names, limit, known):
    found, secrets = [], _secrets(host)
    for name, value in names.items():
        try:
            _dump(_Bounded(None, limit, secrets), host, notebook, [value], known)
        except (Exception, RecursionError) as error:
            found.append((name, _why(error)))
    return found


def _why(error):
    return str(error) or type(error).__name__


def _remove(path):
    try:
        os.unlink(path)
    except OSError:
        pass


def restore(host, path, job_input):
    """Bring this fresh process into the state of a snapshot. Any error means that it cannot be used."""
    global _RESTORED
    _RESTORED = host
    host.restored_input = job_input
    with open(path, "rb") as file:
        unpickler = pickle.Unpickler(file)
        head = unpickler.load()
        for key, value in head["environ"].items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
        if head["path"] is not None:
            sys.path[:] = head["path"]
        notebook = host.notebook(0, head["notebook"]) if head["notebook"] else None
        host.restored_names = notebook.names if notebook else {}
        if notebook:
            notebook.flags = head["flags"]
            notebook.prepare(job_input)
            from vdk.sdk import cells

            for name, source in head["cells"].items():
                cells.remember_source(name, source)
        for name in head["modules"]:
            _import(name)
        for _ in range(2):
            host.restored_names.update(unpickler.load())
        tail = unpickler.load()
    host.restored_names.update(tail["names"])
    if notebook:
        notebook.prepare(job_input)
    if tail["given"] == host.start["arguments"]:
        host.run.arguments[0] = job_input._arguments = tail["arguments"]  # other ones: no step before has read them
    for name, (data, classes) in tail["modules"].items():
        _restore_module(sys.modules[name], data, classes)
    _restore_process(tail["process"])


def _restore_module(module, data, classes):
    fresh = _module_data(module)[0]
    for name in set(fresh) - set(data):
        delattr(module, name)
    for name, value in data.items():
        setattr(module, name, value)
    for qualname, attributes in classes.items():
        cls = module
        for part in qualname.split("."):
            cls = getattr(cls, part)
        for name, value in attributes.items():
            setattr(cls, name, value)


def _restore_process(process):
    if "cwd" in process:
        os.chdir(process["cwd"])
    process_state.restore(process)
    if "recursion" in process:
        sys.setrecursionlimit(process["recursion"])
    if "random" in process:
        _import("random").setstate(process["random"])
    if "numpy.random" in process:
        _import("numpy.random").set_state(process["numpy.random"])
    if "decimal" in process:
        _import("decimal").setcontext(process["decimal"])

# SPDX-License-Identifier: Apache-2.0
"""What the load templates are called with."""
from vdk.api import errors
from vdk.sdk.load_names import listed

_TABLES = ("source_view", "target_table")
_ANY = ("source_schema", "target_schema", "staging_schema", "check")
_LISTS = ("value_columns", "tracked_columns")
_VALUES = ("active_to_max_value", "end_time_default_value")
# Each names another column of the target.
_COLUMNS = ("id_column", "sk_column", "active_from_column", "active_to_column", "start_time_column", "end_time_column",
            "surrogate_key_column")


class Arguments:
    """The arguments of one template, checked before anything else happens."""

    def __init__(self, template, given, required=(), optional=None, of_job=None):
        """`of_job`: a job may hand all of its own arguments on, also those that are not for the template."""
        self.template = template
        if not isinstance(given, dict):
            raise self._error("its arguments must be a dictionary, not %s" % type(given).__name__)
        required = _TABLES + tuple(required)
        known = required + _ANY + tuple(optional or ())
        passed_on = of_job if isinstance(of_job, dict) else {}
        unknown = [name for name in given if name not in known and not (name in passed_on and passed_on[name] == given[name])]
        if unknown:
            raise self._error("it has no argument %s; it takes %s" % (listed(unknown), listed(known)))
        missing = [name for name in required if given.get(name) is None]
        if missing:
            raise self._error("the argument %s is missing" % listed(missing))
        self._values = dict(optional or {})
        self._values.update((name, value) for name, value in given.items() if name in known and value is not None)
        for name, value in self._values.items():
            self._check(name, value)
        self._check_columns()

    def get(self, name):
        return self._values.get(name)

    def _error(self, why):
        return errors.UserCodeError("cannot run the template %s: %s" % (self.template, why))

    def _check(self, name, value):
        if name == "check":
            if not callable(value):
                raise self._error("check must be a function that takes the name of a table, not %r" % (value,))
        elif name in _LISTS:
            if not isinstance(value, (list, tuple)) or not value or not all(isinstance(v, str) and v for v in value):
                raise self._error("%s must be a list of column names, not %r" % (name, value))
        elif name in _VALUES:
            if not isinstance(value, (str, int, float)) or value != value or "\0" in str(value):
                raise self._error("%s must be text or a number, not %r" % (name, value))
        elif not isinstance(value, str) or not value or "\0" in value:
            raise self._error("%s must be a name, not %r" % (name, value))

    def _check_columns(self):
        for name in _LISTS:
            if name in self._values:
                self._values[name] = list(self._values[name])
        values = [name.lower() for name in self._values.get("value_columns", ())]
        rest = [name for name in self._values.get("tracked_columns", ()) if name.lower() not in values]
        if rest:
            raise self._error("tracked_columns has %s, which value_columns has not" % listed(rest))
        names = values + [self._values[name].lower() for name in _COLUMNS if name in self._values]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise self._error("the column %s is named twice" % listed(twice))

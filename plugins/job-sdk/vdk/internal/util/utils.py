# SPDX-License-Identifier: Apache-2.0
"""Helpers that plugins use."""


def class_fqname(py_object):
    """Name of an object's class with its module."""
    kind = type(py_object)
    return "%s.%s" % (kind.__module__, kind.__name__)


def parse_config_sequence(cfg, key, sep=None):
    """A setting that holds a list, as a list."""
    value = cfg.get_value(key)
    return [part.strip() for part in str(value).split(sep) if part.strip()] if value else []

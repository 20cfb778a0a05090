# SPDX-License-Identifier: Apache-2.0
"""A small typed dictionary that plugins share."""
from typing import Generic
from typing import TypeVar

T = TypeVar("T")


class StoreKey(Generic[T]):
    """Key of a value of type T. Keys of the same text are equal."""

    def __init__(self, key):
        self.key = key

    def __eq__(self, other):
        return isinstance(other, StoreKey) and self.key == other.key

    def __hash__(self):
        return hash(self.key)

    def __repr__(self):
        return "%s(%r)" % (type(self).__name__, self.key)


class ImmutableStoreKey(StoreKey[T]):
    """Key of a value that is set once."""


class CommonStoreKeys:
    """What vdk itself puts into the store."""

    OP_ID = StoreKey("vdk.op_id")
    EXECUTION_ID = StoreKey("vdk.execution_id")
    ATTEMPT_ID = StoreKey("vdk.attempt_id")
    START_TIME = StoreKey("vdk.start_time")
    END_TIME = StoreKey("vdk.end_time")
    VDK_VERSION = ImmutableStoreKey("vdk.vdk_version")
    TEMPORARY_WRITE_DIRECTORY = ImmutableStoreKey("vdk.temporary_write_directory")


class StateStore:
    """Values by StoreKey."""

    def __init__(self, store=None):
        self._store = {} if store is None else store

    def _check(self, key):
        if isinstance(key, ImmutableStoreKey) and key in self._store:
            raise AttributeError("cannot change %r: its value can be set only once" % (key,))

    def __getitem__(self, key):
        return self._store[key]

    def __setitem__(self, key, value):
        self._check(key)
        self._store[key] = value

    def __delitem__(self, key):
        self._check(key)
        del self._store[key]

    def __contains__(self, key):
        return key in self._store

    def __repr__(self):
        return repr(self._store)

    def get(self, key, default=None):
        """The value, or the default when it is not set."""
        return self._store.get(key, default)

    def set(self, key, value):
        """Set a value."""
        self[key] = value

    def clone(self):
        """A store with the same values that changes by itself."""
        return StateStore(dict(self._store))

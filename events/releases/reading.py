"""Which programme a query reads: the draft that organisers edit, or what they have published.

PostgreSQL's search_path decides. The schema "published" holds views with the names of the programme tables
(events.releases.schema); whoever reads published things finds these first. So every page, feed, document, API and mail
obeys releases without a word about them in its queries, and none can forget.

The mode is a context variable: the draft unless somebody says otherwise (admin, commands, imports); web requests
outside the admin say otherwise in events.releases.middleware, rules and mails of registration through `published`.
Each connection is brought into the wanted mode before a statement, and only when it is not in it already.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from events.releases import tables

P = ParamSpec("P")
R = TypeVar("R")


class Mode(Enum):
    """What a statement reads."""

    DRAFT = "draft"
    PUBLISHED = "published"


_wanted: ContextVar[Mode] = ContextVar("programme_reading", default=Mode.DRAFT)

_TO_DRAFT = "RESET search_path"
# No row when the schema is not there, or a view in it, or this role may not use it (PostgreSQL would pass over it and
# find the draft behind it): then nothing may be read, least of all the draft.
_TO_PUBLISHED = (
    "SELECT set_config('search_path', 'published, public', false) FROM pg_namespace there "
    "WHERE nspname = 'published' AND has_schema_privilege(there.oid, 'USAGE') AND NOT EXISTS ("
    "SELECT FROM unnest(%s::text[]) name WHERE NOT EXISTS ("
    "SELECT FROM pg_class WHERE relname = name AND relnamespace = there.oid))"
)


def mode() -> Mode:
    """What the present thread or task reads."""
    return _wanted.get()


@contextmanager
def _reading(wanted: Mode) -> Iterator[None]:
    token = _wanted.set(wanted)
    try:
        yield
    finally:
        _wanted.reset(token)


def reading_published() -> Any:
    """Context: queries read what is published. Programme rows cannot be written here: the views refuse it."""
    return _reading(Mode.PUBLISHED)


def reading_draft() -> Any:
    """Context: queries read and write what organisers edit."""
    return _reading(Mode.DRAFT)


def published(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator: the function reads what is published, whoever calls it."""

    @wraps(function)
    def reading(*args: P.args, **kwargs: P.kwargs) -> R:
        with _reading(Mode.PUBLISHED):
            return function(*args, **kwargs)

    return reading


class _Switch:
    """Brings one connection into the wanted mode before each statement.

    A setting made inside a transaction is undone when that, or a savepoint around it, is rolled back. Django makes a
    new list of commit hooks at every commit and rollback, also to a savepoint: what was learned inside a transaction
    holds as long as the list is the same.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = weakref.proxy(connection)
        self._present: Mode | None = None  # a pool may hand on a connection as somebody else left it
        self._learned_in: object = None  # None: outside of transactions, where no rollback touches it

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Django's execute wrapper."""
        wanted = _wanted.get()
        still_holds = self._learned_in is None or self._learned_in is self._connection.run_on_commit
        if self._present is not wanted or not still_holds:
            self._switch(wanted)
        return execute(sql, params, many, context)

    def _switch(self, wanted: Mode) -> None:
        connection = self._connection
        if connection.needs_rollback:
            return  # nothing can be executed; what comes next says so itself
        self._present = None
        # Beside Django's cursors, as Django itself sets up a connection: this is no query of the page.
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            if wanted is Mode.DRAFT:
                cursor.execute(_TO_DRAFT)
            elif cursor.execute(_TO_PUBLISHED, [[table.name for table in tables.all_tables()]]).fetchone() is None:
                raise OperationalError(
                    "The published programme is not there, or not for this role: run manage.py migrate."
                )
        self._present = wanted
        self._learned_in = None if connection.autocommit else connection.run_on_commit


def _install(*, connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Watch over a new connection."""
    wrappers = connection.execute_wrappers
    wrappers[:] = [wrapper for wrapper in wrappers if not isinstance(wrapper, _Switch)]
    wrappers.insert(0, _Switch(connection))


def install() -> None:
    """Watch over all connections of this process. To be called in AppConfig.ready."""
    connection_created.connect(_install, dispatch_uid="events.releases.reading")

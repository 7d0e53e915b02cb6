"""Small things the models of all apps share: random public ids, range expressions, constraint names, encrypted text."""

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import IntegrityError, connection, models
from django.db.models import BooleanField, DateTimeField, Func
from psycopg.pq import TransactionStatus

from alliance import crypto

if TYPE_CHECKING:  # the stubs' fields are generic, Django's own are not
    UUIDField = models.UUIDField[uuid.UUID, uuid.UUID]
    TextField = models.TextField[str, str]
    BinaryField = models.BinaryField[bytes, bytes]
else:
    UUIDField = models.UUIDField
    TextField = models.TextField
    BinaryField = models.BinaryField


def random_id() -> uuid.UUID:
    """A public id of 128 random bits, derived from nothing."""
    return uuid.UUID(bytes=secrets.token_bytes(16))


class PublicIdField(UUIDField):
    """The only id that leaves the house: 128 random bits, unique, never edited."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs |= {"default": random_id, "unique": True, "editable": False}
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        """Leave out of migrations what the class always sets."""
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("default", "unique", "editable"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs


class _IsOneOf(Func):
    """Whether the first argument is one of the values of the second, an array."""

    output_field = BooleanField()
    template = "(%(expressions)s))"
    arg_joiner = " = ANY("


def one_of(column: str, rows: models.QuerySet[Any, Any]) -> models.Q:
    """Whether the column is one of the values of the rows, which PostgreSQL asks for once, before anything else.

    As column__in=rows, but never planned as a join: where the statistics are wrong, as they can be after much has
    changed at once, a join may ask for the rows again for every row beside them. rows: of one column.
    """
    return models.Q(_IsOneOf(models.F(column), ArraySubquery(rows.order_by())))


@contextmanager
def each_table_once() -> Iterator[None]:
    """Context: queries that join many tables read each of them once, whatever PostgreSQL believes of their sizes.

    Where it believes that tables have a row or none (after a large import, or after much was deleted, until it has
    counted again) it looks through one table for every row of another, and does so with several within each other.
    Here it puts a table into memory instead. For lists of much; what finds one row by its key is faster without.
    """
    connection.ensure_connection()
    _say("SET enable_nestloop = off")
    try:
        yield
    finally:
        _say("RESET enable_nestloop")


def _say(setting: str) -> None:
    """Tell the server, beside Django's cursors: this is no query of a page."""
    server = connection.connection
    # A connection that was lost takes its settings along, and so does a transaction that has failed and is rolled back.
    if server is None or server.closed or server.info.transaction_status is TransactionStatus.INERROR:
        return
    with connection.wrap_database_errors, server.cursor() as cursor:
        cursor.execute(setting)


class TsTzRange(Func):
    """PostgreSQL's tstzrange(start, end, bounds), for exclusion constraints on spans of time."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class NextMidnight(Func):
    """The instant at which a calendar day ends on the clock of a zone: NextMidnight(date, zone name)."""

    template = "((%(expressions)s))"
    arg_joiner = " + 1)::timestamp AT TIME ZONE ("
    arity = 2
    output_field = DateTimeField()


def constraint_name(error: IntegrityError) -> str:
    """The name of the constraint an IntegrityError is about; empty when PostgreSQL names none."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""


class EncryptedTextField(TextField):
    """Text that only we can read: encrypted with FIELD_ENCRYPTION_KEYS before it reaches the database.

    For addresses of meeting rooms and other secrets of the house. It cannot be searched. The identity of a person is
    sealed with a key of that person instead (registration.identity).
    """

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in; the empty text stays empty, so that "nothing set" can be queried."""
        return crypto.encrypt(value) if value else value

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        """Decrypt on the way out."""
        return crypto.decrypt(value) if value else value


class EncryptedBinaryField(BinaryField):
    """A file that only we can read: encrypted like EncryptedTextField, for files that are kept for hours."""

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in; no bytes stay no bytes."""
        return super().get_prep_value(crypto.encrypt_bytes(bytes(value)) if value else value)

    def from_db_value(self, value: Any, expression: object, connection: object) -> bytes | None:
        """Decrypt on the way out."""
        return crypto.decrypt_bytes(bytes(value)) if value else value

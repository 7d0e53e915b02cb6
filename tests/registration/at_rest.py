"""What lies in the database, whole, for tests that something does not."""

from __future__ import annotations

from django.db import connection


def everything() -> str:
    """All that the tables hold, as text; bytes in hexadecimal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        )
        found = []
        for schema, table in cursor.fetchall():
            cursor.execute(f'SELECT coalesce(string_agg(t::text, chr(10)), \'\') FROM "{schema}"."{table}" t')
            found.append(cursor.fetchone()[0])
    return "\n".join(found)


def holds(kept: str, text: str) -> bool:
    """Whether a text stands there, readably or as bytes."""
    return text.casefold() in kept.casefold() or text.encode().hex() in kept

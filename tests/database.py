"""Pytest plugin, loaded after pytest-django: test databases are copies of one migrated once, and emptied quickly."""

import os
from typing import Any

import pytest

from tests import services

# Tables that migrations fill and no test changes: Django's own flush empties them and fills them again.
_KEPT = ("django_content_type", "auth_permission", "django_migrations")
_EMPTY = f"""
DO $$
DECLARE
    one record;
    has_rows boolean;
BEGIN
    SET LOCAL session_replication_role = replica;  -- without triggers and in any order
    FOR one IN
        SELECT schemaname, tablename FROM pg_tables
        WHERE schemaname IN ('public', 'released') AND tablename NOT IN {_KEPT}
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', one.schemaname, one.tablename) INTO has_rows;
        IF has_rows THEN
            EXECUTE format('DELETE FROM %I.%I', one.schemaname, one.tablename);
        END IF;
    END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any) -> None:
    """pytest-django's hook before it makes the test database (of each worker)."""
    from django.db import connection

    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = services.migrated_template()
    if "ALLIANCE_TEST_POSTGRES_PID" in os.environ:  # our own server, where we may leave triggers out
        _empty_quickly()


def _empty_quickly() -> None:
    """After a test with transactions of its own, delete the rows that are there.

    Django truncates every table and asks for all permissions again: ten times the work of most such tests.
    """
    from django.db import connection
    from django.test import TransactionTestCase

    from events.releases import schema

    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # not in the stubs

    def teardown(self: TransactionTestCase) -> None:
        if not schema.is_current():
            flush(self)  # which makes the schemas of what is published again, as after a migration
            return
        with connection.cursor() as cursor:
            cursor.execute(_EMPTY)

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]

"""Pytest plugin, loaded after pytest-django: test databases are copies of one that was migrated once."""

from typing import Any

import pytest

from tests import services


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any) -> None:
    """pytest-django's hook before it makes the test database (of each worker)."""
    from django.db import connection

    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = services.migrated_template()

"""Every factory makes a valid row with no arguments."""

import inspect
from typing import Any

import pytest
from factory.django import DjangoModelFactory

from tests import factories

FACTORIES = [
    factory
    for _name, factory in inspect.getmembers(factories, inspect.isclass)
    if issubclass(factory, DjangoModelFactory) and factory is not DjangoModelFactory
]


@pytest.mark.django_db
@pytest.mark.parametrize("factory", FACTORIES, ids=lambda factory: factory.__name__)
def test_factory_with_no_arguments_makes_a_row(factory: Any) -> None:
    row = factory()

    assert row.pk is not None
    row.refresh_from_db()
    assert str(row)

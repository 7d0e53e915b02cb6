"""What the database refuses whoever writes: here past forms, imports and model methods."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from alliance import db
from speakers.models import Person
from tests.factories import PersonFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "trace",
    [
        {"given_name": "Canary"},
        {"family_name": "Canary"},
        {"sort_name": "Canary, Ivan"},
        {"post_nominals": "PhD"},
        {"aliases": ["Canary"]},
        {"alias_sources": {"Canary": "agenda"}},
        {"biography": {"en": "Canary"}},
        {"internal_note": "Canary"},
        {"display_name": "Petr"},  # an earlier pseudonym stays behind as given name and sort name
    ],
)
def test_nothing_beside_a_pseudonym(trace: dict[str, Any]) -> None:
    person = PersonFactory(display_name="Ivan", given_name="Ivan", sort_name="Ivan", is_pseudonym=True)
    row = Person.objects.filter(pk=person.pk)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        row.update(**trace)

    assert db.constraint_name(refused.value) == "person_pseudonym_has_no_other_name"
    row.update(is_pseudonym=False, **trace)


def test_person_with_a_name_becomes_a_pseudonym_only_without_it() -> None:
    person = PersonFactory(display_name="Ivan")
    row = Person.objects.filter(pk=person.pk)

    with pytest.raises(IntegrityError), transaction.atomic():
        row.update(is_pseudonym=True)

    row.update(is_pseudonym=True, given_name="", family_name="")

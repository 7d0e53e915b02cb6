"""Which language a page speaks, and that numbers and counted things are right in each."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.template import Context, Template
from django.test import Client
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import ngettext

from tests.factories import ConferenceFactory, UserFactory


def spoken(response: Any) -> str:
    found = re.search(r'<html lang="(\w+)"', response.content.decode())
    assert found
    return found.group(1)


@pytest.mark.django_db
def test_address_counts_before_a_choice_and_the_browser(client: Client) -> None:
    conference = ConferenceFactory()
    client.cookies["django_language"] = "it"

    page = client.get(f"/de/{conference.slug}/", headers={"accept-language": "ru"})
    missing = client.get("/es/nothing-here/", headers={"accept-language": "ru"})

    assert (spoken(page), spoken(missing)) == ("de", "es")


@pytest.mark.django_db
def test_admin_speaks_the_language_of_the_account_before_that_of_the_browser(client: Client) -> None:
    user = UserFactory(language="ru", is_superuser=True, is_staff=True)
    client.force_login(user)

    assert spoken(client.get("/admin/", headers={"accept-language": "fr"})) == "ru"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["1 of 99 places left", "2 of 99 places left", "5 of 99 places left", "21 of 99 places left"]),
        ("fr", [f"Places restantes\N{NO-BREAK SPACE}: {number} sur 99" for number in (1, 2, 5, 21)]),
        ("de", [f"Freie Plätze: {number} von 99" for number in (1, 2, 5, 21)]),
        ("it", ["1 posto disponibile su 99", *(f"{number} posti disponibili su 99" for number in (2, 5, 21))]),
        ("es", [f"Plazas libres: {number} de 99" for number in (1, 2, 5, 21)]),
        (
            "ru",
            ["Осталось 1 место из 99", "Осталось 2 места из 99", "Осталось 5 мест из 99", "Осталось 21 место из 99"],
        ),
    ],
)
def test_counted_things_take_the_plural_of_the_language(language: str, expected: list[str]) -> None:
    text = "%(left)s of %(capacity)s places left"

    with translation.override(language):
        assert [ngettext(text, text, n) % {"left": n, "capacity": 99} for n in (1, 2, 5, 21)] == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "1,234,567"),
        ("fr", "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567"),
        ("de", "1.234.567"),
        ("it", "1.234.567"),
        ("es", "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567"),
        ("ru", "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567"),
    ],
)
def test_large_number_is_grouped_as_the_language_groups_it(language: str, expected: str) -> None:
    template = Template('{{ number|floatformat:"0g" }}')

    with translation.override(language):
        assert template.render(Context({"number": 1234567})) == expected


def test_english_says_the_day_first_and_guesses_at_no_day() -> None:
    day = datetime(2026, 11, 22, 9, 53, tzinfo=UTC)

    with translation.override("en"):
        assert date_format(day, "DATETIME_FORMAT") == "22 November 2026, 09:53"
        field = forms.DateField(localize=True)
        assert field.clean("2026-04-03") == field.clean("03.04.2026") == date(2026, 4, 3)
        with pytest.raises(ValidationError):
            field.clean("03/04/2026")

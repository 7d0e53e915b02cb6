"""What public forms say of a mistake: what to enter, with the name of the field, and never Django's own words."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString

import accounts
import alliance
import registration
import speakers
from alliance.field_errors import ClearErrors
from registration.fields import NameField

# Forms of the admin say Django's words, which stand under their label and are known to organisers.
_OF_THE_ADMIN = re.compile(r"\.admin\b|_admin\b|\.admin_")


class Everything(ClearErrors, forms.Form):
    """A field of each kind, none with words of its own."""

    word = forms.CharField(label="Motto", max_length=30)
    colour = forms.ChoiceField(label="Colour", choices=[("red", "Red")])
    days = forms.MultipleChoiceField(label="Days", choices=[("1", "One")])
    when = forms.DateField(label="Birthday", initial=date(2027, 3, 31))
    mail = forms.EmailField()
    file = forms.FileField(label="Letter")
    agreed = forms.BooleanField(label="I have read it")
    own = forms.CharField(label="Own", error_messages={"required": "Say something."})


def said(data: dict[str, Any], **files: SimpleUploadedFile) -> dict[str, list[str]]:
    """What the form says, by field."""
    form = Everything(data, MultiValueDict({name: [file] for name, file in files.items()}))
    return {name: list(map(str, errors)) for name, errors in form.errors.items()}


def test_what_is_missing_is_asked_for_by_its_name() -> None:
    assert said({}) == {
        "word": ["Fill in “Motto”."],
        "colour": ["Choose an answer for “Colour”."],
        "days": ["Choose an answer for “Days”."],
        "when": ["Fill in “Birthday”."],
        "mail": ["Fill in “Mail”."],
        "file": ["Choose a file for “Letter”."],
        "agreed": ["Tick “I have read it” to go on."],
        "own": ["Say something."],
    }


def test_what_is_wrong_is_explained_by_its_name() -> None:
    data = {"word": "x" * 31, "colour": "blue", "days": ["9"], "when": "soon", "mail": "ada@", "agreed": "on"}

    assert said(data | {"own": "a\0b"}, file=SimpleUploadedFile("letter.pdf", b"")) == {
        "word": ["Shorten “Motto”: it may have 30 characters, and has 31."],
        "colour": ["Choose one of the answers offered for “Colour”."],
        "days": ["Choose one of the answers offered for “Days”."],
        "when": ["Write “Birthday” as a date, such as 2027-03-31."],
        "mail": ["Write the address like name@example.org."],
        "file": ["The file for “Letter” is empty. Choose another one."],
        "own": ["“Own” holds invisible or control characters. Type it by hand."],
    }


@pytest.mark.parametrize("language", ["fr", "de", "it", "es", "ru"])
def test_the_words_are_those_of_the_page(language: str) -> None:
    english = said({})

    with translation.override(language):
        found = said({})

    assert all(found[name] != english[name] and "“" not in found[name][0][:1] for name in english if name != "own")


def test_the_summary_names_the_field_where_the_message_does_not() -> None:
    class Name(ClearErrors, forms.Form):
        given_name = NameField(label=SafeString('<span lang="ru">Имя &amp; отчество</span>'), longest=5)
        email = forms.EmailField(label="E-mail address", error_messages={"required": "Enter your address."})

    html = render_to_string("components/_error_summary.html", {"form": Name({"given_name": "Ada Lovelace"})})

    assert re.findall(r"<li><a href=\"(#[^\"]+)\">(.*?)</a></li>", html) == [
        ("#id_given_name", '<span lang="ru">Имя &amp; отчество</span> – This is too long: shorten it to 5 characters.'),
        ("#id_email", "Enter your address."),
    ]


def _forms() -> Iterator[type[forms.BaseForm]]:
    for package in (accounts, alliance, registration, speakers):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if re.search(r"\.(migrations|management|servers|supervisor|celery|wsgi)\b", found.name):
                continue
            for thing in vars(importlib.import_module(found.name)).values():
                if isinstance(thing, type) and issubclass(thing, forms.BaseForm) and thing.__module__ == found.name:
                    yield thing


def test_every_form_of_a_public_page_says_what_to_enter() -> None:
    found = [form for form in _forms() if not _OF_THE_ADMIN.search(form.__module__)]

    assert len(found) > 20
    # Passkeys are answered by a device: nobody types anything there.
    assert {form.__qualname__ for form in found if not issubclass(form, ClearErrors)} <= {"PasskeyForm", "ClearErrors"}

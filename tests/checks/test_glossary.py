"""The check that holds the catalogues to the glossaries finds other words and other signs."""

from __future__ import annotations

from pathlib import Path

import pytest

from alliance.glossary import Text, page_of, problems, terms

ROOT = Path(__file__).resolve().parents[2]
PAGE = """
| English | Italian | Note |
|---|---|---|
| waiting list | lista d’attesa | |
| to approve; to reject | approvare; respingere | |
| Absent | assenza constatata | |
"""


@pytest.mark.parametrize("language", ["fr", "de", "it", "es", "ru"])
def test_every_glossary_can_be_read(language: str) -> None:
    assert len(terms(page_of(ROOT, language))) > 60


def test_word_that_is_not_the_agreed_one_is_found() -> None:
    texts = [Text("The waiting list is full.", ("La coda è piena.",)), Text("Waiting lists", ("Liste d’attesa",))]

    assert problems("it", PAGE, texts) == []
    assert problems("it", PAGE, [*texts, Text("on the waiting list", ("in coda",))]) == [
        "it: 'waiting list' is called 'lista d’attesa' in 1 of 3 texts only, not in 'The waiting list is full.'"
    ]


def test_label_is_looked_for_as_it_stands_and_one_form_of_a_plural_is_enough() -> None:
    texts = [Text("nobody is absent", ("non manca nessuno",)), Text("%d rejected", ("%d respinta", "%d respinte"))]

    assert problems("it", PAGE, texts) == []


@pytest.mark.parametrize(
    ("language", "translation", "is_good"),
    [
        ("fr", "L’adresse", True),
        ("fr", "L'adresse", False),
        ("it", "un momento...", False),
        ("it", "`d'esempio` %(name)s", True),
        ("ru", "Всё готово еще раз", True),
        ("ru", "ещё раз", False),
    ],
)
def test_signs_are_those_of_the_language(language: str, translation: str, is_good: bool) -> None:
    assert (problems(language, "", [Text("x", (translation,))]) == []) is is_good

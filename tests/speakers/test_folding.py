"""How names are compared: the same in PostgreSQL, which finds, and in Python, which marks what was found."""

from __future__ import annotations

import pytest
from django.db import connection

from speakers import folding

SAME = [
    ("Гершуни", "Gershuni"),
    ("Андьелкович", "Andjelković", "Anđelković", "Андјелковић", "Andjelkovic"),
    ("Михаил", "Mikhail"),
    ("Хельсинки", "Helsinki"),
    ("Татьяна", "Tatiana", "Tatyana"),
    ("Юлия", "Julia", "Yulia"),
    ("Щербаков", "Shcherbakov"),
    ("Цепкало", "Tsepkalo"),
    ("Ђорђе", "Đorđe", "Djordje"),
    ("Александр", "Aleksandr"),
    ("Жанна", "Zhanna"),
    ("Київ", "Kyiv"),
    ("Қасым", "Kasym"),
]
WORDS = [word for row in SAME for word in row]
WORDS += ["Straße", "Łódź", "Æsir", "Øystein", "façade", "İstanbul", "naïve’s", "Ёлка", "Йод", "x-ray", "ФЫВА", "Ünal"]
WORDS += [*folding.FROM, *folding.FROM.upper(), "ЩЏx", "ttss", "aeiou iia"]


@pytest.mark.parametrize("names", SAME)
def test_spellings_of_a_name_sound_the_same(names: tuple[str, ...]) -> None:
    assert len({folding.sound(name) for name in names}) == 1


def test_other_names_do_not_sound_the_same() -> None:
    sounds = {folding.sound(row[0]) for row in SAME}

    assert len(sounds) == len(SAME)


@pytest.mark.django_db
@pytest.mark.parametrize("word", WORDS)
def test_postgresql_hears_the_same(word: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.search_plain(%s), public.search_sound(%s)", [word, word])
        assert cursor.fetchone() == (folding.plain(word), folding.sound(word))


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("Ana Andjelković", "andjelkovic", ["Andjelković"]),
        ("Ana Andjelković", "Андьелкович", ["Andjelković"]),
        ("Rahel Gershuni", "gershuny", ["Gershuni"]),
        ("Prosecuting traffickers", "prosec traff", ["Prosec", "traff"]),
        ("Die Straße", "strasse", ["Straße"]),
        ("Justice for all", "peace", []),
        ("a b", "", []),
        ("<b>bold</b>", "b", ["b", "b", "b"]),
    ],
)
def test_hits_are_marked_in_the_text_as_it_stands(text: str, query: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in folding.hits(text, query)] == marked


def test_excerpt_is_one_line_around_the_first_hit() -> None:
    text = "Nothing here. " * 30 + "\n\n* The *needle* is here. " + "And more. " * 40

    piece = folding.excerpt(text, "needle")

    assert piece.startswith("… ")
    assert piece.endswith(" …")
    assert "The needle is here." in piece
    assert len(piece) < 200
    assert folding.excerpt(text, "camel") == ""

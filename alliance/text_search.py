"""Words in texts of the database: all of them, whatever their accents and capitals, or similar ones.

Letters with and without accents are the same, and a slip of one letter still finds a word of some length (PostgreSQL
unaccent and pg_trgm).
"""

from __future__ import annotations

import unicodedata
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import BooleanField, F, Func, Q, TextField, Value
from django.db.models.functions import Cast

LONGEST_QUERY = 200  # characters; the rest is cut off
SHORTEST_QUERY = 2
_MOST_WORDS = 8
_LEAST_SIMILARITY = 0.45  # one wrong letter in the middle of eight is 0.5
_SHORTEST_SLIP = 4  # letters; in shorter words one letter makes another word


def clean(typed: str) -> str:
    """What somebody typed, as one line of at most LONGEST_QUERY characters without control characters."""
    kept = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in typed[:LONGEST_QUERY])
    return " ".join(unicodedata.normalize("NFC", kept).split())[:LONGEST_QUERY]


class _HasAll(Func):
    """Whether a text has all the words, whatever their accents and capitals. Arguments: the text, LIKE patterns."""

    output_field = BooleanField()
    template = "(LOWER(UNACCENT(%(expressions)s) AS word))"
    arg_joiner = ")) LIKE ALL (SELECT LOWER(UNACCENT(word)) FROM UNNEST("


def has_all(text: Any, query: str) -> Func:
    """Whether the text has every word of the query."""
    words = [word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in query.split()[:_MOST_WORDS]]
    return _HasAll(text, Value([f"%{word}%" for word in words], output_field=ArrayField(TextField())))


class _AtLeast(Func):
    """Whether the first argument is at least the second."""

    output_field = BooleanField()
    template = "(%(expressions)s)"
    arg_joiner = " >= "


def is_similar(text: Any, query: str) -> Q:
    """Whether something in the text is spelt nearly like the query; nothing is like a very short one."""
    if len(query) < _SHORTEST_SLIP:
        return Q(pk__in=[])
    plain = Func(Value(query), function="UNACCENT", output_field=TextField())
    similarity = TrigramWordSimilarity(plain, _unaccented(text))  # type: ignore[arg-type]  # any expression will do
    return Q(_AtLeast(similarity, Value(_LEAST_SIMILARITY)))


def _unaccented(text: Any) -> Func:
    return Func(text, function="UNACCENT", output_field=TextField())


def all_languages(name: str) -> Any:
    """The texts of a TranslatedField in all languages, without the names of the languages."""
    texts = Func(
        F(name), Value("$.*"), function="jsonb_path_query_array", template="%(function)s(%(expressions)s::jsonpath)"
    )
    return Cast(texts, TextField())


def joined_text(*parts: Any) -> Func:
    """Texts with a space between; what is NULL is left out."""
    return Func(Value(" "), *parts, function="CONCAT_WS", output_field=TextField())

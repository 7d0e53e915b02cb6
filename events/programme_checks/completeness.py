"""How complete a programme is in each language: of the texts that are written in some language, how many are in this.

Names of bodies and countries are left out: they belong to no conference. So are cancelled sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db import models
from django.urls import reverse

from alliance import languages
from alliance.languages import Localised, Translations
from events.programme_checks.core import Finding, Programme, Row, row_of, warning


@dataclass(frozen=True, slots=True)
class Text:
    """A text that some language has. what: its name as the admin writes it, in the active language."""

    row: Row
    what: str
    text: Translations

    @property
    def shown(self) -> Localised:
        """The text as a reader of the active language gets it."""
        return self.text.best()


@dataclass(frozen=True, slots=True)
class Figure:
    """How many texts a language has. percent is rounded down, so that 100 means all."""

    language: str
    written: int
    total: int

    @property
    def missing(self) -> int:
        """How many it lacks."""
        return self.total - self.written

    @property
    def percent(self) -> int:
        """Of a hundred; a programme without texts lacks none."""
        return 100 * self.written // self.total if self.total else 100


Source = Callable[[Programme], Iterable[Text]]

_sources: dict[str, tuple[int, Source]] = {}


def register_texts(name: str, order: int, source: Source) -> None:
    """Make a source of texts known. Texts stand in the order of their sources; names are given once."""
    if name in _sources and _sources[name][1] is not source:
        raise ValueError(f"the texts of {name} are registered already")
    _sources[name] = (order, source)


def fields(instance: models.Model, *names: str, row: Row | None = None) -> Iterator[Text]:
    """The translated fields of an instance. row: the row to link, where it is not the page of the instance itself."""
    row = row or row_of(instance)
    for name in names:
        label = str(instance._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        yield Text(row, label, getattr(instance, name))


def texts_of(programme: Programme) -> list[Text]:
    """All texts that some language has, in the order of the programme; read once."""
    if "texts" not in programme.worked_out:
        programme.worked_out["texts"] = [
            text
            for _name, (_order, source) in sorted(_sources.items(), key=lambda item: (item[1][0], item[0]))
            for text in source(programme)
            if text.text
        ]
    found: list[Text] = programme.worked_out["texts"]
    return found


def figures(texts: Iterable[Text]) -> list[Figure]:
    """A figure for each language of the house, in their order."""
    all_texts = [text.text for text in texts]
    return [Figure(code, sum(bool(text.get(code)) for text in all_texts), len(all_texts)) for code in languages.codes()]


def missing_in(texts: Iterable[Text], language: str) -> list[Text]:
    """The texts that the language lacks."""
    return [text for text in texts if not text.text.get(language)]


def check_translations(programme: Programme) -> Iterator[Finding]:
    """One warning for each language that lacks some texts, with the way to the list of them."""
    conference = programme.conference
    path = reverse("admin:events_conference_checks", args=[conference.pk])
    for figure in figures(texts_of(programme)):
        if figure.missing:
            sentence = f"{figure.missing} of {figure.total} texts are missing in {figure.language}."
            row = Row("conference", conference.slug, f"{path}?missing={figure.language}")
            yield warning("translation_missing", sentence, row)

"""Search in one conference: its sessions, the people who speak, the bodies that take part.

Nothing is found by what is not shown: drafts, hidden persons, what waits for the end of its session, and words that
stand beside a pseudonym (docs/design.md section 4.6). Letters with and without accents are the same, and a slip of one
letter in a name or a title still finds it (PostgreSQL unaccent and pg_trgm).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    Func,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast

from events.models import Conference, Convenorship, Organisation, Session, TextSection
from events.selectors import Footnotes
from speakers import selectors
from speakers.models import Contribution
from speakers.selectors import Speaker

LONGEST_QUERY = 200  # characters; the rest is cut off
SHORTEST_QUERY = 2
_MOST_WORDS = 8
_MOST_RESULTS = 50  # of each kind
_LEAST_SIMILARITY = 0.45  # one wrong letter in the middle of eight is 0.5
_SHORTEST_SLIP = 4  # letters; in shorter words one letter makes another word


@dataclass(frozen=True, slots=True)
class FoundOrganisation:
    """A body, the sessions it convenes, and those where somebody speaks for it."""

    organisation: Organisation
    sessions: list[Session]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, in the order of the programme; exact finds before similar ones."""

    sessions: list[Session] = field(default_factory=list)
    speakers: list[Speaker] = field(default_factory=list)
    organisations: list[FoundOrganisation] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.sessions or self.speakers or self.organisations)

    @property
    def count(self) -> int:
        """How many sessions, people and bodies."""
        return len(self.sessions) + len(self.speakers) + len(self.organisations)


def clean(typed: str) -> str:
    """What somebody typed, as one line of at most LONGEST_QUERY characters without control characters."""
    kept = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in typed[:LONGEST_QUERY])
    return " ".join(unicodedata.normalize("NFC", kept).split())[:LONGEST_QUERY]


class _HasAll(Func):
    """Whether a text has all the words, whatever their accents and capitals. Arguments: the text, LIKE patterns."""

    output_field = BooleanField()
    template = "(LOWER(UNACCENT(%(expressions)s) AS word))"
    arg_joiner = ")) LIKE ALL (SELECT LOWER(UNACCENT(word)) FROM UNNEST("


def _has_all(text: Any, query: str) -> _HasAll:
    words = [word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in query.split()[:_MOST_WORDS]]
    return _HasAll(text, Value([f"%{word}%" for word in words], output_field=ArrayField(TextField())))


class _AtLeast(Func):
    """Whether the first argument is at least the second."""

    output_field = BooleanField()
    template = "(%(expressions)s)"
    arg_joiner = " >= "


def _is_similar(text: Any, query: str) -> Q:
    if len(query) < _SHORTEST_SLIP:
        return Q(pk__in=[])
    plain = Func(Value(query), function="UNACCENT", output_field=TextField())
    similarity = TrigramWordSimilarity(plain, _unaccented(text))  # type: ignore[arg-type]  # any expression will do
    return Q(_AtLeast(similarity, Value(_LEAST_SIMILARITY)))


def _unaccented(text: Any) -> Func:
    return Func(text, function="UNACCENT", output_field=TextField())


def _all_languages(name: str) -> Any:
    """The texts of a TranslatedField in all languages, without the names of the languages."""
    texts = Func(
        F(name), Value("$.*"), function="jsonb_path_query_array", template="%(function)s(%(expressions)s::jsonpath)"
    )
    return Cast(texts, TextField())


def _text(*parts: Any) -> Func:
    """Texts with a space between; what is NULL is left out."""
    return Func(Value(" "), *parts, function="CONCAT_WS", output_field=TextField())


def _joined(aliases: str) -> Func:
    return Func(F(aliases), Value(" "), function="ARRAY_TO_STRING", output_field=TextField())


def search(conference: Conference, query: str, *, now: datetime, footnotes: Footnotes) -> Found:
    """What fits the cleaned query: 3 queries and 2 prefetches whatever the size."""
    if len(query) < SHORTEST_QUERY:
        return Found()
    return Found(
        sessions=_sessions(conference, query),
        speakers=_speakers(conference, query, now=now, footnotes=footnotes),
        organisations=_organisations(conference, query, now=now),
    )


def _sessions(conference: Conference, query: str) -> list[Session]:
    sections = (
        TextSection.objects.filter(session=OuterRef("pk"))
        .order_by()
        .values("session")
        .values(texts=StringAgg(_text(_all_languages("heading"), _all_languages("text")), delimiter=Value(" ")))
    )
    text = _text(_all_languages("title"), _all_languages("summary"), Subquery(sections))
    rows = (
        conference.sessions.public()
        .exclude(kind="break")
        .annotate(is_exact=_has_all(text, query))
        .filter(Q(is_exact=True) | _is_similar(_all_languages("title"), query))
        .select_related("day")
        .defer("internal_note", "archive_text")
        .order_by("-is_exact", F("day__number").asc(nulls_last=True), "position", "pk")
    )
    found = list(rows[:_MOST_RESULTS])
    for session in found:
        session.conference = conference
    return found


def _speakers(conference: Conference, query: str, *, now: datetime, footnotes: Footnotes) -> list[Speaker]:
    # The database keeps no other name beside a pseudonym; this does not rely on it.
    names = Case(
        When(person__is_pseudonym=True, then=F("person__display_name")),
        default=_text(F("person__display_name"), _joined("person__aliases")),
        output_field=TextField(),
    )
    rows = (
        selectors.public(now)
        .filter(session__conference=conference)
        .annotate(is_exact=_has_all(names, query))
        .filter(Q(is_exact=True) | _is_similar(names, query))
    )
    exact = {row.person_id for row in rows if getattr(row, "is_exact", False)}
    found = selectors.by_person(rows, now=now, footnotes=footnotes)
    return sorted(found, key=lambda speaker: speaker.person.pk not in exact)[:_MOST_RESULTS]


def _organisations(conference: Conference, query: str, *, now: datetime) -> list[FoundOrganisation]:
    sessions = Session.objects.public().filter(conference=conference)
    convened = Convenorship.objects.filter(session__in=sessions)
    spoken = Contribution.objects.visible_at(now).under_their_own_name().filter(session__in=sessions)
    text = _text(_all_languages("name"), F("abbreviation"), _joined("aliases"))
    rows = (
        Organisation.objects.filter(
            Exists(convened.filter(organisation=OuterRef("pk")))
            # Pages do not print a name that we made ourselves beside a person.
            | Q(Exists(spoken.filter(organisation=OuterRef("pk"))), is_name_derived=False)
        )
        .annotate(is_exact=_has_all(text, query))
        .filter(Q(is_exact=True) | _is_similar(text, query))
        .prefetch_related(
            Prefetch("convenorships", convened.select_related("session").order_by("session__position", "pk")),
            Prefetch("contributions", spoken.select_related("session").order_by("session__position", "pk")),
        )
        .order_by("-is_exact", "pk")
    )
    found = []
    for organisation in rows[:_MOST_RESULTS]:
        related: dict[int, Session] = {}
        spoken_for: list[Any] = [] if organisation.is_name_derived else list(organisation.contributions.all())
        for link in (*organisation.convenorships.all(), *spoken_for):
            related.setdefault(link.session_id, link.session).conference = conference
        found.append(FoundOrganisation(organisation, list(related.values())))
    return found

"""Search in one conference or in all: sessions, the people who speak, the bodies that take part.

Nothing is found by what is not shown: drafts, hidden persons, what waits for the end of its session, and words that
stand beside a pseudonym (docs/design.md section 4.6). Letters with and without accents are the same. Titles and
abstracts are also found by the stem of a word in the reader's language (PostgreSQL full text), names also in another
alphabet by their sound (speakers.folding), and both with a slip of one letter (pg_trgm).

Comparing texts is slow, and PostgreSQL does not know how slow: in a join it may compare the same name again for every
row beside it. So texts are compared in queries of one table, asked for once (one_of), and what is joined knows their
keys alone. There are then as many comparisons as rows, also just after a release, without statistics of the new rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.contrib.postgres.search import SearchQuery, SearchVector, TrigramWordSimilarity
from django.db.models import (
    BooleanField,
    Case,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.utils.translation import get_language

from alliance.db import each_table_once, one_of
from alliance.text_search import SHORTEST_QUERY, all_languages, joined_text
from events.models import Conference, Convenorship, Organisation, Session, TextSection
from events.selectors import Footnotes
from speakers import selectors
from speakers.folding import SHORTEST_SOUND
from speakers.models import Contribution, Person
from speakers.selectors import Speaker

_MOST_WORDS = 8
_MOST_RESULTS = 50  # of each kind
_LEAST_SIMILARITY = 0.45  # one wrong letter in the middle of eight is 0.5
_SHORTEST_SLIP = 4  # letters; in shorter words one letter makes another word

# PostgreSQL's text search configurations, which know the stems of a language.
_STEMS = {"en": "english", "fr": "french", "de": "german", "it": "italian", "es": "spanish", "ru": "russian"}


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


# --- how texts are compared -----------------------------------------------------------------------------------------


def _text_function(name: str, *arguments: Any) -> Func:
    """One of the functions of migration 0006."""
    return Func(*arguments, function=f"public.{name}", output_field=TextField())


def _plain(text: Any) -> Func:
    return _text_function("search_plain", text)


class _Binary(Func):
    """Two expressions with an operator between them, as a condition."""

    output_field = BooleanField()
    template = "(%(expressions)s)"


def _like(text: Any, word: Func) -> Q:
    return Q(_Binary(text, _text_function("search_pattern", word), arg_joiner=" LIKE "))


def _has_all(text: Any, query: str, *, by_sound: bool = False) -> Q:
    """Whether a folded text has all the words. by_sound: the text holds its sound as well (search_both)."""
    found = Q()
    for word in query.split()[:_MOST_WORDS]:
        has_word = _like(text, _plain(Value(word)))
        if by_sound:
            sound = _text_function("search_sound", Value(word))
            # NULL, which fits nothing, for what has too little sound of its own.
            enough = Case(When(Q(_Binary(_length(sound), Value(SHORTEST_SOUND), arg_joiner=" >= ")), then=sound))
            has_word |= Q(_Binary(text, _text_function("search_pattern", enough), arg_joiner=" LIKE "))
        found &= has_word
    return found


def _length(text: Any) -> Func:
    return Func(text, function="LENGTH", output_field=IntegerField())


def _is_similar(text: Any, query: Any) -> Q:
    similarity = TrigramWordSimilarity(query, text)
    return Q(_Binary(similarity, Value(_LEAST_SIMILARITY), arg_joiner=" >= "))


def _truth(condition: Q) -> Coalesce:
    return Coalesce(ExpressionWrapper(condition, output_field=BooleanField()), Value(False))


def _has_stems(query: str) -> Q:
    """Whether title or abstract has the stems of the words, in the reader's language or in English."""
    found = Q()
    for language in dict.fromkeys([(get_language() or "en").split("-")[0], "en"]):
        config = _STEMS.get(language, "simple")
        texts = [joined_text(KeyTextTransform(language, name)) for name in ("title", "summary")]
        vector = SearchVector(*texts, config=config)
        found |= Q(_Binary(vector, SearchQuery(query, config=config, search_type="websearch"), arg_joiner=" @@ "))
    return found


# --- searching ------------------------------------------------------------------------------------------------------


@each_table_once()
def search(conference: Conference | None, query: str, *, now: datetime, footnotes: Footnotes) -> Found:
    """What fits the cleaned query: 3 queries and 3 prefetches whatever the size. conference: None searches them all."""
    if len(query) < SHORTEST_QUERY:
        return Found()
    return Found(
        sessions=_sessions(conference, query),
        speakers=_speakers(conference, query, now=now, footnotes=footnotes),
        organisations=_organisations(conference, query, now=now),
    )


def _sessions(conference: Conference | None, query: str) -> list[Session]:
    sections = (
        TextSection.objects.filter(session=OuterRef("pk"))
        .order_by()
        .values("session")
        .values(texts=StringAgg(joined_text(all_languages("heading"), all_languages("text")), delimiter=Value(" ")))
    )
    text = _plain(joined_text(all_languages("title"), all_languages("summary"), Subquery(sections)))
    candidates = Session.objects.filter(one_of("pk", _public_sessions(conference).exclude(kind="break").values("pk")))
    has_words = one_of("pk", candidates.filter(_has_all(text, query)).values("pk"))
    has_stems = one_of("pk", candidates.filter(_has_stems(query)).values("pk"))
    found = has_words | has_stems
    if len(query) >= _SHORTEST_SLIP:
        is_similar = _is_similar(_plain(all_languages("title")), _plain(Value(query)))
        found |= one_of("pk", candidates.filter(is_similar).values("pk"))
    rows = (
        Session.objects.filter(found)
        .annotate(is_exact=_truth(has_words), has_stems=_truth(has_stems))
        .select_related("day", "conference")
        .defer("internal_note", "archive_text")
        .prefetch_related(Prefetch("text_sections", TextSection.objects.order_by("position", "pk")))
        .order_by(
            "-is_exact",
            "-has_stems",
            F("conference__starts_on").desc(nulls_last=True),
            F("day__number").asc(nulls_last=True),
            "position",
            "pk",
        )
    )
    return _of_one(conference, list(rows[:_MOST_RESULTS]))


def _public_sessions(conference: Conference | None) -> Any:
    return Session.objects.public() if conference is None else conference.sessions.public()


def _of_one(conference: Conference | None, sessions: list[Session]) -> list[Session]:
    """The sessions with the conference that the page has already, so that nothing of it is asked again."""
    if conference is not None:
        for session in sessions:
            session.conference = conference
    return sessions


def _speakers(conference: Conference | None, query: str, *, now: datetime, footnotes: Footnotes) -> list[Speaker]:
    # The database keeps no other name beside a pseudonym; search_person does not rely on it.
    names = _text_function("search_person", F("display_name"), F("aliases"), F("is_pseudonym"))
    exact = _has_all(names, query, by_sound=True)
    found = exact
    if len(query) >= _SHORTEST_SLIP:
        found |= _is_similar(names, _plain(Value(query)))
        found |= _is_similar(names, _text_function("search_sound", Value(query)))
    people = Person.objects.visible()
    rows = (
        selectors.public(now)
        .filter(one_of("person", people.filter(found).values("pk")))
        .annotate(is_exact=_truth(one_of("person", people.filter(exact).values("pk"))))
    )
    if conference is not None:
        rows = rows.filter(session__conference=conference)
    exactly = {row.person_id for row in rows if getattr(row, "is_exact", False)}
    speakers = selectors.by_person(rows, now=now, footnotes=footnotes)
    return sorted(speakers, key=lambda speaker: speaker.person.pk not in exactly)[:_MOST_RESULTS]


def _organisations(conference: Conference | None, query: str, *, now: datetime) -> list[FoundOrganisation]:
    in_session = one_of("session", _public_sessions(conference).values("pk"))
    convened = Convenorship.objects.filter(in_session)
    spoken = Contribution.objects.visible_at(now).under_their_own_name().filter(in_session)
    further = Contribution.other_organisations.through.objects.filter(one_of("contribution", spoken.values("pk")))
    names = _text_function("search_organisation", F("name"), F("abbreviation"), F("aliases"))
    exact = _has_all(names, query, by_sound=True)
    found = exact
    if len(query) >= _SHORTEST_SLIP:
        found |= _is_similar(names, _plain(Value(query)))
    # Pages do not print a name that we made ourselves beside a person.
    speaks = one_of("pk", spoken.values("organisation")) | one_of("pk", further.values("organisation"))
    takes_part = one_of("pk", convened.values("organisation")) | (speaks & Q(is_name_derived=False))
    rows = (
        Organisation.objects.filter(takes_part, found)
        .annotate(is_exact=_truth(exact))
        .prefetch_related(
            Prefetch("convenorships", _in_order(convened)),
            Prefetch("contributions", _in_order(spoken)),
        )
        .order_by("-is_exact", "pk")
    )
    return [_with_sessions(organisation, conference) for organisation in rows[:_MOST_RESULTS]]


def _in_order(rows: Any) -> Any:
    return rows.select_related("session__conference").order_by(
        F("session__conference__starts_on").desc(nulls_last=True), "session__position", "pk"
    )


def _with_sessions(organisation: Any, conference: Conference | None) -> FoundOrganisation:
    related: dict[int, Session] = {}
    spoken: Sequence[Any] = [] if organisation.is_name_derived else organisation.contributions.all()
    for link in (*organisation.convenorships.all(), *spoken):
        related.setdefault(link.session_id, link.session)
    return FoundOrganisation(organisation, _of_one(conference, list(related.values())))

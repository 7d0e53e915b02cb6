"""Results of all conferences: what fits words and filters, and what there is to filter by.

Only what strangers may see takes part, also in the choices: nobody learns from a list of topics what a draft is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, F, Func, QuerySet, TextField, Value

from alliance import text_search
from events.models import Conference, Recommendation, TakeawayKind, Topic
from events.models.papers import PLACES, RecommendationQuerySet

FILTERS = ("kind", "tag", "conference", "addressee")


class _HasText(Func):
    """Whether a TranslatedField is this text in one of its languages, whatever the accents and capitals."""

    output_field = BooleanField()
    template = "EXISTS (SELECT FROM JSONB_EACH_TEXT(%(expressions)s)))"
    arg_joiner = ") AS one WHERE LOWER(UNACCENT(one.value)) = LOWER(UNACCENT("


def addressed_to(rows: RecommendationQuerySet, addressee: str) -> RecommendationQuerySet:
    """Those whose addressee reads so in some language."""
    return rows.filter(_HasText(F("addressee"), Value(addressee, output_field=TextField())))


def _words() -> Func:
    return text_search.joined_text(
        text_search.all_languages("text"),
        text_search.all_languages("addressee"),
        text_search.all_languages("session__title"),
    )


def with_all_words(rows: RecommendationQuerySet, query: str) -> RecommendationQuerySet:
    """Those with every word somewhere in text, addressee or title of the session, in whatever language."""
    return rows.filter(text_search.has_all(_words(), query))


def similar(rows: RecommendationQuerySet, query: str) -> RecommendationQuerySet:
    """Those with something in the text that is spelt nearly like the query."""
    return rows.filter(text_search.is_similar(text_search.all_languages("text"), query))


def in_reading_order(rows: RecommendationQuerySet) -> RecommendationQuerySet:
    """Newest conference first, then as its programme and its sessions print them."""
    return rows.with_places().order_by(
        F("session__conference__starts_on").desc(nulls_last=True),
        "session__conference",
        F("session__day__number").asc(nulls_last=True),
        "session__position",
        "session",
        *PLACES,
        "pk",
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter: its name in the address, its values with their labels, and the one in force."""

    name: str
    options: list[tuple[str, object]]
    chosen: str

    @property
    def is_unknown(self) -> bool:
        """Whether a value is asked for that there is not."""
        return bool(self.chosen) and self.chosen not in {value for value, _label in self.options}


def choices(*, now: datetime, wanted: Mapping[str, str]) -> list[Choice]:
    """What public results can be narrowed by: three queries."""
    kinds: set[str] = set()
    keys: set[str] = set()
    conferences: set[int] = set()
    addressees: dict[str, str] = {}
    rows = Recommendation.objects.public(now).values_list("kind", "topics", "session__conference", "addressee")
    for kind, topics, conference, addressee in rows:
        kinds.add(kind)
        keys |= set(topics)
        conferences.add(conference)
        if addressee:
            addressees.setdefault(str(addressee).casefold(), str(addressee))
    named = Conference.objects.filter(pk__in=conferences).newest_first().only("slug", "title")
    tags = Topic.objects.filter(key__in=keys)
    options: dict[str, list[tuple[str, object]]] = {
        "kind": [(kind.value, kind.label) for kind in TakeawayKind if kind in kinds],
        "tag": sorted(((topic.key, topic.name) for topic in tags), key=lambda option: str(option[1]).casefold()),
        "conference": [(conference.slug, conference.title) for conference in named],
        "addressee": sorted((text, text) for text in addressees.values()),
    }
    return [Choice(name, options[name], wanted.get(name, "")) for name in FILTERS]


def narrowed(rows: RecommendationQuerySet, wanted: Mapping[str, str]) -> RecommendationQuerySet:
    """Those that fit every filter given."""
    if kind := wanted.get("kind"):
        rows = rows.filter(kind=kind)
    if tag := wanted.get("tag"):
        rows = rows.filter(topics__contains=[tag])
    if conference := wanted.get("conference"):
        rows = rows.filter(session__conference__slug=conference)
    if addressee := wanted.get("addressee"):
        rows = addressed_to(rows, addressee)
    return rows


def found(query: str, wanted: Mapping[str, str], *, now: datetime) -> tuple[QuerySet[Recommendation], bool]:
    """What fits words and filters, in reading order; whether only similar words were found."""
    rows = narrowed(Recommendation.objects.public(now), wanted)
    is_similar = False
    if query:
        exact = with_all_words(rows, query)
        is_similar = not exact.exists()
        rows = similar(rows, query) if is_similar else exact
    rows = in_reading_order(rows).select_related("session__conference", "parent__parent")
    return rows, is_similar

"""What came out of sessions: items below items in printed order, with the note that is printed wherever they are.

Results are the organiser's summary, attributed to no person; the note says so in every output (pages, documents, API).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from django.utils import translation
from django.utils.translation import gettext

from alliance import languages
from alliance.languages import Translations
from events.models import Conference, Recommendation, TakeawayKind, Topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.models.papers import RecommendationQuerySet


def disclaimer(conference: Conference) -> Translations:
    """The note below results: as the conference worded it, else the sentence of the house in every language."""
    own: Translations = conference.results_disclaimer
    return own or _usual_note()


@cache
def _usual_note() -> Translations:
    sentences = Translations()
    for code in languages.codes():
        with translation.override(code):
            sentences[code] = gettext(
                "Recommendations were drafted by the organiser from the discussion. "
                "They are not the position of any single speaker."
            )
    return sentences


@dataclass(frozen=True, slots=True)
class Item:
    """A result as it is printed, with the items below it. label: "6", and below it "a", and below that "1"."""

    row: Recommendation
    label: str
    topics: list[Topic] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind under their heading."""

    kind: TakeawayKind
    items: list[Item]

    @property
    def heading(self) -> str:
        """What stands above them."""
        return {
            TakeawayKind.CHALLENGE: gettext("Challenges"),
            TakeawayKind.PRACTICE: gettext("Practices"),
            TakeawayKind.OBSERVATION: gettext("Observations"),
            TakeawayKind.RECOMMENDATION: gettext("Recommendations"),
        }[self.kind]


def label(number: int, level: int) -> str:
    """The mark of an item among its neighbours: numbers, below them letters, below those numbers again.

    level: 0 for an item that stands below none. After z comes aa, as in lists of web pages.
    """
    if level % 2 == 0 or number < 1:
        return str(number)
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def tree(rows: Iterable[Recommendation], topics: Mapping[str, Topic] | None = None) -> list[Item]:
    """Rows in their printed order, each below its own. A row whose parent is not among them is left out."""
    below: dict[int | None, list[Recommendation]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)

    def items(parent: int | None, level: int) -> list[Item]:
        return [
            Item(
                row=row,
                label=label(row.number, level),
                topics=[topics[key] for key in row.topics if topics and key in topics],
                items=items(row.pk, level + 1),
            )
            for row in below.get(parent, [])
        ]

    return items(None, 0)


def groups(items: Iterable[Item]) -> list[Group]:
    """Items of the first level under the headings of their kinds, in the order of the kinds."""
    by_kind: dict[TakeawayKind, list[Item]] = {}
    for item in items:
        by_kind.setdefault(TakeawayKind(item.row.kind), []).append(item)
    return [Group(kind, by_kind[kind]) for kind in TakeawayKind if kind in by_kind]


def public(rows: RecommendationQuerySet, *, now: datetime) -> list[Group]:
    """What strangers may see of the results of one session at the instant, ready to print: two queries at most."""
    shown = list(rows.public(now).in_printed_order())
    return groups(tree(shown, topics_by_key(shown)))


@dataclass(frozen=True, slots=True)
class Found:
    """A result by itself, as lists of many sessions show it. path: "6 a", with the numbers of those above it."""

    row: Recommendation
    path: str
    topics: list[Topic]

    @property
    def address(self) -> str:
        """Where it stands on the page of its session."""
        return f"{self.row.session.get_absolute_url()}#result-{self.row.public_id}"


@dataclass(frozen=True, slots=True)
class OfConference:
    """Results of one conference with the note that belongs to them."""

    conference: Conference
    note: Translations
    found: list[Found]


def path(row: Recommendation) -> str:
    """The marks of an item and of those above it. Needs parent__parent loaded."""
    above: list[int] = []
    parent = row.parent
    while parent is not None:
        above.insert(0, parent.number)
        parent = parent.parent
    return " ".join(label(number, level) for level, number in enumerate([*above, row.number]))


def by_conference(rows: Iterable[Recommendation]) -> list[OfConference]:
    """Rows in reading order (events.results_search), conference by conference. One query for their topics, or none."""
    rows = list(rows)
    topics = topics_by_key(rows)
    groups_found: list[OfConference] = []
    for row in rows:
        conference = row.session.conference
        if not groups_found or groups_found[-1].conference != conference:
            groups_found.append(OfConference(conference, disclaimer(conference), []))
        mine = [topics[key] for key in row.topics if key in topics]
        groups_found[-1].found.append(Found(row, path(row), mine))
    return groups_found


def topics_by_key(rows: Iterable[Recommendation]) -> dict[str, Topic]:
    """The topics of the rows: no query when they have none."""
    keys = {key for row in rows for key in row.topics}
    return {topic.key: topic for topic in Topic.objects.filter(key__in=keys)} if keys else {}

"""Sessions with everything that the programme prints of them: their blocks, who speaks, who convenes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Prefetch, QuerySet

from alliance.languages import Translations
from events.models import ConvenorRelation, Convenorship, Segment, Session, TextSection
from events.models.session import session_end
from events.selectors.lines import Contribution, Footnotes, SpeakerLine, role_under_heading, speaker_line


@dataclass(frozen=True, slots=True)
class SegmentBlock:
    """A block of a session with its heading and its lines. segment is None for lines that stand in no block."""

    segment: Segment | None
    heading: Translations | str
    lines: list[SpeakerLine]


@dataclass(frozen=True, slots=True)
class ConvenorGroup:
    """Bodies with the same relation to a session, in printed order."""

    label: str
    convenorships: list[Convenorship]


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A session with everything the programme prints of it."""

    session: Session
    blocks: list[SegmentBlock]
    convenors: list[ConvenorGroup]
    is_over: bool


def _related(model: Any, name: str) -> Any:
    """The manager of the model at the other end of a reverse relation."""
    return model._meta.get_field(name).related_model._default_manager


# What lines of the programme print. Naming the columns saves a third of the work of a cold page.
_PRINTED = [
    "session_id",
    "segment_id",
    "agenda_position",
    "unnamed_label",
    "role",
    "heading_printed",
    "status",
    "honorific",
    "name_printed",
    "post_nominals",
    "role_title",
    "country_meaning",
    "topic",
    "delivery",
    "took_part",
    "is_announced",
    "person__public_id",
    "person__display_name",
    "person__is_pseudonym",
    "organisation__name",
    "organisation__abbreviation",
    "organisation__aliases",
    "organisation__is_name_derived",
    "country__iso2",
    "country__name",
    "country__footnote",
]


_PRINTED_OF_CONVENORS = [
    "session_id",
    "relation",
    "position",
    "organisation__name",
    "organisation__public_id",
    "with_unit__name",
]


def _contributions(now: datetime, *, with_all_organisations: bool) -> QuerySet[Any]:
    rows: QuerySet[Any] = (
        _related(Session, "contributions")
        .visible_at(now)
        .select_related("person", "organisation", "country")
        .only(*_PRINTED)
        .order_by(F("segment__position").asc(nulls_last=True), "position", "pk")
    )
    return rows.prefetch_related("other_organisations") if with_all_organisations else rows


def entries(
    sessions: QuerySet[Session], *, now: datetime, footnotes: Footnotes, with_all_organisations: bool = False
) -> list[SessionEntry]:
    """The sessions in the order of the queryset, with what may be shown of them at the instant: 4 queries.

    footnotes: of the page, which gets those that the lines need. with_all_organisations: also the further bodies that
    somebody speaks for, for a query more.
    """
    rows: QuerySet[Any] = (
        sessions.annotate(over_at=session_end())
        .select_related("day", "room")
        .defer("internal_note", "archive_text")
        .prefetch_related(
            Prefetch("segments", Segment.objects.visible_at(now).order_by("position", "pk")),
            Prefetch("contributions", _contributions(now, with_all_organisations=with_all_organisations)),
            Prefetch(
                "convenorships",
                Convenorship.objects.select_related("organisation", "with_unit")
                .only(*_PRINTED_OF_CONVENORS)
                .order_by("position", "pk"),
            ),
        )
    )
    return [
        SessionEntry(
            session=session,
            blocks=_blocks(session, footnotes),
            convenors=_convenor_groups(session.convenorships.all()),
            is_over=session.over_at is not None and session.over_at <= now,
        )
        for session in rows
    ]


def texts() -> Prefetch[Any]:
    """The texts of sessions in order, for those who print them."""
    return Prefetch("text_sections", TextSection.objects.order_by("position", "pk"))


def _blocks(session: Any, footnotes: Footnotes) -> list[SegmentBlock]:
    by_segment: dict[int | None, list[Contribution]] = {}
    for contribution in session.contributions.all():
        by_segment.setdefault(contribution.segment_id, []).append(contribution)
    blocks = []
    for segment in [*session.segments.all(), None]:
        heading = segment.heading if segment else Translations()
        lines = [
            speaker_line(contribution, role=role_under_heading(contribution, segment), footnotes=footnotes)
            for contribution in by_segment.get(segment.pk if segment else None, [])
        ]
        if segment is not None:
            blocks.append(SegmentBlock(segment, heading or segment.get_kind_display(), lines))
        elif lines:
            blocks.append(SegmentBlock(None, "", lines))
    return blocks


def _convenor_groups(convenorships: Iterable[Convenorship]) -> list[ConvenorGroup]:
    by_relation: dict[str, list[Convenorship]] = {}
    for convenorship in convenorships:
        by_relation.setdefault(convenorship.relation, []).append(convenorship)
    return [
        ConvenorGroup(str(ConvenorRelation(relation).label), by_relation[relation])
        for relation in ConvenorRelation.values
        if relation in by_relation
    ]

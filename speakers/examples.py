"""The session card and the lines in it for the developers' component page, made without the database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from alliance.languages import Translations
from events import timeline as timelines
from events.choices import Choices, Filter
from events.models import (
    Conference,
    ConferenceDay,
    ConvenorRelation,
    Convenorship,
    Country,
    Organisation,
    Segment,
    SegmentKind,
    Session,
    SessionKind,
    SessionState,
)
from events.selectors import (
    ConvenorGroup,
    Day,
    Footnotes,
    Programme,
    SegmentBlock,
    SessionEntry,
    role_under_heading,
    speaker_line,
)
from speakers.models import Contribution, ContributionStatus, Delivery, Person, Role

_SOMEBODY = UUID(int=1)


def context() -> dict[str, Any]:
    """A side event with every kind of line: a moderator, one to be confirmed, an alias, a seat without a name."""
    conference = Conference(slug="example", title={"en": "Example conference"}, time_zone="Europe/Vienna")
    session = Session(
        conference=conference,
        kind=SessionKind.SIDE_EVENT,
        number=1,
        slug="example",
        title=Translations({"en": "Community policing"}),
        state=SessionState.SCHEDULED,
        starts_at=datetime(2020, 7, 21, 9, 30, tzinfo=UTC),
        ends_at=datetime(2020, 7, 21, 11, 0, tzinfo=UTC),
        working_languages=["English"],
        interpretation_languages=["Russian"],
        platform_label="WebEx",
    )
    segment = Segment(kind=SegmentKind.PANEL, heading=Translations({"en": "Speakers"}))
    discussion = Segment(kind=SegmentKind.DISCUSSION, heading=Translations({"en": "Discussion"}))
    country = Country(iso2="AT", name=Translations({"en": "Austria"}), footnote=Translations({"en": "A footnote."}))
    footnotes = Footnotes()
    people = [
        _line("Ada Moderator", role=Role.MODERATOR, honorific="Ms.", role_title="Head of Unit", country=country),
        _line(
            "Kim Maybe",
            honorific="Amb.",
            status=ContributionStatus.TBC,
            role_title="Permanent Representative",
            delivery=Delivery.VIDEO,
        ),
        _line("Ivan", is_pseudonym=True, role_title="Worker"),
        Contribution(
            unnamed_label=Translations({"en": "Representative of local authorities"}),
            role=Role.SPEAKER,
            status=ContributionStatus.CONFIRMED,
        ),
    ]
    lines = [speaker_line(row, role=role_under_heading(row, segment), footnotes=footnotes) for row in people]
    convenor = Convenorship(
        organisation=Organisation(name=Translations({"en": "Threats Department"})),
        with_unit=Organisation(name=Translations({"en": "Police Unit"})),
    )
    entry = SessionEntry(
        session=session,
        blocks=[SegmentBlock(segment, segment.heading, lines), SegmentBlock(discussion, discussion.heading, [])],
        convenors=[ConvenorGroup(str(ConvenorRelation.CONVENOR.label), [convenor])],
        is_over=False,
    )
    day = ConferenceDay(conference=conference, number=2, date=date(2020, 7, 21))
    others = [
        Session(
            kind=kind,
            slug=slug,
            title=Translations({"en": title}),
            state=SessionState.SCHEDULED,
            starts_at=starts_at,
            ends_at=ends_at,
        )
        for kind, slug, title, starts_at, ends_at in (
            (SessionKind.PANEL, "panel", "Prosecution", _at(9), _at(10, 30)),
            (SessionKind.BREAK, "lunch", "Lunch", _at(11), _at(12)),
        )
    ]
    filters = [
        Filter("kind", "Kind", [("panel", "Panel"), ("side_event", "Side event")], chosen="side_event"),
        Filter("language", "Working language", [("en", ["en"]), ("ru", ["ru"])]),
    ]
    found = Day(day, [entry], timelines.timeline([*others, session], conference))
    programme = Programme([found], [day], footnotes, has_choice=True, choices=Choices(filters, {"kind": "side_event"}))
    return {
        "conference": conference,
        "entry": entry,
        "footnotes": footnotes,
        "found": found,
        "line": lines[0],
        "programme": programme,
        "chosen": programme.choices.chosen,
    }


def _at(hour: int, minute: int = 0) -> datetime:
    return datetime(2020, 7, 21, hour, minute, tzinfo=UTC)


def _line(name: str, *, role_title: str, is_pseudonym: bool = False, **more: Any) -> Contribution:
    person = Person(pk=1, public_id=_SOMEBODY, display_name=name, is_pseudonym=is_pseudonym)
    facts = {"role": Role.SPEAKER, "status": ContributionStatus.CONFIRMED} | more
    return Contribution(person=person, role_title=Translations({"en": role_title}), **facts)

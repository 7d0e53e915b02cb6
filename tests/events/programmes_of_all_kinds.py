"""Programmes for tests of files: other editions of the small one, and one with something in every field."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from events import programme_file
from events.models import (
    Conference,
    Convenorship,
    Country,
    Material,
    MaterialKind,
    Organisation,
    Recommendation,
    Reference,
    Room,
    SectionKind,
    Segment,
    SegmentKind,
    SegmentVisibility,
    Session,
    SessionState,
    TakeawayKind,
    TextSection,
    Topic,
    Venue,
)
from registration.models import Admission, Figure, Measure, Places, Qualifier, Reserve
from speakers.models import Affiliation, Contribution, ContributionStatus, Person, TookPart
from tests.events.programme_files import SMALL, changed

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "programme-2020.yaml"
OWN = Path(__file__).resolve().parents[2] / "events" / "data" / "alliance-20.yaml"
OTHER_EDITION = changed(
    ("key: small-1", "key: small-2"),
    ("edition: 1", "edition: 2"),
    ("start_date: 2030-07-15", "start_date: 2030-07-14"),
)
WITHOUT_SESSIONS = """
format: alliance-programme/1
conference:
  key: later
  title: {ru: "Позже"}
  kind: workshop
  state: draft
  visibility: internal
  date_precision: month
  working_languages: []
""".encode()
PARALLEL = changed(
    (
        "persons:\n",
        """  - key: side-2
    kind: side_event
    title: 'Beside: the side'
    date: 2030-07-16
    position_in_day: 2
    start: "09:30"
    end: "10:30"
    registration: {required: true, mode: external_zoom_webinar, system: zoom, url: 'https://zoom.example/w/1'}
    contributions:
      - {order: 1, role: speaker, person: ada, given_name: Ada M., family_name: Berg, status: confirmed}
      - {order: 2, role: speaker, person: null, unnamed_label: {en: A voter, ru: "избиратель"}, status: unnamed}
      - {order: 3, role: moderator, person: ada, status: tbc, tbc: true}
      - {order: 4, role: moderator, person: cem, status: declined, visibility: never}
  - key: side-3
    kind: side_event
    title: No registration
    date: 2030-07-16
    position_in_day: 2
    start: "09:00"
    end: "10:00"
    registration: {required: false, mode: none}
    contributions:
      - {order: 1, role: speaker, person: ada, status: confirmed}
  - key: side-4
    kind: side_event
    title: Broken
    date: 2030-07-16
    registration: {required: true, mode: external_other, url: 'https:/broken.example /1).', url_broken_as_printed: true}
    in_conference_agenda: false

persons:
""",
    )
)


def make_everything() -> None:
    """The small programme, with something in every field that only the admin could fill until now."""
    programme_file.load(SMALL.encode())
    conference = Conference.objects.get()
    side, opening, panel = (Session.objects.get(key=key) for key in ("side", "opening", "panel-a"))

    # Places, times, settings.
    assert conference.series is not None
    assert conference.organiser is not None
    conference.series.name = {"en": "Renamed meetings"}  # its key stays
    conference.series.save()
    elsewhere = Venue.objects.create(name={"en": "Town hall"}, city={"ru": "Грац"}, address="Main square 1")
    side.room = Room.objects.create(venue=elsewhere, name={"ru": "Зал"}, capacity=12)
    side.ends_at = dt.datetime(2030, 7, 16, 22, 30, tzinfo=dt.UTC)  # half past midnight, local time
    side.audience = {"en": "One\nTwo", "ru": "Все"}
    side.state, side.visibility, side.position = SessionState.CANCELLED, "internal", 0
    side.takeaway_kind, side.takeaway_count = "challenges", 3
    side.save()
    Room.objects.filter(name__en="Room 1").update(capacity=30)
    opening.starts_at = dt.datetime(2030, 7, 15, 7, 0, 30, tzinfo=dt.UTC)
    opening.ends_at = dt.datetime(2030, 7, 15, 7, 45, tzinfo=dt.UTC)
    opening.save()
    conference.results_disclaimer = {"en": "Ours alone.", "de": "Nur unsere."}
    conference.neutral_title = {"en": "Meeting in Vienna", "ru": "Встреча в Вене"}
    conference.description = {"fr": "Une description: longue\n\n- et une liste\n# pas un titre"}
    conference.anniversaries = ["20: years", {"since": 2010, "true": True}, None]
    conference.save()

    # Texts, results, papers.
    for position, (kind, heading) in enumerate(
        [(SectionKind.OTHER, "Fees"), (SectionKind.OTHER, ""), ("outcomes", "")]
    ):
        TextSection.objects.create(
            session=panel, kind=kind, heading={"en": heading} if heading else {}, text={"en": "Text"}, position=position
        )
    Topic.objects.get_or_create(key="small-things", defaults={"name": {"en": "Small things", "ru": "Малое"}})
    above = Recommendation.objects.create(
        session=opening, kind=TakeawayKind.CHALLENGE, number=6, text={"en": "Size"}, topics=["small-things"],
        addressee={"en": "everybody"},
    )  # fmt: skip
    below = above
    for number in (1, 2):
        below = Recommendation.objects.create(
            session=opening, kind=TakeawayKind.CHALLENGE, number=number, text={"en": f"Item {number}"}, parent=above
        )
    Recommendation.objects.create(
        session=opening, kind=TakeawayKind.PRACTICE, number=1, text={"en": "Deeper"}, parent=below
    )
    Recommendation.objects.create(session=opening, number=2, text={"en": "Two without one"})
    papers: dict[str, dict[str, Any]] = {
        "https://video.example/1": {"kind": MaterialKind.VIDEO},
        "https://video.example/2": {"kind": MaterialKind.VIDEO, "title": {"en": "With a title"}, "position": 4},
        "https://slides.example": {"kind": MaterialKind.PRESENTATION, "language": "ru", "visibility": "before"},
        "https://hidden.example": {"kind": MaterialKind.STATEMENT, "visibility": "never", "year": 2030},
    }
    for url, fields in papers.items():
        Material.objects.create(conference=conference, session=side, url=url, **fields)
    Material.objects.create(
        conference=conference, url="https://recording.example", kind=MaterialKind.RECORDING, position=7,
        visibility=SegmentVisibility.AFTER, published_on=dt.date(2030, 8, 1),
    )  # fmt: skip

    # People.
    Person.objects.filter(key="cem").update(
        is_hidden=True, sort_name="Zem", display_name="Cem “D.” Dal", biography={"en": "Writes.", "it": "Scrive."}
    )
    cem = Person.objects.get(key="cem")
    Affiliation.objects.create(person=cem, role_title={"en": "Clerk"}, since=dt.date(2020, 1, 1))
    Affiliation.objects.create(
        person=cem, role_title={"en": "Clerk"}, organisation=conference.organiser, until=dt.date(2019, 1, 1)
    )
    Segment.objects.create(
        session=panel, key="panel", kind=SegmentKind.OTHER, position=3, visibility=SegmentVisibility.NEVER,
        starts_at=panel.starts_at, ends_at=panel.ends_at,
    )  # fmt: skip
    Contribution.objects.filter(session=panel, person=cem).update(
        name_printed="C. Dal", visibility=SegmentVisibility.NEVER, took_part=TookPart.NO, position=0
    )
    Contribution.objects.filter(session=panel, person=None).update(
        status=ContributionStatus.REPLACED, is_announced=False, final_status=ContributionStatus.DECLINED
    )
    Contribution.objects.filter(role="testimony").update(visibility=SegmentVisibility.BEFORE)

    # Doors and figures.
    Admission.objects.filter(session=side).update(
        is_closed=True, opens_at=dt.datetime(2030, 6, 1, 12, 0, 1, tzinfo=dt.UTC), note={"es": "Nota"}
    )
    Admission.objects.get(session=side).audience_organisations.add(conference.organiser)
    Places.objects.update(capacity=None)
    Admission.objects.create(conference=conference, mode="in_person")
    Figure.objects.create(conference=conference, measure=Measure.ATTENDED, value=3, source="desk", session=side)
    Figure.objects.create(conference=conference, measure=Measure.POSTS, group="Chat", value=5, source="agenda")
    Figure.objects.create(
        conference=conference, measure=Measure.REACH, group="Chat", value=9, source="agenda", qualifier=Qualifier.ABOUT
    )
    Figure.objects.create(
        conference=conference, measure=Measure.REGISTERED, group="x", value=1, source="agenda", is_derived=True,
        printed_as={"en": "one"}, internal_note="Counted.",
    )  # fmt: skip
    fill_the_rest(conference, side)


def fill_the_rest(conference: Conference, side: Session) -> None:
    """Something in the fields that are nothing special."""
    office = conference.organiser
    assert office is not None
    Country.objects.update(aliases=["Republic of Austria"], footnote={"en": "A footnote"})
    Organisation.objects.filter(pk=office.pk).update(
        aliases=["The Office", "Bureau"], alias_sources={"Bureau": "agenda"}, contact={"phone": "+43 1"},
        is_name_derived=True,
        is_alliance_partner=True, web="https://office.example", internal_note="Call first.",
    )  # fmt: skip
    Venue.objects.update(footnote={"en": "Near the river"})
    Person.objects.filter(key="ada").update(post_nominals="PhD")
    Conference.objects.update(
        chairmanship=office, contact_address="Main street 1", contact_fax="+43 2", contact_phone="+43 1",
        hashtag="#small",
        contact_web="www.office.example", event_page_url="https://event.example", goal={"en": "Goal"},
        internal_note="Note", interpretation_languages=["ru", "Klingon"], is_livestreamed=True, level={"en": "High"},
        platform_label="WebEx",
        livestream_url="https://live.example", report={"parts": ["One", {"two": 2}], "none": None},
        social_account="@small",
        theme_subtitle={"de": "Klein"}, title_aliases=["1st"],
    )  # fmt: skip
    Session.objects.filter(pk=side.pk).update(
        call_to_action={"en": "Act"}, internal_note="Note", interpretation_languages=["fr"],
        working_languages=["en", "de"],
        join_link_rule={"en": "By mail"}, platform_aliases=["Webex"], platform_label="WebEx",
        registration_system="ours",
        registration_url="https:/broken.example).", registration_url_is_broken=True, takeaway_note="Three",
    )  # fmt: skip
    Convenorship.objects.update(internal_note="Note", source="agenda")
    Reference.objects.update(accessed_on=dt.date(2030, 1, 1), internal_note="Note", second_url="https://second.example")
    Material.objects.filter(kind="statement").update(place="Vienna", publisher="Office")
    Contribution.objects.filter(session__key="panel-a", person__key="ada").update(
        agenda_position=3, delivery="video", heading_printed={"en": "Moderator"}, honorific="Ms.",
        internal_note="Note",
        is_in_report=True, post_nominals="MA", role_title_in_report={"en": "Other"}, sources=["agenda"],
        topic={"ru": "Тема"},
    )  # fmt: skip
    for row in Contribution.objects.filter(session__key="panel-a", person__key="ada"):
        row.other_organisations.set(Organisation.objects.all())
    Admission.objects.filter(session=side).update(
        audience_categories=["academia"], closes_at=dt.datetime(2030, 7, 1, 12, 0, tzinfo=dt.UTC)
    )
    Places.objects.filter(admission__session=side).update(capacity=7)
    for admission in Admission.objects.filter(session=side):
        Reserve.objects.create(admission=admission, categories=["media", "other"], places=2,
                               returns_at=dt.datetime(2030, 6, 1, 12, 0, tzinfo=dt.UTC))  # fmt: skip
    Figure.objects.filter(measure=Measure.ATTENDED).update(is_record_for_series=True)

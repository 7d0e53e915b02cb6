"""The programme and the agenda as documents: what stands in them, for whom, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.utils import translation

from alliance import dates
from events import documents, programme_file, selectors
from events.documents import Kind, build, store
from events.documents.model import Document, Run
from events.models import Conference, ConferenceState, SegmentVisibility, Session, SessionState
from speakers.models import ContributionStatus
from tests.events.documents import pdf_text, word_text
from tests.factories import (
    NOW,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    MeetingFactory,
    OrganisationFactory,
    PersonFactory,
    ReferenceFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
    TextSectionFactory,
    VenueFactory,
)

pytestmark = pytest.mark.django_db

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "programme-2020.yaml"
SMALL = Path(__file__).parent / "small_programme.yaml"
LATER = NOW + timedelta(days=365)


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    store.forget()


def made(conference: Conference, kind: Kind = Kind.PROGRAMME, *, now: Any = NOW, language: str = "en") -> Document:
    """The document as data, of the conference as strangers get it."""
    found = selectors.public_conference(conference.slug)
    return build.conference_document(kind, found, now=now, language=language)


def texts(document: Document) -> list[str]:
    """The document in both forms, as text."""
    return [pdf_text(documents.as_pdf(document)), word_text(documents.as_docx(document))]


def assert_in_order(text: str, expected: list[str]) -> None:
    """Every text occurs, each after the one before it."""
    at = 0
    for part in (" ".join(part.split()) for part in expected):
        found = text.find(part, at)
        assert found >= 0, f"{part!r} is not after {text[max(0, at - 80) : at]!r}"
        at = found + len(part)


# --- the whole programme ----------------------------------------------------------------------------------------------


def expected_lines(data: dict[str, Any]) -> tuple[list[str], list[str]]:
    """From a programme file alone: the lines of the overview and those of the details, in printed order.

    Only contributions that were announced or that the present tense of the test may know: the conference is over.
    """
    organisations = {row["id"]: row["name"] for row in data["organisations"]}
    persons = {row["id"]: row for row in data["persons"]}
    items = {row["key"]: row for row in [*data["sessions"], *data["side_events"]]}
    overview: list[str] = []
    details: list[str] = []
    for day in data["days"]:
        heading = f"Day {day['number']}: {dates.day(day['date'])}"
        overview.append(heading)
        details.append(heading)
        for key in day["items"]:
            item = items[key]
            time = f"{item['start']}–{item['end']}" if item.get("start") else ""
            convenors = item.get("convenors") or []
            bodies = [organisations[row["organisation"]] for row in sorted(convenors, key=lambda row: row["order"])]
            overview += [*([time] if time else []), item["title"], *bodies]
            details += [item["title"], *([f"{time}, Vienna time (CEST, UTC+2)"] if time else []), *bodies]
            for section in ("background", "objectives"):
                text = item.get(section)
                details += [text] if isinstance(text, str) else []
            segments = {row["key"]: row for row in item.get("segments") or []}
            orders = {key: row["order"] for key, row in segments.items()}
            rows = sorted(
                item.get("contributions") or [], key=lambda row: (orders.get(row.get("segment"), 99), row["order"])
            )
            for row in rows:
                person = persons.get(row["person"])
                if person is None:
                    details.append(row["unnamed_label"])
                elif person["pseudonym"]:
                    details.append(row["given_name"])
                else:
                    name = " ".join(filter(None, [row.get("given_name"), row.get("family_name")]))
                    tbc = " (tbc)" if row["status"] == "tbc" else ""
                    details.append(f"{name}{tbc}")
    return overview, details


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(SMALL, id="small"),
        pytest.param(
            FILE,
            id="2020",
            marks=[pytest.mark.shared, pytest.mark.skipif(not FILE.exists(), reason="../shared is not here")],
        ),
    ],
)
def test_everything_of_a_programme_is_printed_in_its_order(path: Path) -> None:
    programme_file.load(path.read_bytes())
    conference = Conference.objects.get()
    now = conference.ends_at + timedelta(days=1) if conference.ends_at else LATER
    with translation.override("en"):
        overview, details = expected_lines(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert len(details) > 10

    document = made(conference, now=now)

    for text in texts(document):
        assert_in_order(text, ["Overview", *overview, *details])


@pytest.mark.shared
@pytest.mark.skipif(not FILE.exists(), reason="../shared is not here")
def test_no_trace_leads_from_a_pseudonym_to_anything() -> None:
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    programme_file.load(FILE.read_bytes())
    conference = Conference.objects.get()
    hidden = {row["id"] for row in data["persons"] if row["pseudonym"]}
    rows = [row for item in [*data["sessions"], *data["side_events"]] for row in item["contributions"] or []]
    rows = [row for row in rows if row["person"] in hidden]
    assert rows

    for kind in Kind.of_conference():
        for text in texts(made(conference, kind, now=LATER)):
            assert all(row["given_name"] in text for row in rows) or kind == Kind.SIDE_EVENTS
            assert not any(row["role_title"] in text for row in rows)


# --- what may be shown ------------------------------------------------------------------------------------------------


def leaking_session() -> Session:
    """A session with everything that must not come out before its time, or ever."""
    session: Session = SessionFactory(title={"en": "Panel of people"}, internal_note="CANARY-note")
    before = SegmentFactory(session=session, heading={"en": "Open part"}, position=1)
    after = SegmentFactory(
        session=session, heading={"en": "CANARY-after"}, visibility=SegmentVisibility.AFTER, position=2
    )
    never = SegmentFactory(
        session=session, heading={"en": "CANARY-never"}, visibility=SegmentVisibility.NEVER, position=3
    )
    ContributionFactory(session=session, segment=before, person=PersonFactory(display_name="Open Speaker"))
    ContributionFactory(session=session, segment=after, person=PersonFactory(display_name="CANARY-after-person"))
    ContributionFactory(session=session, segment=never, person=PersonFactory(display_name="CANARY-never-person"))
    ContributionFactory(
        session=session,
        segment=before,
        person=PersonFactory(display_name="CANARY-after-self"),
        visibility=SegmentVisibility.AFTER,
    )
    ContributionFactory(
        session=session, segment=before, person=PersonFactory(display_name="CANARY-never-hidden", is_hidden=True)
    )
    ContributionFactory(
        session=session,
        segment=before,
        person=PersonFactory(display_name="CANARY-never-declined"),
        status=ContributionStatus.DECLINED,
    )
    ContributionFactory(
        session=session,
        segment=before,
        person=PersonFactory(display_name="Mira", is_pseudonym=True),
        role_title={"en": "CANARY-never-title"},
        organisation=OrganisationFactory(name={"en": "CANARY-never-body"}),
        country=CountryFactory(name={"en": "CANARY-never-land"}),
        country_meaning="stated",
        honorific="CANARY-never-honorific",
        topic={"en": "CANARY-never-topic"},
    )
    SessionFactory(conference=session.conference, title={"en": "CANARY-never-draft"}, state=SessionState.DRAFT)
    ReferenceFactory(conference=session.conference, session=session, internal_note="CANARY-never-remark")
    return session


@pytest.mark.parametrize("kind", list(Kind))
def test_nothing_comes_out_before_its_time_or_ever(kind: Kind) -> None:
    session = leaking_session()
    if kind == Kind.SIDE_EVENTS:
        session.kind = "side_event"
        session.save()
    conference = selectors.public_conference(session.conference.slug)

    def document(now: Any) -> Document:
        if kind == Kind.SESSION:
            return build.session_document(conference, session.slug, now=now, language="en")
        return made(conference, kind, now=now)

    before, later = document(NOW), document(LATER)

    assert "CANARY" not in before.as_json().decode()
    for text in texts(before):
        assert "CANARY" not in text
        assert "Open Speaker" in text
        assert "Mira" in text
        assert "The name has been changed to protect the person's privacy." in text
    assert "CANARY-after-person" in later.as_json().decode()
    assert "CANARY-never" not in later.as_json().decode()
    assert "CANARY-note" not in later.as_json().decode()


def test_cancelled_and_provisional_are_said() -> None:
    conference = ConferenceFactory(state=ConferenceState.PROVISIONAL)
    SessionFactory(conference=conference, title={"en": "Lost"}, state=SessionState.CANCELLED)

    for text in texts(made(conference)):
        assert "This is a provisional programme." in text
        assert_in_order(text, ["Overview", "Panel · Cancelled Lost", "Panel · Cancelled Lost"])


def test_mark_of_a_draft_is_printed() -> None:
    session = SessionFactory()
    conference = selectors.public_conference(session.conference.slug)

    content = documents.conference_pdf(Kind.PROGRAMME, conference, now=NOW, language="en", mark="Draft of today")

    assert "Draft of today" in pdf_text(content)


def test_conference_without_sessions_says_so() -> None:
    conference = ConferenceFactory()
    conference.days.create(number=1, date=conference.starts_on)

    for text in texts(made(conference)):
        assert "The sessions of this day have not been announced yet." in text
        assert "Overview" not in text


# --- names, titles, notes ---------------------------------------------------------------------------------------------


def test_order_roles_and_tbc_are_printed_as_approved() -> None:
    session = SessionFactory()
    segment = SegmentFactory(session=session, heading={"en": "Speakers"})
    common = {"session": session, "segment": segment, "role_title": {"en": "Judge"}}
    ContributionFactory(**common, position=1, person=PersonFactory(display_name="Zoe Zab"), honorific="H.E.")
    ContributionFactory(**common, position=2, person=PersonFactory(display_name="Adam Abe"), role="moderator")
    ContributionFactory(
        **common,
        position=3,
        person=None,
        unnamed_label={"en": "Voice of the city"},
        status=ContributionStatus.TBC,
        delivery="video",
    )

    for text in texts(made(session.conference)):
        assert_in_order(
            text,
            [
                "Speakers H.E. Zoe Zab, Judge",
                "Moderator: Adam Abe, Judge",
                "Voice of the city (tbc) (by video), Judge",
            ],
        )


def test_footnotes_are_numbered_through_the_document_and_countries_keep_theirs() -> None:
    moldova = CountryFactory(iso2="MD", name={"en": "Moldova"}, footnote={"en": "A note on Moldova."})
    venue = VenueFactory(footnote={"en": "A note on the place."})
    conference = ConferenceFactory(venue=venue)
    for number in (1, 2):
        session = SideEventFactory(conference=conference, number=number, position=number)
        TextSectionFactory(session=session, kind="background", text={"en": "Why it is so."}, position=1)
        TextSectionFactory(session=session, kind="objectives", text={"en": "What shall be."}, position=2)
        ReferenceFactory(conference=conference, session=session, citation=f"Source {number}", url="https://a.example/x")
        ReferenceFactory(conference=conference, session=session, citation="", url="")  # a mark without a text
        ContributionFactory(session=session, country=moldova, country_meaning="stated", role_title={"en": "Judge"})

    document = made(conference)

    assert ["".join(run.text for run in note) for note in document.notes] == [
        "A note on the place.",
        "Source 1 https://a.example/x",
        "A note on Moldova.",
        "Source 2 https://a.example/x",
    ]
    for text in texts(document):
        # Without the numbers: python-docx leaves the counting to the program that shows the file.
        assert text.count("A note on Moldova.") == 1
        assert text.count("Why it is so.") == 2
    text = pdf_text(documents.as_pdf(document))
    assert_in_order(text, ["Vienna1", "Why it is so.2", "Judge, Moldova3", "Why it is so.4", "Judge, Moldova3"])


def test_mark_of_a_source_stands_after_the_last_word_of_the_background() -> None:
    session = SessionFactory()
    TextSectionFactory(session=session, kind="objectives", text={"en": "Before."}, position=1)
    text = {"en": "First:\n\n- one\n  - deep"}
    TextSectionFactory(session=session, kind="background", text=text, position=2)
    ReferenceFactory(conference=session.conference, session=session)

    before, background = made(session.conference).days[0].items[0].sections

    assert not any(run.note for run in before.texts[-1].runs)
    deepest = background.texts[-1].items[-1][-1].items[-1][-1]
    assert [(run.text, run.note) for run in deepest.runs] == [("deep", 0), ("", 1)]


def test_same_mark_twice_points_to_the_first() -> None:
    country = CountryFactory(footnote={"en": "A note."})
    session = SessionFactory()
    for position in (1, 2):
        ContributionFactory(session=session, position=position, country=country, country_meaning="stated")

    item = made(session.conference).days[0].items[0]

    marks = [run for block in item.blocks for line in block.speakers for run in line.title if run.note]
    assert marks == [Run("", note=1), Run("", note=1, is_first_mark=False)]


def test_bodies_stand_with_their_relation_and_their_units() -> None:
    side = SideEventFactory()
    unit = OrganisationFactory(name={"en": "Small Unit"})
    ConvenorshipFactory(session=side, organisation=OrganisationFactory(name={"en": "Big House"}), with_unit=unit)
    other = OrganisationFactory(name={"en": "Helper"})
    ConvenorshipFactory(session=side, organisation=other, relation="collaborator")

    for text in texts(made(side.conference, Kind.SIDE_EVENTS)):
        assert_in_order(text, ["Convenor Big House (Small Unit)", "In collaboration with Helper"])


def test_how_to_get_in_stands_at_the_end_of_a_side_event() -> None:
    own = SideEventFactory(position=1, working_languages=["en"], interpretation_languages=["ru", "fr"])
    common = {"conference": own.conference, "day": own.day}
    SideEventFactory(
        **common, position=2, registration_mode="external_zoom_webinar", registration_url="https://z.example/webinar"
    )
    SideEventFactory(
        **common,
        position=3,
        registration_mode="external_google_form",
        registration_url="https://g.example/vi_ewform",
        registration_url_is_broken=True,
        audience={"en": "Delegations\nField operations"},
    )
    SideEventFactory(**common, position=4, registration_mode="invitation")

    document = made(own.conference)

    for text in texts(document):
        assert_in_order(
            text,
            [
                f"/en/{own.conference.slug}/side-events/{own.slug}/",
                "Working languages English",
                "Interpretation Russian, French",
                "https://z.example/webinar",
                "Another body takes the registrations",
                "Audience Delegations; Field operations",
                "The address does not work as it was announced: https://g.example/vi_ewform",
                "By invitation only.",
            ],
        )
    assert b'"link": "https://g.example' not in document.as_json()
    over = texts(made(own.conference, now=LATER))
    assert not any("z.example" in text or "By invitation" in text for text in over)


def test_join_links_stand_in_no_document() -> None:
    meeting = MeetingFactory()

    for kind in Kind.of_conference():
        written = made(meeting.session.conference, kind).as_json()
        assert str(meeting.session.title).encode() in written
        assert b"canary-room" not in written


# --- time and place ---------------------------------------------------------------------------------------------------


def test_agenda_without_times_has_none() -> None:
    session = SessionFactory(room=RoomFactory(name={"en": "Ratsaal"}))
    segment = SegmentFactory(session=session, starts_at=session.starts_at, ends_at=session.ends_at)
    ContributionFactory(session=session, segment=segment)

    timed, untimed = (texts(made(session.conference, kind)) for kind in (Kind.AGENDA, Kind.AGENDA_WITHOUT_TIMES))

    for text in timed:
        assert_in_order(
            text, ["All times are Vienna time (CEST, UTC+2).", "11:00–12:00 · Panel", "11:00–12:00 Speakers"]
        )
    for text in untimed:
        assert "11:00" not in text
        assert "Vienna time" not in text
        assert "Ratsaal" in text


def test_agenda_prints_no_descriptions() -> None:
    side = SideEventFactory(summary={"en": "A long story."})
    TextSectionFactory(session=side, text={"en": "A longer story."})

    for text in texts(made(side.conference, Kind.AGENDA)):
        assert str(side.title) in text
        assert "story" not in text


def test_agenda_has_an_order_of_its_own() -> None:
    session = SessionFactory()
    for position, (name, place) in enumerate([("Ann Aa", 2), ("Bob Bb", None), ("Cem Cc", 1)], 1):
        person = PersonFactory(display_name=name)
        ContributionFactory(session=session, person=person, position=position, agenda_position=place)

    for text in texts(made(session.conference, Kind.AGENDA)):
        assert_in_order(text, ["Cem Cc", "Bob Bb", "Ann Aa"])
    for text in texts(made(session.conference)):
        assert_in_order(text, ["Ann Aa", "Bob Bb", "Cem Cc"])


def test_clock_is_named_for_each_date() -> None:
    summer = SessionFactory()
    winter = {"starts_at": NOW.replace(month=12), "ends_at": NOW.replace(month=12, hour=10)}
    SessionFactory(conference=summer.conference, day=summer.day, **winter)

    [remark, *_more] = made(summer.conference).remarks

    assert remark[0].text == "All times are Vienna time (CEST, UTC+2); Vienna time (CET, UTC+1)."


# --- languages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "fr", "de", "it", "es", "ru"])
def test_six_languages_with_honest_stand_ins(language: str) -> None:
    conference = ConferenceFactory(title={"en": "In English", "ru": "По-русски"})
    session = SessionFactory(conference=conference, title={"en": "Only English Andjelković Ђ ș ğ ż"})
    with translation.override(language):
        note = str(
            translation.gettext("Some texts in this document are not translated yet. They are shown in: %(languages)s.")
        )
        overview = translation.gettext("Overview")
        date = dates.day(session.day.date)

    document = made(conference, language=language)

    for text in texts(document):
        assert_in_order(
            text, ["По-русски" if language == "ru" else "In English", overview, date, "Andjelković Ђ ș ğ ż"]
        )
        assert (note.partition("%")[0].strip() in text) == (language != "en")
    assert document.days[0].items[0].title[0].language == ("" if language == "en" else "en")

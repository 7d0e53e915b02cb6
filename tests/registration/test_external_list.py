"""Lists of other platforms: what is recognised, who is counted, and that nothing but numbers is kept."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from accounts.models import AuditEntry, RoleKind
from events.admin import pages
from events.models import Session
from registration import external_lists
from registration.external_lists import Counted, ListRefused
from registration.models import Figure, ImportKind, Measure
from tests.factories import NOW, CountryFactory, RoleFactory, SideEventFactory
from tests.registration.at_rest import everything, holds

pytestmark = pytest.mark.django_db

ATTENDEES = """\ufeffAttendee Report
Report Generated:,"Jul 1, 2030 04:05 PM"
Topic,Webinar ID,Actual Start Time,Actual Duration (minutes),# Registered,# Cancelled,Unique Viewers
"A webinar, long",812 3456 7890,"Jul 1, 2030 01:58 PM",95,4,0,3
Host Details,
Attended,User Name (Original Name),Email,Join Time,Leave Time,Time in Session (minutes),Is Guest,Country/Region Name
Yes,Host of All,host@convenor.example,01:58 PM,03:33 PM,95,No,Austria
Panelist Details,
Attended,User Name (Original Name),Email,Join Time,Leave Time,Time in Session (minutes),Is Guest,Country/Region Name
Yes,Panel Person,panel@convenor.example,01:58 PM,03:33 PM,95,No,Austria
Attendee Details,
HEADINGS
Yes,Zubaida K,Zubaida,Kvitko,zubaida@mail.example,"Jun 20, 2030",approved,02:00 PM,02:30 PM,30,Yes,Österreich
Yes,Zubaida K,Zubaida,Kvitko,Zubaida@MAIL.example,"Jun 20, 2030",approved,02:40 PM,03:30 PM,50,Yes,
No,Bo,Bo,Beran,bo@mail.example,"Jun 21, 2030",approved,--,--,--,--,AT
Yes,Cy,Cy,Ceder,cy@mail.example,"Jun 22, 2030",approved,02:00 PM,02:30 PM,30,Yes,Атлантида
No,Di,Di,Drost,di@mail.example,"Jun 22, 2030",denied,--,--,--,--,Germany
Other Attended,
User Name,Join Time,Leave Time,Time in Session (minutes),Country/Region Name
436641234567,02:00 PM,02:30 PM,30,Austria
""".replace(
    "HEADINGS",
    "Attended,User Name (Original Name),First Name,Last Name,Email,Registration Time,Approval Status,Join Time,"
    "Leave Time,Time in Session (minutes),Is Guest,Country/Region Name",
)


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def _countries() -> None:
    """Two countries with names in several languages."""
    CountryFactory(iso2="AT", name={"en": "Austria", "de": "Österreich", "ru": "Австрия"}, aliases=[])
    CountryFactory(iso2="DE", name={"en": "Germany", "fr": "Allemagne"}, aliases=["Federal Republic of Germany"])


def counted(data: str | bytes, **roles: int) -> Counted:
    """What is counted of a file with the columns as guessed, or as given."""
    sheet = external_lists.read(data.encode() if isinstance(data, str) else data)
    return external_lists.count(sheet, roles or sheet.guessed, external_lists.spellings())


def by_code(found: Counted) -> dict[str, int]:
    """The countries by code."""
    codes = {country.pk: country.iso2 for country in external_lists.spellings().values()}
    return {codes[pk]: number for pk, number in found.countries.items()}


def test_a_zoom_attendee_report_is_read_below_its_preamble() -> None:
    found = counted(ATTENDEES)

    assert external_lists.read(ATTENDEES.encode()).kind == ImportKind.ZOOM_ATTENDEES
    assert (found.registered, found.confirmed, found.attended, found.refused) == (3, 3, 2, 1)
    assert by_code(found) == {"AT": 2}
    assert found.unknown_countries == ["Атлантида"]


def test_a_zoom_registration_report() -> None:
    text = (
        "Registration Report\nReport Generated:,2030\nTopic,Meeting ID,# Registered\nSomething,1,3\n"
        "Registrant Details,\n"
        "First Name,Last Name,Email,Country/Region,Organization,Registration Time,Approval Status\n"
        "A,B,a@mail.example,Federal Republic of Germany,NGO,x,approved\nC,D,c@mail.example,DE,NGO,x,pending approval\n"
        "C,D,c@mail.example,,NGO,x,cancelled - self\n=cmd,F,e@mail.example,Austria,=1+1,x,approved\n"
    )
    sheet = external_lists.read(text.encode())
    found = counted(text)

    assert sheet.kind == ImportKind.ZOOM_REGISTRATION
    assert set(sheet.guessed) == {"given_name", "family_name", "email", "country", "group", "status"}
    assert (found.registered, found.confirmed, found.attended) == (2, 2, None)
    assert by_code(found) == {"DE": 1, "AT": 1}


@pytest.mark.parametrize(
    ("encoding", "separator"),
    [("utf-8-sig", ";"), ("utf-16", "\t"), ("utf-16-le", ","), ("cp1252", ";"), ("utf-8", ",")],
)
def test_encodings_and_separators_of_a_google_form(encoding: str, separator: str) -> None:
    lines = [
        ["Horodateur", "Votre prénom et nom : nom complet", "Adresse e-mail", "Dans quel pays travaillez-vous ?"],
        ["2030/07/01", "Éva Müller", "eva@mail.example", "Allemagne"],
        ["2030/07/01", "Eva Muller", "", "Autriche"],
        ["2030/07/02", "Ünal", "", "Österreich"],
    ]
    found = counted("\r\n".join(separator.join(line) for line in lines).encode(encoding), name=1, email=2, country=3)

    assert found.registered == 2  # the second row is the first person again, without the address
    assert by_code(found) == {"DE": 1, "AT": 1}
    assert external_lists.read(separator.join(lines[0]).encode() + b"\r\nx" + separator.encode() + b"y\r\n").kind == (
        ImportKind.GOOGLE_FORM
    )


def test_a_form_in_russian_and_a_workbook() -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["Отметка времени", "Адрес электронной почты", "ФИО", "Страна"])
    page.append(["1", "a@mail.example", "Анна", "Австрия"])
    page.append(["2", "b@mail.example", "Борис", "австрия"])
    out = io.BytesIO()
    book.save(out)
    sheet = external_lists.read(out.getvalue())

    assert (sheet.kind, set(sheet.guessed)) == (ImportKind.GOOGLE_FORM, {"email", "name", "country"})
    assert by_code(counted(out.getvalue())) == {"AT": 2}


def test_groups_of_fewer_than_five_are_not_named() -> None:
    rows = [f"p{number}@mail.example,{'NGO' if number < 5 else 'Zubaida herself'}" for number in range(8)]
    found = counted("\n".join(["Email,Organisation", *rows]))

    assert found.groups == {"NGO": 5}
    assert found.in_small_groups == 3


@pytest.mark.parametrize(
    "data",
    [b"", b"Email\n", b"\x00\x01\x02\x03" * 50, b"PK\x03\x04 no zip", b"a,b\n" * 20_002, b"x" * 5_000_001],
    ids=["empty", "header alone", "no text", "no workbook", "too many rows", "too large"],
)
def test_what_cannot_be_counted_is_refused(data: bytes) -> None:
    with pytest.raises(ListRefused):
        external_lists.read(data)


def test_a_packed_sheet_holds_no_names_and_opens_for_its_session_alone() -> None:
    sheet = external_lists.read(ATTENDEES.encode())
    packed = external_lists.pack(sheet, scope="one")

    assert external_lists.unpack(packed, scope="one") == sheet
    assert "Zubaida" not in str(sheet)
    assert "mail.example" not in str(sheet)
    for text, scope in ((packed, "two"), ("no sheet", "one")):
        with pytest.raises(ListRefused):
            external_lists.unpack(text, scope=scope)


def test_twenty_thousand_people_fit_into_the_form() -> None:
    rows = [f"p{number}@mail.example,Given{number},Family{number % 97},AT,{number}" for number in range(19_000)]
    sheet = external_lists.read("\n".join(["Email,First Name,Last Name,Country,Question", *rows]).encode())

    assert len(external_lists.pack(sheet, scope="x")) < 1_200_000
    assert external_lists.count(sheet, sheet.guessed, external_lists.spellings()).registered == 19_000


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def session() -> Session:
    """A side event with a form of another body."""
    made: Session = SideEventFactory(
        registration_mode="external_zoom_webinar", registration_url="https://convenor.zoom.example/w/1"
    )
    return made


def text(response: Any) -> str:
    """The page without its markup, with single blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def hidden(response: Any, name: str) -> str:
    """A hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())
    assert found is not None
    return html.unescape(found[1])


def test_the_reader_is_told_before_leaving(client: Client, session: Session) -> None:
    for address in (session.get_absolute_url(), f"/en/{session.conference.slug}/register/"):
        page = client.get(address)
        assert "The link leaves this site for convenor.zoom.example , which has its own privacy rules." in text(page)
        assert 'rel="nofollow noopener noreferrer"' in page.content.decode()


def test_a_list_becomes_figures_and_nothing_else(client: Client, session: Session) -> None:
    client.force_login(RoleFactory(kind=RoleKind.ORGANISER, conference=session.conference).user)
    Figure.objects.create(
        conference=session.conference, session=session, measure="registered", value=9, source="by hand"
    )
    address = pages.url("external-lists", session.conference)

    def upload(data: str) -> Any:
        file = SimpleUploadedFile("zubaida-kvitko.csv", data.encode())
        return client.post(address, {"session": str(session.public_id), "file": file})

    seen = upload(ATTENDEES)
    assert seen.status_code == 200
    assert "Zubaida" not in seen.content.decode()
    assert not Figure.objects.exclude(imported_as="").exists()
    sheet = external_lists.unpack(hidden(seen, "sheet"), scope=str(session.public_id))
    sent = {
        "session": str(session.public_id),
        "sheet": hidden(seen, "sheet"),
        "kind": sheet.kind,
        "measure": "attended",
        **{role: str(column) for role, column in sheet.guessed.items()},
    }
    nobody = client.post(address, sent | {"email": "", "given_name": "", "family_name": "", "name": "", "keep": "1"})
    assert nobody.status_code == 422
    kept = client.post(address, sent | {"keep": "1"}, follow=True)

    found = {(one.measure, one.group): one.value for one in Figure.objects.filter(imported_as="zoom_attendees")}
    assert found == {
        (Measure.REGISTERED, ""): 3,
        (Measure.CONFIRMED, ""): 3,
        (Measure.ATTENDED, ""): 2,
        (Measure.COUNTRIES, ""): 1,
        (Measure.REGISTERED, "Austria"): 2,
    }
    assert "Zoom attendee report, 2030-07-02" in text(kept)
    assert "counted from a list" in text(kept)
    table = everything()
    for secret in ("Zubaida", "Kvitko", "zubaida@mail.example", "bo@mail.example", "Beran"):
        assert not holds(table, secret)
    assert AuditEntry.objects.get(action="figures.counted_from_list").details["figures"] == 5

    shorter = "\n".join(line for line in ATTENDEES.splitlines() if "Ceder" not in line)
    again = upload(shorter)
    assert "These take the place of the figures from “Zoom attendee report, 2030-07-02”." in text(again)
    client.post(address, sent | {"sheet": hidden(again, "sheet"), "keep": "1"})
    assert Figure.objects.get(imported_as="zoom_attendees", measure="registered", group="").value == 2
    assert Figure.objects.filter(source="by hand", value=9).exists()

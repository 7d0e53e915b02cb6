"""Pages of focal points and of nominated people: who sees what, lists with bad rows, files, answers by link."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook, load_workbook

from accounts.models import User
from registration.delegations import lists as delegation_lists
from registration.models import Delegation, FocalPoint, Membership, MemberState, Participant, Places, Registration
from tests.factories import NOW, AdmissionFactory, ConferenceFactory, DelegationFactory, UserFactory
from tests.registration.people import register
from tests.registration.test_delegations import nominate, nominee

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


def a_delegation(**more: Any) -> Delegation:
    """A delegation at a conference with both ways to attend."""
    made: Delegation = DelegationFactory(**more)
    for mode in ("in_person", "online"):
        AdmissionFactory(session=None, conference=made.conference, mode=mode)
    return made


@pytest.fixture
def delegation() -> Delegation:
    """Such a delegation."""
    return a_delegation()


def focal_point(delegation: Delegation) -> Client:
    """A browser in which a focal point has signed in."""
    user: User = UserFactory()
    FocalPoint.objects.create(delegation=delegation, user=user)
    client = Client()
    client.force_login(user)
    return client


def address(delegation: Delegation, rest: str = "") -> str:
    """A page of the delegation."""
    return f"/en/delegations/{delegation.public_id}/{rest}"


PERSON = {
    "given_name": "Lena",
    "family_name": "Example",
    "email": "lena@state.example",
    "function": "Adviser",
    "capacity": "adviser",
    "mode": "in_person",
}


def text(response: Any) -> str:
    """The page without its markup, with single blanks."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


# --- who may ----------------------------------------------------------------------------------------------------------


def test_strangers_are_asked_to_sign_in_and_come_back(client: Client, delegation: Delegation) -> None:
    user = UserFactory()
    user.set_password("a long sentence of words")
    user.save()
    FocalPoint.objects.create(delegation=delegation, user=user)

    asked = client.get(address(delegation))
    signed = client.post(
        asked["Location"], {"login": user.email, "password": "a long sentence of words", "next": address(delegation)}
    )

    assert asked["Location"] == f"/en/accounts/login/?next={address(delegation)}"
    assert signed["Location"] == address(delegation)
    assert client.get(address(delegation)).status_code == 200


def test_a_wrong_password_is_refused(client: Client, delegation: Delegation) -> None:
    page = client.post("/en/accounts/login/", {"login": "nobody@mail.example", "password": "wrong"})

    assert page.status_code == 200
    assert "There is a problem" in text(page)


@pytest.mark.parametrize("who", ["another focal point", "a user without a delegation", "an administrator"])
def test_others_find_nothing(delegation: Delegation, who: str) -> None:
    (member,) = nominate(delegation, nominee())
    browser = Client()
    if who == "another focal point":
        browser = focal_point(a_delegation())
    else:
        browser.force_login(UserFactory(is_superuser=who == "an administrator", is_staff=True))
    pages = ["", "nominate/", "list/", "members.csv", "members.xlsx", f"members/{member.membership.public_id}/"]

    codes = {browser.get(address(delegation, page)).status_code for page in pages if page != "nominate/"}
    codes |= {browser.post(address(delegation, page), PERSON).status_code for page in ("nominate/", "list/", pages[-1])}

    assert codes == {404}
    assert Membership.objects.get().state == MemberState.NOMINATED


def test_a_member_of_another_delegation_is_not_found_through_my_own(delegation: Delegation) -> None:
    other = a_delegation()
    (member,) = nominate(other, nominee())

    page = focal_point(delegation).post(
        address(delegation, f"members/{member.membership.public_id}/"), {"action": "withdraw"}
    )

    assert page.status_code == 404


def test_forms_need_their_token(delegation: Delegation) -> None:
    user = UserFactory()
    FocalPoint.objects.create(delegation=delegation, user=user)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)

    assert browser.post(address(delegation, "nominate/"), PERSON).status_code == 403


# --- nominating -------------------------------------------------------------------------------------------------------


def test_nominating_one_shows_them_as_not_answered(delegation: Delegation) -> None:
    page = focal_point(delegation).post(address(delegation, "nominate/"), PERSON, follow=True)

    assert "Lena Example" in text(page)
    assert "Nominated, not answered yet · A place is held" in text(page)
    assert page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] == "same-origin"  # without any, browsers send "Origin: null" and forms are refused
    assert "lena@state.example" not in page.content.decode()


def test_what_was_typed_stays_with_the_errors(delegation: Delegation) -> None:
    page = focal_point(delegation).post(address(delegation, "nominate/"), PERSON | {"email": "no address"})

    assert page.status_code == 422
    assert 'value="no address"' in page.content.decode()
    assert not Membership.objects.exists()


PASTED = "Ada\tOne\tada@state.example\thead\tin_person\tMinister\nBo\tTwo\tbo@state.example\t\t\t\n"


@pytest.mark.parametrize(
    "listed",
    [
        PASTED,
        PASTED.replace("\t", ";"),
        PASTED.replace("\t", ","),
        "E-mail address\tFamily name\tGiven name\tCapacity\nada@state.example\tOne\tAda\tHead of delegation\n"
        "bo@state.example\tTwo\tBo\t\n",
        "Courriel\temail\tNom\tfamily_name\tgiven_name\tcapacity\n\tada@state.example\t\tOne\tAda\thead\n"
        "\tbo@state.example\t\tTwo\tBo\tadviser\n",
    ],
)
def test_a_pasted_list_is_shown_first_and_then_nominated(delegation: Delegation, listed: str) -> None:
    browser = focal_point(delegation)

    seen = browser.post(address(delegation, "list/"), {"text": listed})
    assert not Membership.objects.exists()
    rows = seen.context["rows"]
    done = browser.post(address(delegation, "list/"), {"rows": rows})

    assert done.status_code == 303
    found = Membership.objects.in_rank().values_list("participant__display_name", "capacity", "mode")
    assert list(found) == [("Ada One", "head", "in_person"), ("Bo Two", "adviser", "in_person")]


def test_errors_name_their_rows_and_nobody_is_nominated(delegation: Delegation) -> None:
    listed = PASTED + "\nCa\tThree\tno address\nDi\tFour\tADA@state.example\nEd\tFive\ted@state.example\tking\n"

    page = focal_point(delegation).post(address(delegation, "list/"), {"text": listed})

    assert page.status_code == 422
    assert "Row 3: E-mail address:" in text(page)
    assert "Row 4: This address stands in row 1 already." in text(page)
    assert "Row 5: Capacity: Write one of these: Head of delegation," in text(page)
    assert "Ada" in page.content.decode()
    assert not Participant.objects.exists()


def test_a_changed_preview_is_checked_again(delegation: Delegation) -> None:
    browser = focal_point(delegation)

    assert browser.post(address(delegation, "list/"), {"rows": "nonsense"}).status_code == 404
    assert browser.post(address(delegation, "list/"), {"rows": "[[1]]"}).status_code == 422
    page = browser.post(
        address(delegation, "list/"), {"rows": '[[1, "A", "B", "no address", "head", "in_person", ""]]'}
    )

    assert page.status_code == 422
    assert not Membership.objects.exists()


def workbook(*rows: list[str]) -> bytes:
    """An .xlsx file with the rows."""
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def upload(browser: Client, delegation: Delegation, data: bytes) -> Any:
    """Send a workbook."""
    return browser.post(address(delegation, "list/"), {"file": SimpleUploadedFile("list.xlsx", data)})


def test_a_workbook_works_like_a_pasted_list(delegation: Delegation) -> None:
    data = workbook(
        ["Given name", "Family name", "E-mail address"], ["Ada", "One", "ada@state.example"], [], ["", "", "x"]
    )

    bad = upload(focal_point(delegation), delegation, data)
    good = upload(focal_point(delegation), delegation, workbook(["Ada", "One", "ada@state.example"]))

    assert "Row 4: Family name:" in text(bad)
    assert "1 person. Nobody is nominated yet." in text(good)


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", "<a>" + " " * 40_000_000 + "</a>")
    return out.getvalue()


def _with(name: str, changed: Callable[[bytes], bytes]) -> bytes:
    source = io.BytesIO(workbook(["a"]))
    out = io.BytesIO()
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(out, "w") as archive:
        for part in given.infolist():
            data = given.read(part)
            archive.writestr(part.filename, changed(data) if part.filename == name else data)
    return out.getvalue()


def _entities() -> bytes:
    return _with("xl/workbook.xml", lambda data: b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + data)


def _damaged() -> bytes:
    return _with("docProps/core.xml", lambda data: data.replace(b"xmlns:cp", b"xmlns:cq"))


@pytest.mark.parametrize("data", [b"no zip", b"PK\x03\x04broken", _bomb(), _entities(), _damaged()], ids=range(5))
def test_hostile_files_are_refused(delegation: Delegation, data: bytes) -> None:
    page = upload(focal_point(delegation), delegation, data)

    assert page.status_code == 422
    assert "This is no workbook that can be read." in text(page)


def test_a_formula_in_a_workbook_is_a_text_and_no_name(delegation: Delegation) -> None:
    page = upload(focal_point(delegation), delegation, workbook(["=1+1", "One", "=A1"]))

    assert page.status_code == 422
    assert not Membership.objects.exists()


# --- one member, files ------------------------------------------------------------------------------------------------


def test_replacing_and_withdrawing_from_the_page(delegation: Delegation) -> None:
    first, second = nominate(delegation, nominee(1), nominee(2))
    browser = focal_point(delegation)
    page = address(delegation, f"members/{first.membership.public_id}/")

    replaced = browser.post(page, PERSON | {"action": "replace"}, follow=True)
    withdrawn = browser.post(
        address(delegation, f"members/{second.membership.public_id}/"), {"action": "withdraw"}, follow=True
    )

    assert "The place has passed on." in text(replaced)
    assert "Lena Member1" not in text(replaced)
    assert "1 member, 0 confirmed" in text(withdrawn)
    assert browser.get(page).status_code == 404
    assert Places.objects.filter(taken=1).count() == 1


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_files_hold_my_members_and_no_formula(delegation: Delegation, kind: str) -> None:
    nominate(delegation, nominee(1, given_name="=HYPERLINK(1)", family_name="Bad", function="@SUM(1)"))
    nominate(a_delegation(), nominee(2))

    page = focal_point(delegation).get(address(delegation, f"members.{kind}"))

    if kind == "csv":
        assert page.content.startswith(b"\xef\xbb\xbf")
        lines = page.content.decode("utf-8-sig").splitlines()
        assert len(lines) == 2
        assert lines[1].startswith("'=HYPERLINK(1) Bad,'@SUM(1),")
    else:
        sheet = load_workbook(io.BytesIO(page.content)).worksheets[0]
        assert sheet.max_row == 2
        assert (sheet["A2"].value, sheet["A2"].data_type, sheet["B2"].data_type) == ("=HYPERLINK(1) Bad", "s", "s")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_cells_never_begin_like_a_formula(start: str) -> None:
    assert delegation_lists.as_csv([[f"{start}1"]]).decode("utf-8-sig").lstrip('"').startswith("'")


# --- the answer -------------------------------------------------------------------------------------------------------


def test_confirming_by_the_link_with_and_without_consent(client: Client, delegation: Delegation) -> None:
    (member,) = nominate(delegation, nominee())
    link = f"/d/{member.membership.answer_token}/"

    looked = client.get(link)
    assert Membership.objects.get().state == MemberState.NOMINATED
    confirmed = client.post(link, {"answer": "confirm", "listed": "yes"}, follow=True)

    assert 'id="id_listed" aria-describedby="id_listed_helptext">' in looked.content.decode()  # not ticked
    assert "Thank you" in text(confirmed)
    assert not client.cookies
    assert looked["Cache-Control"] == "no-store"
    membership = Membership.objects.get()
    assert (membership.state, membership.listed_at) == (MemberState.CONFIRMED, NOW)
    assert client.get(f"/r/{membership.participant.personal_token}/").status_code == 200


def test_declining_kills_the_link_and_the_delegation_sees_it(client: Client, delegation: Delegation) -> None:
    (member,) = nominate(delegation, nominee())
    link = f"/d/{member.membership.answer_token}/"

    declined = client.post(link, {"answer": "decline"})

    assert "You have declined" in text(declined)
    assert client.get(link).status_code == 404
    page = text(focal_point(delegation).get(address(delegation)))
    assert "Declined by the member" in page
    assert Registration.objects.get().status == "cancelled"


def test_answers_from_foreign_pages_are_refused(client: Client, delegation: Delegation) -> None:
    (member,) = nominate(delegation, nominee())

    page = client.post(
        f"/d/{member.membership.answer_token}/", {"answer": "decline"}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert page.status_code == 403
    assert Membership.objects.get().state == MemberState.NOMINATED


# --- nobody is exposed to their own State -----------------------------------------------------------------------------


def _neutral(response: Any, delegation: Delegation) -> bytes:
    """The answer without what is random for each page or each conference."""
    page: bytes = response.content
    page = re.sub(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", b"ID", page)
    page = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", page)
    for name in (delegation.name, str(delegation.conference.title), delegation.conference.slug):
        page = page.replace(name.encode(), b"NAME")
    return page


@pytest.mark.parametrize("alias", ["", "Sparrow"])
@pytest.mark.parametrize("capacity", [None, 2, 1])
def test_a_private_registration_and_an_unknown_address_cannot_be_told_apart(alias: str, capacity: int | None) -> None:
    """Two conferences alike; in one the nominated person has registered on their own, in the other somebody else."""
    answers: list[list[object]] = []
    for private in ("lena@state.example", "else@mail.example"):
        delegation = a_delegation(conference=ConferenceFactory())
        room = delegation.conference.admissions.get(mode="in_person")
        Places.objects.filter(pk=room.pk).update(capacity=capacity)
        register(
            room,
            token=f"t-{private}",
            email=private,
            alias=alias,
            given_name="Lena",
            family_name="Example",
            country=delegation.country,
        )
        browser = focal_point(delegation)
        pages = [browser.get(address(delegation)), browser.get(address(delegation, "members.csv"))]
        pages.append(browser.post(address(delegation, "list/"), {"text": "Lena,Example,lena@state.example"}))
        pages.append(browser.post(address(delegation, "nominate/"), PERSON))
        pages.append(browser.get(address(delegation) + "?done=nominated"))
        pages.append(browser.post(address(delegation, "nominate/"), PERSON))  # known now, as one's own nominee
        membership = Membership.objects.get(delegation=delegation)
        pages.append(browser.get(address(delegation, f"members/{membership.public_id}/")))
        pages.append(browser.get(address(delegation, "members.csv")))
        seat = Registration.objects.get(participant=membership.participant)
        row = Places.objects.get(pk=room.pk)
        answers.append(
            [
                *[(page.status_code, _neutral(page, delegation)) for page in pages],
                (seat.status, row.taken, row.waiting),
            ]
        )
        own = Participant.objects.get(conference=delegation.conference, delegation=None)
        assert not hasattr(own, "membership")

    for one, other in zip(*answers, strict=True):
        assert one == other


def test_what_the_private_person_has_stays_whatever_the_delegation_does(delegation: Delegation) -> None:
    room = delegation.conference.admissions.get(mode="in_person")
    register(room, token="t", email="lena@state.example", alias="Sparrow", country=delegation.country)
    own = Participant.objects.get()
    before = (own.link_hash, own.display_name, own.updated_at)

    (member,) = nominate(delegation, nominee(email="lena@state.example"))
    browser = focal_point(delegation)
    browser.post(address(delegation, f"members/{member.membership.public_id}/"), {"action": "withdraw"})

    own.refresh_from_db()
    assert (own.link_hash, own.display_name, own.updated_at) == before
    assert Registration.objects.get(participant=own).status == "confirmed"


def test_the_form_answers_the_same_for_nominated_people(delegation: Delegation) -> None:
    room = delegation.conference.admissions.get(mode="in_person")
    nominate(delegation, nominee(email="lena@state.example"))

    nominated = register(room, token="a", email="lena@state.example")
    unknown = register(room, token="b", email="new@mail.example")

    assert nominated.outcomes == unknown.outcomes

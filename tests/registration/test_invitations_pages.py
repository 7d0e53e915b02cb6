"""Pages of invitations: what the link shows and does, and the organisers' list."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEntry, RoleKind
from events.admin import pages
from outbox.models import Message
from registration import forms
from registration.models import Admission, Invitation, InvitationState, Participant, Registration
from registration.services import invitations
from tests.factories import NOW, AdmissionFactory, QuestionFactory, RoleFactory, SideEventFactory
from tests.registration.test_invitations import LATER, invite

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def admission() -> Admission:
    """A conference in person, by invitation only; it is on-line for everybody."""
    made: Admission = AdmissionFactory(session=None, mode="in_person", approval="invitation")
    AdmissionFactory(session=None, mode="online", conference=made.conference)
    return made


def text(response: Any) -> str:
    """The page without its markup, with single blanks."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def filled(admission: Admission, **more: Any) -> dict[str, Any]:
    """What a browser sends for the form of an invitation; the address is not among it."""
    values: dict[str, Any] = {
        "token": forms.new_token(),
        "given_name": "Ada",
        "family_name": "Guest",
        "category": "academia",
        "attend": str(admission.public_id),
    }
    return values | more


# --- the public form --------------------------------------------------------------------------------------------------


def test_the_public_form_names_but_does_not_offer_what_is_by_invitation(client: Client, admission: Admission) -> None:
    address = f"/en/{admission.conference.slug}/register/"
    page = client.get(address)
    sent = client.post(address, filled(admission, email="ada@mail.example"))

    assert str(admission.public_id) not in page.content.decode()
    assert "In person : by invitation only" in text(page).replace("person:", "person :")
    assert sent.status_code == 422
    assert not Registration.objects.exists()


def test_what_has_no_other_way_stands_among_the_closed(client: Client) -> None:
    side = SideEventFactory()
    alone = AdmissionFactory(session=side, conference=side.conference, approval="invitation")
    page = client.get(f"/en/{alone.conference.slug}/register/")

    assert "By invitation only: the organisers write to those they invite." in text(page)
    api = client.get(f"/api/v1/admissions/{alone.public_id}/").json()
    assert (api["approval"], api["is_open"]) == ("invitation", False)


# --- the link ---------------------------------------------------------------------------------------------------------


def test_looking_changes_nothing_and_is_kept_nowhere(client: Client, admission: Admission) -> None:
    invitation = invite(admission)
    page = client.get(f"/i/{invitation.token}/")

    assert page.status_code == 200
    assert "Ada Guest" in text(page)
    assert (page["Cache-Control"], page["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert client.get(f"/i/{invitation.token}/register/").status_code == 200
    assert not Registration.objects.exists()
    assert client.get("/i/unknown/").status_code == 404


def test_accepting_by_the_form(client: Client, admission: Admission) -> None:
    invitation = invite(admission)
    page = client.get(f"/i/{invitation.token}/register/").content.decode()
    assert 'value="ada1@mail.example"' in page
    assert re.search(rf'value="{admission.public_id}"[^>]*checked', page)

    sent = filled(admission, alias="Blue Bird", email="other@mail.example")
    answer = client.post(f"/i/{invitation.token}/register/", sent)
    again = client.post(f"/i/{invitation.token}/register/", sent)

    assert answer.status_code == again.status_code == 303
    assert answer["Location"] == again["Location"]
    assert client.get(answer["Location"]).status_code == 200
    participant = Participant.objects.get()
    assert participant.display_name == "Blue Bird"
    assert participant.open_identity().email == "ada1@mail.example"


def test_after_the_answer_the_link_shows_nothing_of_the_person(client: Client, admission: Admission) -> None:
    invitation = invite(admission)
    client.post(f"/i/{invitation.token}/register/", filled(admission))

    for address in (f"/i/{invitation.token}/", f"/i/{invitation.token}/register/"):
        page = text(client.get(address))
        assert "This invitation is answered already." in page
        assert "Ada" not in page
        assert "mail.example" not in page
    second = client.post(f"/i/{invitation.token}/register/", filled(admission, given_name="Eve"))
    assert second.status_code == 409
    assert Registration.objects.count() == 1


def test_something_of_the_invitation_must_be_chosen(client: Client, admission: Admission) -> None:
    public = Admission.objects.get(mode="online")
    answer = client.post(f"/i/{invite(admission).token}/register/", filled(public))

    assert answer.status_code == 422
    assert "Choose at least one of the things you are invited to." in text(answer)


def test_declining_and_coming_back(client: Client, admission: Admission) -> None:
    invitation = invite(admission)
    declined = client.post(f"/i/{invitation.token}/", {"word": "I am away."}, follow=True)

    assert "You have declined." in text(declined)
    invitation.refresh_from_db()
    assert (invitation.state, invitation.word) == (InvitationState.DECLINED, "I am away.")
    assert client.post(f"/i/{invitation.token}/register/", filled(admission)).status_code == 303


def test_when_the_time_is_over_it_says_so_in_the_persons_language(client: Client, admission: Admission) -> None:
    invitation = invite(admission, language="de")
    with time_machine.travel(LATER + timedelta(seconds=1), tick=False):
        page = client.get(f"/i/{invitation.token}/")
        late = client.post(f"/i/{invitation.token}/register/", filled(admission))

    assert page["Content-Language"] == "de"
    assert "Ada" not in text(page)
    assert late.status_code == 409
    assert not Registration.objects.exists()


def test_a_foreign_page_cannot_answer(client: Client, admission: Admission) -> None:
    invitation = invite(admission)
    answer = client.post(f"/i/{invitation.token}/", {"word": ""}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


# --- organisers -------------------------------------------------------------------------------------------------------


@pytest.fixture
def organiser(client: Client, admission: Admission) -> Client:
    """An organiser of the conference, signed in."""
    client.force_login(RoleFactory(kind=RoleKind.ORGANISER, conference=admission.conference).user)
    return client


def to_what(admission: Admission) -> dict[str, Any]:
    """What people are invited to, and until when."""
    return {"admissions": [str(admission.public_id)], "expires_at": f"{LATER:%Y-%m-%dT%H:%M}", "language": "fr"}


def test_one_is_invited_and_names_are_opened_on_the_record(organiser: Client, admission: Admission) -> None:
    here = pages.url("invitations", admission.conference)
    person = {"action": "invite", "given_name": "Ada", "family_name": "Guest", "email": "ada@mail.example"}
    sent = organiser.post(here, person | to_what(admission))
    listed = organiser.get(here).content.decode()
    opened = organiser.post(here, {"action": "names"}).content.decode()

    assert sent.status_code == 302
    assert "A. G." in listed
    assert "Guest" not in listed
    assert "ada@mail.example" not in listed
    assert "Ada Guest" in opened
    assert "ada@mail.example" in opened
    assert [entry.details for entry in AuditEntry.objects.filter(action="invitations.opened")] == [{"number": 1}]


def test_a_list_is_previewed_then_invited_or_refused_by_row(organiser: Client, admission: Admission) -> None:
    many = pages.url("invitations-many", admission.conference)
    good = "E-Mail;Family name;Language\nada@mail.example;Guest;Deutsch\nbo@mail.example;Müller;\n".encode("cp1252")
    seen = organiser.post(many, to_what(admission) | {"file": SimpleUploadedFile("a.csv", good)})
    assert not Invitation.objects.exists()
    rows = re.search(r'name="rows" value="([^"]*)"', seen.content.decode())
    assert rows is not None

    made = organiser.post(many, to_what(admission) | {"rows": rows[1].replace("&quot;", '"')})
    assert made.status_code == 302
    assert sorted(Invitation.objects.values_list("language", flat=True)) == ["de", "fr"]
    assert Message.objects.filter(topic="invitation.sent").count() == 2

    bad = organiser.post(
        many, to_what(admission) | {"text": "Cy\tX\tcy@mail.example\nD\tY\tnone\nA\tG\tada@mail.example"}
    )
    assert bad.status_code == 422
    assert "Row 2:" in text(bad)
    assert "Row 3:" in text(bad)
    assert Invitation.objects.count() == 2


def test_actions_of_the_list_and_counts(organiser: Client, admission: Admission) -> None:
    here = pages.url("invitations", admission.conference)
    first, second = invite(admission), invite(admission, number=2)
    invitations.decline(invitation_id=second.pk, word="No.", now=NOW)
    for action, one in (("remind", first), ("again", second), ("withdraw", first)):
        organiser.post(here, {"action": action, "invitation": str(one.public_id)})

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (InvitationState.WITHDRAWN, InvitationState.SENT)
    assert first.reminded_at == NOW
    assert "Withdrawn: 1" in organiser.get(here).content.decode()
    assert organiser.get(f"{here}?state=sent").content.decode().count('<th scope="row">') == 1
    strange = invite(AdmissionFactory(session=None, approval="invitation"), number=3)
    assert organiser.post(here, {"action": "withdraw", "invitation": str(strange.public_id)}).status_code == 404


def test_a_file_that_organisers_ask_for_comes_with_the_acceptance(client: Client, admission: Admission) -> None:
    question = QuestionFactory(conference=admission.conference, kind="file")
    file = SimpleUploadedFile(
        "letter.pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n", "application/pdf"
    )
    invitation = invite(admission)
    missing = client.post(f"/i/{invitation.token}/register/", filled(admission, category="", **{question.name: file}))
    assert missing.status_code == 422

    sent = client.post(
        f"/i/{invitation.token}/register/",
        filled(admission, token=re.findall(r'name="token" value="([^"]+)"', missing.content.decode())[0])
        | {f"{question.name}-kept": "1"},
    )

    assert sent.status_code == 303
    assert Participant.objects.get().answers.count() == 1

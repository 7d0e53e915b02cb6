"""The name, address and words of somebody under an alias stand on no page, in no mail, log or row they should not."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts import actors
from events.admin import pages
from registration import forms, services
from registration.models import (
    Participant,
    Purpose,
)
from registration.models.participant import Identity
from registration.services import (
    consents,
)
from tests.browsers import signed_in
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory
from tests.registration import at_rest
from tests.registration.people import register
from tests.registration.test_invitations import invite
from tests.registration.test_questions import ask, file, send

pytestmark = pytest.mark.django_db

CANARY = "canary@mail.example"


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


def under_an_alias(conference: Any, **more: Any) -> Participant:
    """Somebody whose name and address nobody may learn."""
    values = {
        "display_name": "Wren",
        "has_alias": True,
        "identity": Identity("Canary", "Yellow", "canary@mail.example"),
    }
    made: Participant = ParticipantFactory(conference=conference, **values | more)
    return made


def test_typing_an_address_shows_no_organiser_whose_alias_gets_a_mail(client: Client) -> None:
    admission = AdmissionFactory()
    conference = admission.conference
    hidden = under_an_alias(conference)
    RegistrationFactory(admission=admission, participant=hidden)
    services.resend_personal_link(conference=conference, email="canary@mail.example", now=NOW)
    register(admission, token="again", email="canary@mail.example")
    known = ParticipantFactory(conference=conference, email="open@mail.example")
    services.resend_personal_link(conference=conference, email="open@mail.example", now=NOW)

    organiser = signed_in("organiser", conference)
    shown = organiser.get("/admin/outbox/message/").text
    found = organiser.get("/admin/outbox/message/", {"q": str(hidden.public_id)}).text

    assert f"participant {known.public_id.hex[:8]}" in shown
    assert f"participant {hidden.public_id.hex[:8]}" not in shown + found


def test_name_of_a_file_stays_with_its_sender(client: Client) -> None:
    admission = AdmissionFactory()
    conference = admission.conference
    letter, secret = ask(conference, "file"), ask(conference, "file", readers="confidential")
    sent = send(
        client, admission, alias="Wren",
        **{letter.name: file(name="Canary Yellow.pdf"), secret.name: file(name="Canary visa.pdf")},
    )  # fmt: skip
    person = Participant.objects.get()

    organiser, reader = signed_in("organiser", conference), signed_in("confidential", conference)
    seen = [
        organiser.get(pages.url("answers", conference)).text,
        organiser.get(pages.url("answers-file", conference, kind="csv")).text,
        organiser.get(f"/admin/registration/participant/{person.pk}/change/").text,
        reader.get(pages.url("confidential-answers", conference)).text,
        reader.get(pages.url("confidential-answers-file", conference, kind="csv")).text,
    ]

    assert sent.status_code == 303
    assert all("PDF" in page and "Canary" not in page for page in seen)
    assert "Canary Yellow.pdf" in client.get(f"/r/{person.personal_token}/").text  # their own page still says which


def test_name_and_words_of_somebody_under_an_alias_stand_nowhere(
    client: Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    conference = admission.conference
    secret = ask(conference, "lines", readers="confidential")
    letter = ask(conference, "file", readers="confidential")
    consents.ask_for(conference=conference, purposes=Purpose.values, by=actors.SYSTEM, now=NOW)
    sent = invite(admission, email=CANARY, given_name="Canary", family_name="Yellow")
    form: dict[str, Any] = {
        "token": forms.new_token(), "given_name": "Canary", "family_name": "Yellow", "alias": "Wren",
        "category": "academia", "attend": str(admission.public_id), secret.name: "Canary words",
        "consent-photo": "on", "accessibility_needs": "Canary lift",
    }  # fmt: skip
    statuses = []
    for name in ("\x00Canary", "Canary"):  # with a mistake first, so that the file waits
        form |= {"given_name": name, letter.name: file(data=b"%PDF-1.7 Canary content", name="Canary.pdf")}
        statuses.append(client.post(f"/i/{sent.token}/register/", form).status_code)
    person = Participant.objects.get()
    own = f"/r/{person.personal_token}/"
    client.post(f"{own}address/", {"email": "canary.two@mail.example"})
    client.post(f"{own}consents/", {"purpose": "photo", "answer": "give"})
    client.post(f"{own}consents/", {"purpose": "photo", "answer": "withdraw"})
    correction = form | {"family_name": "Yellower", "category": "media", "language": "en"}
    corrected = client.post(f"{own}correct/", correction | {letter.name: ""})
    other = ParticipantFactory(conference=conference, email="other@mail.example")

    seen = [client.get(f"/r/{other.personal_token}/data.json").text]
    for kind in ("organiser", "desk", "communications", "viewer"):
        seen += pages_of_organisers(signed_in(kind, conference), admission, person, other)

    assert (*statuses, corrected.status_code, person.answers.count()) == (422, 303, 303, 2)
    assert sum("Wren" in text for text in seen) > 10
    for text in seen:
        shown = re.sub(r'value="canary@mail.example"|q=canary', "", text)  # what the reader typed
        assert "canary" not in shown.casefold()
    kept = at_rest.everything()
    assert [word for word in ("Canary", "Yellow", CANARY, "canary.two") if at_rest.holds(kept, word)] == []
    assert "canary" not in (caplog.text + "".join(capfd.readouterr())).casefold()


def pages_of_organisers(client: Client, admission: Any, person: Participant, other: Participant) -> list[str]:
    """What somebody with a role reads about a person, on every page that may name them."""
    conference, mine = admission.conference, person.registrations.get()
    names = ("consents", "duplicates", "answers", "questions", "messages", "invitations", "by-hand", "waiting-lists")
    lists = [f"/admin/registration/{model}/" for model in ("participant", "registration", "question")]
    paths = [
        *lists,
        *(f"{path}?q=canary%40mail.example" for path in lists[:2]),
        "/admin/outbox/message/",
        "/admin/accounts/auditentry/",
        f"/admin/registration/participant/{person.pk}/change/",
        f"/admin/registration/registration/{mine.pk}/change/",
        *(pages.url(name, conference) for name in names),
        pages.url("participant-trail", conference, participant=person.public_id),
        pages.url("consents-person", conference, participant=person.public_id),
        pages.url("registration-trail", conference, registration=mine.public_id),
        pages.url("answers-file", conference, kind="csv"),
        pages.url("duplicate", conference, stays=person.public_id, goes=other.public_id),
    ]
    by_hand = client.get(pages.url("by-hand", conference))
    if by_hand.status_code != 200:
        return [client.get(path).text for path in paths]
    typed = {
        "family_name": "X", "email": CANARY, "category": "media", "language": "en", "asked": "1",
        "admissions": [admission.pk], "token": by_hand.context["form"].initial["token"],
    }  # fmt: skip
    answer = client.post(pages.url("by-hand", conference), typed)
    return [answer.text, *(client.get(path).text for path in paths)]

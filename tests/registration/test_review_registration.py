"""What a careful stranger, a colleague of another conference, or two clicks at once must not get out of us."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

import outbox.services
from accounts import actors
from events.admin import pages
from events.models import SessionState
from outbox.models import Message
from registration import forms, services
from registration.joining import platform_handlers
from registration.models import (
    Consent,
    Invitation,
    MemberState,
    Participant,
    Purpose,
    Registration,
)
from registration.models.participant import Identity
from registration.services import (
    addresses,
    announcements,
    consents,
    delegations,
    erasure,
    joining,
    merging,
    own_corrections,
)
from tests import factories
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory
from tests.registration import at_rest
from tests.registration.people import applicant, loaded, register
from tests.registration.test_delegation_views import a_delegation
from tests.registration.test_delegations import nominate, nominee
from tests.registration.test_invitations import invite
from tests.registration.test_merging import merge
from tests.registration.test_questions import ask, file, send
from tests.video.fakes.zoom import FakeZoom
from video.models import HostAccount, Meeting, MeetingState, Platform, Registrant, Service
from video.services import rooms

pytestmark = pytest.mark.django_db


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


def signed_in(kind: str, conference: Any) -> Client:
    """Somebody with a role there."""
    client = Client()
    client.force_login(factories.RoleFactory(kind=kind, conference=conference).user)
    return client


# --- whose alias it is ------------------------------------------------------------------------------------------------


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


# --- another name -----------------------------------------------------------------------------------------------------


@pytest.fixture
def zoom() -> Iterator[FakeZoom]:
    """A Zoom of the test's own."""
    fake = FakeZoom()
    yield fake
    fake.close()


def webinar(zoom: FakeZoom, admission: Any) -> Meeting:
    """A webinar that is ready for an admission."""
    HostAccount.objects.create(service=Service.ZOOM, label="Office", credentials=zoom.variables, host="host")
    type(admission.session).objects.update(state=SessionState.SCHEDULED)
    made: Meeting = factories.MeetingFactory(
        session=admission.session, platform=Platform.ZOOM_WEBINAR, state=MeetingState.PLANNED, address="",
        allowed_hosts=[],
    )  # fmt: skip
    rooms.order(made.pk, now=NOW)
    work()
    made.refresh_from_db()
    return made


def work() -> None:
    """What clock and worker do."""
    outbox.services.drain("zoom", now=NOW)
    platform_handlers.queue_missing_registrants(now=NOW)
    outbox.services.drain("zoom", now=NOW)


def on_platform(zoom: FakeZoom, meeting: Meeting) -> list[tuple[str, str]]:
    """Names and how they stand."""
    return [(one["first_name"], one["status"]) for one in zoom.people[meeting.provider_id]]


@pytest.mark.django_db(transaction=True)
def test_who_takes_an_alias_is_known_by_the_old_name_on_no_platform(zoom: FakeZoom) -> None:
    admission = AdmissionFactory()
    meeting = webinar(zoom, admission)
    person = ParticipantFactory(conference=admission.conference, given_name="Canary", family_name="Yellow")
    registration = RegistrationFactory(admission=admission, participant=person)
    work()
    before = on_platform(zoom, meeting)

    for alias in ("Wren", "Robin"):
        own = own_corrections.own_data(Participant.objects.select_related("identity_key").get())
        own_corrections.correct(participant_id=person.pk, wanted=replace(own, alias=alias), now=NOW)
        assert Registrant.objects.get().join_url == ""  # nobody comes in by the old place from this instant
        work()
        Registrant.objects.update(adds=0)  # another day

    assert before == [("Canary Yellow", "approved")]
    assert on_platform(zoom, meeting) == [("Canary Yellow", "denied"), ("Wren", "denied"), ("Robin", "approved")]
    assert not zoom.people[meeting.provider_id][-1]["email"].startswith("guest")
    assert Registrant.objects.get().person_id == registration.public_id
    assert not Message.objects.filter(group="zoom").exclude(state="sent").exists()


# --- what belongs together --------------------------------------------------------------------------------------------


def test_merging_keeps_the_caution_of_a_correction_and_what_was_sent_to_the_other_address() -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    stays, goes = (ParticipantFactory(conference=admission.conference) for _ in range(2))
    for person, days in ((stays, 1), (goes, 2)):
        Participant.objects.filter(pk=person.pk).update(audience_changed_at=NOW - timedelta(days=days))
    sent = invite(admission, email=goes.open_identity().email)

    merged = merge(stays, goes)
    merged.refresh_from_db()
    assert merged.audience_changed_at == NOW - timedelta(days=1)

    erasure.erase(participant_id=stays.pk, by=actors.SYSTEM, now=NOW)
    assert not Invitation.objects.readable().filter(pk=sent.pk).exists()


def test_what_was_sent_to_an_earlier_address_is_forgotten_with_the_person() -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    person = ParticipantFactory(conference=admission.conference)
    sent = invite(admission, email=person.open_identity().email)
    addresses.ask(participant_id=person.pk, address="new@mail.example", now=NOW)
    change = person.address_change
    addresses.confirm(token=addresses.token_of(change), now=NOW)

    erasure.erase(participant_id=person.pk, by=actors.SYSTEM, now=NOW)

    assert not Invitation.objects.readable().filter(pk=sent.pk).exists()


# --- two at once ------------------------------------------------------------------------------------------------------


def at_once(first: Callable[[], object], second: Callable[[], object], started: threading.Event) -> None:
    """Do the second while the first is in the middle, as `started` tells; errors of either are raised."""

    def do(job: Callable[[], object], waits: bool) -> None:
        try:
            if waits:
                assert started.wait(10)
            job()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(do, first, False), pool.submit(do, second, True)]:
            done.result(30)


def pausing(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> threading.Event:
    """Let a function wait before it begins, for as long as another transaction needs to run into its locks."""
    started, really = threading.Event(), getattr(module, name)

    def waits(*args: Any, **kwargs: Any) -> Any:
        if not started.is_set():
            started.set()
            threading.Event().wait(0.7)
        return really(*args, **kwargs)

    monkeypatch.setattr(module, name, waits)
    return started


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_erasing_and_merging_wait_for_an_invitation_that_is_being_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    conference = admission.conference
    person, twin, other = (ParticipantFactory(conference=conference) for _ in range(3))
    seen = merging.plan(stays_id=other.pk, goes_id=twin.pk).seen
    beside: list[tuple[Participant, Callable[[], object]]] = [
        (person, partial(erasure.erase, participant_id=person.pk, by=actors.SYSTEM, now=NOW)),
        (twin, partial(merge_if_unchanged, other, twin, seen)),
    ]
    for who, job in beside:
        email = who.open_identity().email
        invitation = Invitation.objects.get(pk=invite(admission, email=email).pk)
        accept = partial(
            services.register, conference=conference, admissions=loaded(admission), applicant=applicant(email=email),
            form_token=f"token-{who.pk}", now=NOW, invitation=invitation,
        )  # fmt: skip
        with monkeypatch.context() as patch:
            at_once(accept, job, pausing(patch, joining, "_find_or_make"))
        assert Invitation.objects.get(pk=invitation.pk).state == "accepted"


def merge_if_unchanged(stays: Participant, goes: Participant, seen: str) -> None:
    """Merge, or be told that the other came first."""
    with contextlib.suppress(merging.PlanChanged):
        merging.merge(stays_id=stays.pk, goes_id=goes.pk, seen=seen, from_other=(), by=actors.SYSTEM, now=NOW)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_taking_a_consent_back_while_the_nomination_is_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    [made] = nominate(a_delegation(), nominee())
    delegations.confirm(membership_id=made.membership.pk, is_listed=True, now=NOW)
    person = Participant.objects.get()
    started = pausing(monkeypatch, consents, "append")

    at_once(
        lambda: consents.withdraw(participant_id=person.pk, purpose=Purpose.LIST, language="en", now=NOW),
        lambda: delegations.withdraw(membership_id=made.membership.pk, by=actors.SYSTEM, now=NOW),
        started,
    )

    made.membership.refresh_from_db()
    assert (made.membership.state, made.membership.listed_at) == (MemberState.WITHDRAWN, None)
    assert not Consent.objects.newest().get().is_given


def test_correcting_and_deleting_after_somebody_else_merged_the_row_is_no_error(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = ParticipantFactory()
    token = person.personal_token
    found = services.access.find_personal(token)
    monkeypatch.setattr(services, "find_personal", lambda _token: found)  # as it was an instant ago
    Participant.objects.filter(pk=person.pk).delete()

    correction = {"category": "academia", "given_name": "Ada", "family_name": "Guest", "language": "en"}
    answers = [
        client.post(f"/r/{token}/correct/", correction),
        client.post(f"/r/{token}/address/", {"email": "new@mail.example"}),
        client.post(f"/r/{token}/consents/", {"purpose": "photo", "answer": "give"}),
        client.post(f"/r/{token}/delete/"),
    ]

    assert [answer.status_code for answer in answers] == [404, 422, 303, 404]
    assert not Registration.objects.exists()


# --- whatever is sent -------------------------------------------------------------------------------------------------

ODD = [
    "\x00",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "x" * 1_000_000,
    "=HYPERLINK(1)",
    "💣" * 600,
]


def test_no_page_breaks_whatever_is_sent(client: Client) -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    conference = admission.conference
    ask(conference, "choices", options="a b")
    ask(conference, "file")
    person = ParticipantFactory(conference=conference)
    RegistrationFactory(admission=admission, participant=person)
    invitation = invite(admission)
    addresses.ask(participant_id=person.pk, address="new@mail.example", now=NOW)
    secret, own = person.personal_token, f"/r/{person.personal_token}/"
    paths = [
        f"{own}correct/", f"{own}address/", f"{own}consents/", f"{own}data/", f"{own}data.json", own,
        f"/i/{invitation.token}/", f"/i/{invitation.token}/register/",
        f"/a/{addresses.token_of(person.address_change)}/", "/r/deleted/", f"/u/{secret}/", f"/i/{secret}/",
        f"/a/{secret}/", "/a/%00/", "/i/%ED%A0%80/", "/u/%F0%9F%92%A3/", f"/en/{conference.slug}/register/",
        f"/en/{conference.slug}/register/resend/",
    ]  # fmt: skip
    names = ["given_name", "email", "word", "purpose", "answer", "token", "category", "country", "time_zone", "attend"]
    names += [question.name for question in conference.questions.all()]
    found: dict[str, int] = {}
    for path in paths:
        tries = {
            "lang": client.get(
                path, {"lang": "xx\x00", "done": "<b>", "session": "\x00"}, headers={"HX-Request": "true"}
            ),
            "json": client.post(path, b'{"a": ', content_type="application/json"),
            "no boundary": client.post(path, b"x", content_type="multipart/form-data"),
            "put": client.put(path, b"x"),
            "head": client.head(path),
        }
        for odd in ODD:
            tries[odd[:9]] = client.post(path, dict.fromkeys(names, odd))
        tries["file for text"] = client.post(path, {name: file(name="\x00.pdf") for name in names})
        found |= {f"{path} {what}": answer.status_code for what, answer in tries.items()}

    assert {what: status for what, status in found.items() if status >= 500} == {}
    assert Registration.objects.count() == 1
    person.refresh_from_db()
    assert Participant.objects.get().display_name == person.display_name


@pytest.mark.parametrize(
    "rows", ["5", "[[1e999]]", "[" * 100_000, '[[1, "\\ud800", "\\u0000", "a@b.example", "en"]]', "[[[]]]"]
)
def test_list_that_comes_back_from_its_preview_may_be_anything(rows: str) -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    organiser = signed_in("organiser", admission.conference)
    sent = {
        "admissions": [str(admission.public_id)], "expires_at": "2030-07-10T12:00", "language": "en", "rows": rows,
    }  # fmt: skip

    answer = organiser.post(pages.url("invitations-many", admission.conference), sent)

    assert answer.status_code in {404, 422}
    assert not Invitation.objects.exists()


# --- who may ----------------------------------------------------------------------------------------------------------


def test_rows_of_another_conference_are_reached_by_no_page_of_ones_own() -> None:
    own = AdmissionFactory(session=None, mode="in_person").conference
    there = AdmissionFactory(session=None, mode="in_person")
    other = there.conference
    people = [ParticipantFactory(conference=other, given_name="Secret") for _ in range(2)]
    registration = RegistrationFactory(admission=there, participant=people[0])
    invitation = invite(there)
    question = ask(other)
    announcement = announcements.begin(
        conference=other, registration_ids=[registration.pk], by=actors.SYSTEM, now=NOW
    )  # fmt: skip
    tables = ["registration_registration", "registration_invitation", "registration_question", "outbox_message"]
    before = rows_of(tables)
    organiser = signed_in("organiser", own)
    answered: list[Any] = []
    for person in people:
        answered += [
            organiser.get(pages.url("participant-trail", own, participant=person.public_id)),
            organiser.post(
                pages.url("consents-person", own, participant=person.public_id),
                {"purpose": "photo", "answer": "give"},
            ),
        ]
    answered += [
        organiser.get(pages.url("registration-trail", own, registration=registration.public_id)),
        organiser.get(pages.url("duplicate", own, stays=people[0].public_id, goes=people[1].public_id)),
        organiser.post(pages.url("message", own, message=announcement.public_id), {"send": "1"}),
        organiser.get(f"/admin/registration/question/{question.pk}/change/"),
        *(
            organiser.post(pages.url("invitations", own), {"action": action, "invitation": str(invitation.public_id)})
            for action in ("withdraw", "again", "remind")
        ),
    ]
    harmless = [
        organiser.post(pages.url("invitations", own), {"action": "names"}),
        organiser.post(
            pages.url("duplicates", own), {"stays": str(people[0].public_id), "goes": str(people[1].public_id)}
        ),
        organiser.post(pages.url("questions", own), {f"position-{question.pk}": "9999"}),
        organiser.post(
            "/admin/registration/registration/",
            {"action": "write_to_selected", "_selected_action": [registration.pk], "select_across": "1"},
        ),
        organiser.post(
            "/admin/registration/registration/",
            {"action": "move_selected_to_top", "_selected_action": [registration.pk], "confirmed": "1", "reason": "x"},
        ),
        organiser.post(
            pages.url("invitations", own),
            {
                "action": "invite", "family_name": "X", "email": "x@mail.example", "language": "en",
                "admissions": [str(there.public_id)], "expires_at": "2030-07-10T12:00",
            },
        ),
    ]  # fmt: skip

    assert {answer.status_code for answer in answered} <= {302, 404}
    assert all("/consents" not in str(answer.headers.get("Location", "")) for answer in answered)
    assert "Secret" not in "".join(answer.content.decode() for answer in [*answered, *harmless])
    assert rows_of(tables) == before


def rows_of(tables: list[str]) -> list[str]:
    """All that stands in these tables."""
    with connection.cursor() as cursor:
        found = []
        for table in tables:
            cursor.execute(f'SELECT string_agg(t::text, chr(10) ORDER BY t.id) FROM "{table}" t')
            found.append(str(cursor.fetchone()))
    return found


def test_consent_on_paper_is_noted_and_taken_back_once() -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    conference = admission.conference
    person = ParticipantFactory(conference=conference, language="fr")
    consents.ask_for(conference=conference, purposes=["photo"], by=actors.SYSTEM, now=NOW)
    desk = signed_in("desk", conference)
    here = pages.url("consents-person", conference, participant=person.public_id)

    assert here in desk.get(f"/admin/registration/participant/{person.pk}/change/").text
    for answer in ("give", "give", "withdraw"):
        assert desk.post(here, {"purpose": "photo", "answer": answer}).status_code == 302
    not_asked = desk.post(here, {"purpose": "stream", "answer": "give"}, follow=True)
    page = desk.get(here).text

    lines = Consent.objects.order_by("pk").values_list("purpose", "is_given", "source", "language", "by__name")
    by = lines[0][4]
    assert list(lines) == [("photo", True, "paper", "fr", by), ("photo", False, "paper", "fr", by)]
    assert by
    assert "does not ask for this consent" in not_asked.text
    assert "Signed on paper" in page
    assert signed_in("viewer", conference).get(here).status_code in {302, 403, 404}
    assert desk.post(here, {"purpose": "x", "answer": "give"}).status_code == 404
    erasure.erase(participant_id=person.pk, by=actors.SYSTEM, now=NOW)
    assert desk.get(here).status_code == 404


# --- nowhere ----------------------------------------------------------------------------------------------------------


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


CANARY = "canary@mail.example"


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

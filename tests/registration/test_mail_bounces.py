"""People whose mails come back are flagged, as long as they have the address that the mail went to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import actors
from accounts.models import AuditEntry
from outbox import bounces as outbox_bounces
from outbox.bounces import Bounce, Kind
from registration.letters import bounces
from registration.models import MailBounce, OptOut, Participant
from registration.services import erasure, own_data
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def bounce(participant: Participant, *, kind: Kind = Kind.HARD, code: str = "550 5.1.1", **more: Any) -> Bounce:
    message = factories.MessageFactory(
        about_kind="participant", about_id=participant.public_id, order_key=f"participant:{participant.public_id}"
    )
    mark = more.get("mark") or outbox_bounces.mark(participant.open_identity().email)
    return Bounce(message, kind, code, mark, more.get("at", NOW))


def flagged() -> list[tuple[str, str]]:
    return list(MailBounce.objects.current().values_list("kind", "code"))


def test_bounce_flags_the_person_once_and_stands_in_the_trail() -> None:
    participant = factories.ParticipantFactory()

    bounces.note(bounce(participant))
    bounces.note(bounce(participant, at=NOW + timedelta(hours=1)))
    bounces.note(bounce(participant, kind=Kind.SOFT, code="452 4.2.2"))

    assert flagged() == [("hard", "550 5.1.1")]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.about_id) == ("participant.mail_bounced", participant.public_id)
    assert entry.details == {"kind": "hard", "code": "550 5.1.1"}


def test_bounce_of_an_earlier_address_flags_nobody() -> None:
    participant = factories.ParticipantFactory()

    bounces.note(bounce(participant, mark="otheraddr"[:8]))

    assert flagged() == []


def test_correcting_the_address_clears_the_flag() -> None:
    participant = factories.ParticipantFactory()
    bounces.note(bounce(participant))

    Participant.objects.filter(pk=participant.pk).update(email_index=b"x" * 32)

    assert flagged() == []
    assert not MailBounce.objects.select_related("participant").get().is_current


@pytest.mark.django_db(transaction=True)
def test_erasing_takes_the_flag_along_and_a_late_report_brings_none() -> None:
    participant = factories.ParticipantFactory()
    late = bounce(participant)
    bounces.note(late)
    OptOut.objects.create(about_kind="participant", about_id=participant.public_id, created_at=NOW)

    erasure.erase(participant_id=participant.pk, by=actors.SYSTEM, now=NOW)
    bounces.note(late)

    assert not MailBounce.objects.exists()
    assert not OptOut.objects.exists()


def test_organisers_find_whose_mails_come_back(client: Client) -> None:
    admission = factories.AdmissionFactory()
    hurt, fine = (factories.ParticipantFactory(conference=admission.conference, display_name=n) for n in ("Ash", "Elm"))
    rows = [factories.RegistrationFactory(admission=admission, participant=one) for one in (hurt, fine)]
    bounces.note(bounce(hurt))
    client.force_login(factories.RoleFactory(kind="organiser", conference=admission.conference).user)
    listed = reverse("admin:registration_registration_changelist")

    found = {
        value: [one.pk for one in client.get(listed, {"bounced": value}).context["cl"].result_list]
        for value in ("any", "hard", "soft")
    }
    page = client.get(reverse("admin:registration_registration_change", args=[rows[0].pk]))

    assert found == {"any": [rows[0].pk], "hard": [rows[0].pk], "soft": []}
    assert "The address does not work (550 5.1.1)" in page.text


def test_people_read_it_among_their_own_data() -> None:
    participant = factories.ParticipantFactory()
    bounces.note(bounce(participant))
    OptOut.objects.create(about_kind="participant", about_id=participant.public_id, created_at=NOW)

    sections = own_data.collect(Participant.objects.get(pk=participant.pk), now=NOW)

    [[came_back, answer], [opted_out]] = next(one.records for one in sections if one.key == "reminders")
    assert (came_back.value, answer.value, opted_out.value) == (NOW, "550 5.1.1", NOW)

"""The board "who has no link": how far everybody has got, what failed, and one button that tries it again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

import outbox.services
from accounts.actors import SYSTEM
from accounts.models import AuditEntry
from events.admin import pages
from outbox.models import Message, MessageState
from registration import workplace
from registration.joining import boards, platform_handlers
from registration.letters import messages
from registration.models import (
    Admission,
    BounceKind,
    JoinNetwork,
    MailBounce,
    Registration,
    RegistrationStatus,
)
from tests.factories import (
    NOW,
    MeetingFactory,
    MessageFactory,
    ParticipantFactory,
    RegistrationFactory,
    RoleFactory,
    StaffFactory,
)
from tests.video.fakes.server import Fault
from tests.video.fakes.zoom import FakeZoom
from tests.video.test_people import ADD, START, confirmed, meeting, work
from video.models import Meeting, Registrant, RegistrantState

__all__ = ["meeting"]


def linked(registration: Registration, **values: Any) -> Message:
    """The mail with the link of somebody."""
    state = values.pop("state", MessageState.SENT)
    is_over = state in {MessageState.SENT, MessageState.DEAD}
    made: Message = MessageFactory(
        topic=messages.JOIN_LINK,
        about_kind="registration",
        about_id=registration.public_id,
        state=state,
        finished_at=NOW if is_over else None,
        created_at=NOW,
        **values,
    )
    return made


def bounced(registration: Registration, kind: str) -> None:
    """Mails to somebody come back."""
    person = registration.participant
    MailBounce.objects.create(
        participant=person, kind=kind, address_index=person.email_index, topic="t", at=NOW + timedelta(hours=1)
    )


def admission_of(room: Meeting) -> Admission:
    """Of the tests' meeting."""
    assert room.session is not None
    found: Admission = Admission.objects.select_related("session", "conference").get(session=room.session)
    return found


def test_figures_and_rows_say_how_far_everybody_is(meeting: Meeting, zoom: FakeZoom, client: Client) -> None:
    done, refused, back, dead = (confirmed(meeting, display_name=name) for name in ("Ada", "Ben", "Cleo", "Dora"))
    admission = admission_of(meeting)
    RegistrationFactory(
        admission=admission,
        participant=ParticipantFactory(conference=admission.conference),
        status=RegistrationStatus.WAITLISTED,
    )
    work()
    Registrant.objects.filter(person_id=done.public_id).update(joined_at=START)
    Registration.objects.filter(pk=done.pk).update(joined_at=START)
    Registrant.objects.filter(person_id=refused.public_id).update(
        state=RegistrantState.REFUSED, last_error="Taken off on the platform."
    )
    linked(done)
    linked(back)
    bounced(back, BounceKind.SOFT)
    linked(dead, state=MessageState.DEAD, last_error="It could not be sent in time.")
    for network in range(4):
        JoinNetwork.objects.create(registration=done, hour=START, network=bytes([network]) * 16)

    found = boards.figures(admission, meeting)

    assert found == boards.Figures(
        confirmed=4, linked=3, mailed=2, bounced=1, clicked=1, joined=1, many=1, failed=3, unmailed=2
    )
    client.force_login(StaffFactory())
    page = client.get(pages.url("joining-of", admission.conference, admission=admission.public_id))
    told = " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())
    assert "Ben Not taken by the platform Not queued yet – – Taken off on the platform." in told
    assert "Cleo Entered Sent – – A mail did not arrive" in told
    assert "Dora Entered Given up – – It could not be sent in time." in told
    assert "The link was used from many networks within an hour." in told
    assert [need.number for need in workplace.of_links(admission.conference, NOW)] == [1]
    assert "canary" not in page.content.decode()
    failed = client.get(page.request["PATH_INFO"] + "?only=failed").content.decode()
    assert ("Ada" in failed, "Ben" in failed) == (False, True)
    flagged = client.get(page.request["PATH_INFO"] + "?only=flagged").content.decode()
    assert ("Ada" in flagged, "Ben" in flagged) == (True, False)
    unmailed = client.get(page.request["PATH_INFO"] + "?only=unmailed").content.decode()
    assert [name in unmailed for name in ("Ada", "Ben", "Cleo", "Dora")] == [False, True, False, True]
    assert "Ada" not in client.get(pages.url("joining", admission.conference)).content.decode()


def test_one_button_tries_again_what_failed_and_nothing_twice(meeting: Meeting, zoom: FakeZoom) -> None:
    one, hard = confirmed(meeting), confirmed(meeting)
    zoom.faults.append(Fault(ADD, status=400, data={"code": 3027, "message": "Host can not register."}))
    work()
    assert sorted(Registrant.objects.values_list("state", flat=True)) == [
        RegistrantState.ADDED,
        RegistrantState.REFUSED,
    ]
    dead = linked(one, state=MessageState.DEAD, details={"opens_at": (START - timedelta(minutes=15)).isoformat()})
    soft = linked(hard)
    bounced(hard, BounceKind.SOFT)
    other = confirmed(meeting)
    linked(other)
    bounced(other, BounceKind.HARD)
    admission = admission_of(meeting)

    counts = [boards.try_again(admission, meeting, by=SYSTEM, now=NOW + timedelta(hours=2)) for _again in range(2)]
    outbox.services.drain("zoom", now=NOW + timedelta(hours=2))
    platform_handlers.queue_missing_registrants(now=NOW + timedelta(hours=2))
    counts.append(boards.try_again(admission, meeting, by=SYSTEM, now=NOW + timedelta(hours=3)))

    # A given-up mail, a refused person, a mail that came back, and somebody who was not there yet.
    assert counts == [4, 0, 0]
    dead.refresh_from_db()
    assert dead.state == MessageState.QUEUED
    assert Message.objects.filter(key=f"{soft.key}:again:1").exists()
    assert set(Registrant.objects.values_list("state", flat=True)) == {RegistrantState.ADDED}
    assert len(zoom.people[meeting.provider_id]) == 3, "nobody twice"
    assert AuditEntry.objects.filter(action="admission.links_tried_again").count() == 1


@pytest.mark.django_db
def test_board_of_many_people_takes_the_same_few_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    room = MeetingFactory()
    people = [confirmed(room) for _again in range(3)]
    admission = admission_of(room)
    client.force_login(StaffFactory())
    address = pages.url("joining-of", admission.conference, admission=admission.public_id)

    def queries() -> int:
        with django_assert_max_num_queries(60) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    client.get(address)
    few = queries()
    for registration in [*people, *(confirmed(room) for _again in range(20))]:
        linked(registration)
    assert queries() == few


@pytest.mark.django_db
def test_replacing_a_link_and_queueing_need_the_right_to_change(client: Client) -> None:
    room = MeetingFactory()
    one = confirmed(room)
    admission = admission_of(room)
    address = pages.url("joining-of", admission.conference, admission=admission.public_id)
    client.force_login(RoleFactory(kind="communications", conference=admission.conference).user)
    assert client.get(address).status_code == 200
    assert client.post(address, {"replace": str(one.public_id)}).status_code == 404
    client.force_login(RoleFactory(kind="organiser", conference=admission.conference).user)
    for wrong in ("", "x", "00000000-0000-0000-0000-000000000001"):
        assert client.post(address, {"replace": wrong}).status_code == 404
    assert client.post(address, {"replace": str(one.public_id)}).status_code == 302
    assert client.post(address, {"again": "1"}).status_code == 302
    one.refresh_from_db()
    assert one.join_version == 2
    other = MeetingFactory()
    confirmed(other)
    foreign = pages.url("joining-of", admission.conference, admission=admission_of(other).public_id)
    assert client.get(foreign).status_code == 404

"""Webhooks: what is told to whom, how it is signed, what becomes of it when the other server misbehaves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

import outbox.services
from accounts import actors
from accounts.actors import Actor
from accounts.models import ActorKind, AuditEntry
from events.models import SessionState, Visibility
from events.releases import publishing
from outbox.models import Message, MessageState
from outbox.results import Mail, Superseded
from registration.models import (
    Delegation,
    DeliveryState,
    Membership,
    PauseReason,
    RegistrationStatus,
    WebhookDelivery,
    WebhookEvent,
    WebhookState,
    WebhookSubscription,
)
from registration.models.webhook import OF_MEMBERS, OF_PROGRAMME
from registration.services import webhooks as services
from registration.webhooks import deliveries as webhooks
from registration.webhooks import handlers as webhook_handlers
from registration.webhooks import mails
from tests.factories import (
    AdmissionFactory,
    ConferenceFactory,
    ParticipantFactory,
    RegistrationFactory,
    RoleFactory,
    SideEventFactory,
)
from tests.receiver import HOST, Receiver, receiver, server
from tests.registration.test_races import at_once
from tests.registration.tokens import Program, a_delegation, person, token

__all__ = ["receiver", "server"]  # fixtures


def focal_point(delegation: Delegation) -> Actor:
    found = delegation.focal_points.first()
    assert found is not None
    return Actor(ActorKind.DELEGATION, found.user)


def subscribe(delegation: Delegation, url: str = f"https://{HOST}/", *events: str) -> services.Made:
    return services.make(
        conference=delegation.conference,
        delegation=delegation,
        label="Ministry",
        url=url,
        events=events or [event.value for event in (*OF_MEMBERS, *OF_PROGRAMME)],
        by=focal_point(delegation),
        now=timezone.now(),
    )


def drain(now: datetime | None = None) -> outbox.services.Report:
    return outbox.services.drain(webhooks.GROUP, now=now)


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Standard Webhooks, written from the specification and from nothing of ours."""
    stamp = int(headers["webhook-timestamp"])
    assert abs(time.time() - stamp) < 300
    key = base64.b64decode(secret.split("_", 1)[1])
    content = headers["webhook-id"].encode() + b"." + str(stamp).encode() + b"." + body
    expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return any(hmac.compare_digest(one, f"v1,{expected}") for one in headers["webhook-signature"].split(" "))


def nominate(delegation: Delegation, **more: Any) -> str:
    answer = Program(token(delegation, now=timezone.now(), expires_at=timezone.now() + timedelta(days=1))).post(
        "/participants/", person(**more)
    )
    assert answer.status_code == 201, answer.content
    return str(answer.json()["participant"])


# --- what is told -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_nomination_is_told_signed_and_names_nobody(receiver: Receiver) -> None:
    delegation = a_delegation()
    made = subscribe(delegation, receiver.url)

    member = nominate(delegation)
    report = drain()

    assert report.sent == 1
    ((headers, body),) = receiver.requests
    assert verified(made.secret, headers, body)
    told = json.loads(body)
    assert told["type"] == "registration.confirmed"
    assert told["data"] == {
        "conference": str(delegation.conference.public_id),
        "delegation": str(delegation.public_id),
        "participant": member,
        "place": "held",
    }
    assert headers["host"] == f"{HOST}:{receiver.port}"
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status_code, delivery.attempts) == (DeliveryState.DELIVERED, 204, 1)
    assert headers["webhook-id"] == f"msg_{delivery.public_id.hex}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("way", "told"),
    [
        (["confirmed"], ["registration.confirmed"]),
        (["waitlisted", "confirmed"], ["registration.waitlisted", "registration.promoted"]),
        (["waitlisted", "offered", "confirmed"], ["registration.waitlisted", "registration.promoted"]),
        (["confirmed", "attended", "confirmed"], ["registration.confirmed"]),
        (["confirmed", "cancelled"], ["registration.confirmed", "registration.cancelled"]),
        (["rejected"], ["registration.cancelled"]),
    ],
)
def test_every_move_is_told_by_its_name(way: list[str], told: list[str]) -> None:
    delegation = a_delegation()
    subscribe(delegation)
    member = member_of(delegation)

    for status in way:
        position = 1 if status == "waitlisted" else None
        member.status, member.position = status, position
        if status == "offered":
            member.offered_until = timezone.now() + timedelta(hours=1)
        if status == "cancelled":
            member.cancelled_at = timezone.now()
        member.save()

    assert list(WebhookDelivery.objects.order_by("pk").values_list("event", flat=True)) == told
    assert Message.objects.filter(topic=webhooks.TOPIC, group=webhooks.GROUP).count() == len(told)
    assert {event.value for event in OF_MEMBERS} >= set(told)


def member_of(delegation: Delegation, **more: Any) -> Any:
    """A member's pending registration for the conference."""
    participant = ParticipantFactory(conference=delegation.conference)
    Membership.objects.create(
        delegation=delegation,
        participant=participant,
        mode="online",
        capacity="adviser",
        answer_hash=secrets.token_bytes(32),
        nominated_at=timezone.now(),
    )
    admission = delegation.conference.admissions.filter(session=None, mode="online").first()
    values = {"participant": participant, "admission": admission, "status": RegistrationStatus.PENDING}
    return RegistrationFactory(**(values | more))


@pytest.mark.django_db
def test_nobody_else_is_told_of_and_no_session_that_a_member_chose() -> None:
    delegation = a_delegation()
    subscribe(delegation)
    subscribe_other = a_delegation(conference=delegation.conference)
    subscribe(subscribe_other)
    paused = subscribe(delegation, f"https://{HOST}/paused").subscription
    services.pause(paused, by=focal_point(delegation), now=timezone.now())
    side_event = AdmissionFactory(session=SideEventFactory(conference=delegation.conference))
    member = member_of(delegation, admission=side_event)

    member.status = RegistrationStatus.CONFIRMED
    member.save()
    own = RegistrationFactory(
        admission=delegation.conference.admissions.first(), participant__country=delegation.country
    )
    own.status, own.cancelled_at = RegistrationStatus.CANCELLED, timezone.now()
    own.save()

    assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db
def test_release_tells_what_strangers_may_know() -> None:
    conference = ConferenceFactory()
    moved, hidden, off, gone = (SideEventFactory(conference=conference, title={"en": "Secret title"}) for _ in range(4))
    publishing.publish(conference, by=None, now=timezone.now(), check=False)
    organiser = Actor.organiser(RoleFactory(kind="organiser", conference=conference).user)
    services.make(
        conference=conference,
        delegation=None,
        label="Partner",
        url=f"https://{HOST}/",
        events=[event.value for event in OF_PROGRAMME],
        by=organiser,
        now=timezone.now(),
    )
    moved.starts_at, moved.ends_at = moved.starts_at + timedelta(hours=1), moved.ends_at + timedelta(hours=1)
    hidden.visibility, hidden.state = Visibility.INVITATION, SessionState.CANCELLED
    off.state, gone.state = SessionState.CANCELLED, SessionState.DRAFT
    for session in (moved, hidden, off, gone):
        session.save()

    release = publishing.publish(conference, by=None, now=timezone.now(), check=False)

    told = {(one.event, one.data.get("session")): one.data for one in WebhookDelivery.objects.all()}
    assert set(told) == {
        ("programme.released", None),
        ("session.changed", str(moved.public_id)),
        ("session.cancelled", str(off.public_id)),
        ("session.changed", str(gone.public_id)),
    }
    assert told["programme.released", None]["number"] == release.number == 2
    assert told["session.changed", str(moved.public_id)]["changes"] == ["moved"]
    assert told["session.changed", str(gone.public_id)].keys() == {"conference", "release", "session", "changes"}
    assert "Secret" not in json.dumps([*told.values()])


# --- secrets, limits and rights ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_both_secrets_sign_until_the_old_one_is_dropped(receiver: Receiver) -> None:
    delegation = a_delegation()
    first = subscribe(delegation, receiver.url)
    by = focal_point(delegation)
    second = services.rotate(first.subscription, by=by, now=timezone.now())
    with pytest.raises(services.StillRotating):
        services.rotate(first.subscription, by=by, now=timezone.now())

    services.send_test(first.subscription, now=timezone.now())
    drain()
    services.drop_old_secret(first.subscription, by=by, now=timezone.now())
    services.send_test(first.subscription, now=timezone.now())
    drain()

    before, after = receiver.requests
    assert [verified(secret, *before) for secret in (first.secret, second.secret)] == [True, True]
    assert [verified(secret, *after) for secret in (first.secret, second.secret)] == [False, True]
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM registration_webhooksubscription")
        assert second.secret[6:] not in cursor.fetchone()[0]
    actions = set(AuditEntry.objects.filter(about_kind="webhook").values_list("action", flat=True))
    assert actions == {"webhook.made", "webhook.rotated", "webhook.secret-dropped"}


@pytest.mark.django_db
def test_partner_is_told_of_no_members_and_an_address_must_be_fit_to_be_called() -> None:
    delegation = a_delegation()
    by = focal_point(delegation)
    values: dict[str, Any] = {
        "conference": delegation.conference,
        "delegation": None,
        "label": "Partner",
        "url": f"https://{HOST}/",
        "by": by,
        "now": timezone.now(),
    }
    with pytest.raises(services.EventsRefused):
        services.make(**values, events=["registration.confirmed"])
    with pytest.raises(services.AddressRefused):
        services.make(**(values | {"url": f"http://{HOST}/"}), events=["programme.released"])
    for _number in range(services.MOST):
        subscribe(delegation)
    with pytest.raises(services.TooMany):
        subscribe(delegation)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_in_the_name_of_who_is_no_focal_point_any_more(receiver: Receiver) -> None:
    delegation = a_delegation()
    subscription = subscribe(delegation, receiver.url).subscription
    nominate(delegation)
    delegation.focal_points.all().delete()

    drain()

    subscription.refresh_from_db()
    assert not receiver.requests
    assert (subscription.state, subscription.pause_reason) == (WebhookState.PAUSED, PauseReason.RIGHT)
    assert WebhookDelivery.objects.get().state == DeliveryState.MISSED


# --- servers that misbehave -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_failure_is_tried_again_with_the_same_id_and_body_and_holds_up_this_webhook_alone(receiver: Receiver) -> None:
    delegation, other = a_delegation(), a_delegation()
    subscription = subscribe(delegation, receiver.url).subscription
    subscribe(other, receiver.url)
    receiver.answer = receiver.says(503)
    nominate(delegation)
    nominate(delegation, number=2)
    drain(timezone.now() + timedelta(seconds=1))
    assert len(receiver.requests) == 1  # the second waits for the first
    receiver.answer = receiver.says(200)
    nominate(other)
    assert drain(timezone.now() + timedelta(seconds=1)).sent == 1

    drain(timezone.now() + timedelta(seconds=60))

    first, _others, *again = receiver.requests
    ids = [headers["webhook-id"] for headers, _body in again]
    assert len(ids) == 2
    assert first[0]["webhook-id"] in ids
    assert first[1] in [body for _headers, body in again]
    subscription.refresh_from_db()
    assert (subscription.failures, subscription.not_before) == (0, None)


@pytest.mark.django_db(transaction=True)
def test_retry_after_is_honoured(receiver: Receiver) -> None:
    delegation = a_delegation()
    subscribe(delegation, receiver.url)
    nominate(delegation)
    receiver.answer = receiver.says(429, Retry_After="600")
    now = timezone.now() + timedelta(seconds=1)

    drain(now)

    message = Message.objects.get(topic=webhooks.TOPIC)
    assert message.state == MessageState.RETRYING
    assert message.next_attempt_at == now + timedelta(seconds=600)


@pytest.mark.django_db(transaction=True)
def test_gone_pauses_at_once_and_what_happens_meanwhile_can_be_sent_later(receiver: Receiver) -> None:
    delegation = a_delegation()
    subscription = subscribe(delegation, receiver.url).subscription
    nominate(delegation)
    nominate(delegation, number=2)
    receiver.answer = receiver.says(410)

    drain()

    subscription.refresh_from_db()
    assert (subscription.state, subscription.pause_reason) == (WebhookState.PAUSED, PauseReason.GONE)
    assert Message.objects.filter(topic=mails.TOPIC).count() == 1
    assert len(receiver.requests) == 1
    first, second = WebhookDelivery.objects.order_by("pk")
    assert [first.state, second.state] == [DeliveryState.FAILED, DeliveryState.MISSED]

    receiver.answer = receiver.says(200)
    services.resume(subscription, by=focal_point(delegation), now=timezone.now())
    services.send_again(first, now=timezone.now())
    services.send_again(first, now=timezone.now())  # a second click
    drain()

    assert receiver.requests[0][0]["webhook-id"] == receiver.requests[1][0]["webhook-id"]
    assert len(receiver.requests) == 2


@pytest.mark.django_db
def test_those_who_look_after_a_webhook_get_a_mail_when_it_stops_by_itself() -> None:
    delegation = a_delegation()
    point = delegation.focal_points.get().user
    point.language = "fr"
    point.save()
    subscription = subscribe(delegation, f"https://{HOST}/hook/secret-path").subscription
    now = timezone.now()

    services.pause(subscription, by=focal_point(delegation), now=now)
    by_hand = Message.objects.filter(topic=mails.TOPIC).count()
    services.resume(subscription, by=focal_point(delegation), now=now)
    services.pause(subscription, by=actors.SYSTEM, now=now, reason=PauseReason.FAILURES)
    message = Message.objects.get(topic=mails.TOPIC)
    mail = mails.tell(message, now=now)

    assert by_hand == 0
    assert isinstance(mail, Mail)
    assert (mail.to, mail.language) == (point.email, "fr")
    assert HOST in mail.text
    assert "secret-path" not in mail.text + mail.html
    assert f"/delegations/{delegation.public_id}/webhooks/" in mail.text
    services.resume(subscription, by=focal_point(delegation), now=now)
    assert isinstance(mails.tell(message, now=now), Superseded)


@pytest.mark.django_db
def test_partners_webhook_is_the_affair_of_whoever_set_it_up() -> None:
    organiser = RoleFactory(kind="organiser", conference=ConferenceFactory())
    made = services.make(
        conference=organiser.conference,
        delegation=None,
        label="Partner",
        url=f"https://{HOST}/",
        events=[OF_PROGRAMME[0].value],
        by=Actor.organiser(organiser.user),
        now=timezone.now(),
    )
    services.pause(made.subscription, by=actors.SYSTEM, now=timezone.now(), reason=PauseReason.GONE)

    mail = mails.tell(Message.objects.get(topic=mails.TOPIC), now=timezone.now())

    assert isinstance(mail, Mail)
    assert mail.to == organiser.user.email
    assert f"/admin/events/conference/{organiser.conference_id}/webhooks/" in mail.text


@pytest.mark.django_db(transaction=True)
def test_server_that_fails_for_a_day_is_paused_and_before_the_deadline_given_up(receiver: Receiver) -> None:
    delegation = a_delegation()
    subscription = subscribe(delegation, receiver.url).subscription
    receiver.answer = receiver.says(500)
    nominate(delegation)
    now = timezone.now() + timedelta(seconds=1)
    WebhookSubscription.objects.update(failures=19, failing_since=now - timedelta(hours=23))
    drain(now)
    subscription.refresh_from_db()
    assert subscription.state == WebhookState.ACTIVE

    drain(now + timedelta(hours=2))

    subscription.refresh_from_db()
    assert (subscription.state, subscription.pause_reason) == (WebhookState.PAUSED, PauseReason.FAILURES)
    assert WebhookDelivery.objects.get().state == DeliveryState.FAILED


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_told_in_three_days_says_so_in_its_log(receiver: Receiver) -> None:
    delegation = a_delegation()
    subscribe(delegation, receiver.url)
    receiver.answer = receiver.says(500)
    nominate(delegation)
    message = Message.objects.get(topic=webhooks.TOPIC)
    assert message.deadline_at - message.created_at == webhooks.TRIED_FOR

    drain(message.deadline_at - timedelta(seconds=5))

    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status_code) == (DeliveryState.FAILED, 500)


@pytest.mark.django_db
def test_log_is_forgotten_after_a_month() -> None:
    delegation = a_delegation()
    subscription = subscribe(delegation).subscription
    now = timezone.now()
    for days in (29, 31):
        WebhookDelivery.objects.create(
            subscription=subscription, event=WebhookEvent.TEST, happened_at=now - timedelta(days=days)
        )

    assert services.forget_old_deliveries(now=now) == 1
    assert webhook_handlers.FAILURES_UNTIL_PAUSED > 1
    assert actors.SYSTEM.user is None


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_number_of_webhooks_is_kept_when_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    delegation = a_delegation()
    monkeypatch.setattr(services, "MOST", 2)

    def make() -> bool:
        try:
            subscribe(delegation)
        except services.TooMany:
            return False
        return True

    assert sum(at_once([make] * 5)) == 2
    assert WebhookSubscription.objects.count() == 2

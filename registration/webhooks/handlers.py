"""Telling programs of others: what a release changes is queued here, and every telling is sent here.

A server that does not answer holds up its own webhook alone: all its messages wait until the time of its next try.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from alliance.api.fields import at_the_venue
from alliance.outgoing import Reply, Strangers
from events.models import Release, Session
from events.releases import publishing
from events.releases.changes import Change
from events.releases.reading import published
from outbox import topics
from outbox.models import Message
from outbox.results import Done, Permanent, Postponed, Superseded, Temporary
from outbox.retry_after import retry_at
from registration.models import (
    DeliveryState,
    PauseReason,
    WebhookDelivery,
    WebhookEvent,
    WebhookState,
    WebhookSubscription,
)
from registration.models.webhook import OF_PROGRAMME
from registration.services import webhooks as services
from registration.webhooks import deliveries as webhooks

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=30)
# A server is given up after as many tries in a row, and not before a day has passed.
FAILURES_UNTIL_PAUSED, FAILING_UNTIL_PAUSED = 20, timedelta(days=1)
_GONE = 410
_AT_ONCE = 500


# --- what a release changes -------------------------------------------------------------------------------------------


def queue_release(release: Release) -> None:
    """Queue what a release changes for everybody who wants to know it, in the transaction that publishes."""
    wanted = [event.value for event in OF_PROGRAMME]
    subscriptions = list(
        WebhookSubscription.objects.filter(
            conference=release.conference, state=WebhookState.ACTIVE, events__overlap=wanted
        )
    )
    if not subscriptions:
        return
    told = list(_tellings(release))
    deliveries = [
        WebhookDelivery(subscription=one, event=event, data=data, happened_at=release.made_at)
        for one in subscriptions
        for event, data in told
        if event in one.events
    ]
    for start in range(0, len(deliveries), _AT_ONCE):
        part = WebhookDelivery.objects.bulk_create(deliveries[start : start + _AT_ONCE])
        outbox.services.queue(webhooks.messages(part, now=release.made_at))


def _tellings(release: Release) -> list[tuple[str, dict[str, Any]]]:
    """Events with what they say: the release, then its sessions in the order of the changes.

    Sessions that strangers may not see are left out; one that was public and is withdrawn is named by its id alone.
    """
    conference = release.conference
    about = {"conference": str(conference.public_id), "release": str(release.public_id)}
    found: list[tuple[str, dict[str, Any]]] = [(WebhookEvent.RELEASED.value, about | {"number": release.number})]
    by_session: dict[int, list[Change]] = defaultdict(list)
    for change in release.changes:
        if "session" in change and not change.get("quiet"):
            by_session[change["session"]].append(change)
    rows = Session.objects.filter(conference=conference).in_bulk(by_session)
    public = set(conference.sessions.public().values_list("pk", flat=True))
    for key, changes in by_session.items():
        session = rows.get(key)
        kinds = list(dict.fromkeys(change["kind"].removeprefix("session_") for change in changes))
        if session is None or (key not in public and kinds != ["withdrawn"]):
            continue
        data: dict[str, Any] = about | {"session": str(session.public_id), "changes": kinds}
        if key in public:
            data |= {
                "starts_at": at_the_venue(session.starts_at, conference.zone),
                "ends_at": at_the_venue(session.ends_at, conference.zone),
            }
        is_cancelled = "cancelled" in kinds
        event = WebhookEvent.SESSION_CANCELLED if is_cancelled else WebhookEvent.SESSION_CHANGED
        found.append((event.value, data))
    return found


# --- sending ----------------------------------------------------------------------------------------------------------


@published
def deliver(message: Message, *, now: datetime) -> Done | Superseded:
    """Send one telling. Raises Temporary, Postponed and Permanent for the outbox."""
    delivery = (
        WebhookDelivery.objects.select_related(
            "subscription__made_by", "subscription__conference", "subscription__delegation__conference"
        )
        .filter(public_id=message.about_id)
        .first()
    )
    if delivery is None or delivery.state != DeliveryState.WAITING or delivery.sendings != message.about_version:
        return Superseded("gone")
    subscription = delivery.subscription
    is_test = delivery.event == WebhookEvent.TEST
    if not services.still_stands(subscription):
        services.pause(subscription, by=actors.SYSTEM, now=now, reason=PauseReason.RIGHT)
        return _missed(delivery)
    if not is_test and subscription.state == WebhookState.PAUSED:
        return _missed(delivery)
    if not is_test and subscription.not_before is not None and subscription.not_before > now:
        if subscription.not_before >= message.deadline_at:
            raise _given_up(delivery)
        raise Postponed(retry_at=subscription.not_before)
    body = webhooks.body_of(delivery)
    headers = webhooks.headers_of(subscription, delivery, body, now=now)
    reply = Strangers(ports=services.ports()).post(subscription.url, body, headers)
    works = 200 <= reply.status < 300 and not reply.problem
    _note(delivery, reply, now=now, state=DeliveryState.DELIVERED if works else DeliveryState.WAITING)
    if works:
        if subscription.failures or subscription.not_before:
            WebhookSubscription.objects.filter(pk=subscription.pk).update(
                failures=0, failing_since=None, not_before=None
            )
        return Done()
    return _failed(message, delivery, reply, now=now, is_test=is_test)


def _failed(message: Message, delivery: WebhookDelivery, reply: Reply, *, now: datetime, is_test: bool) -> Done:
    """What becomes of it: always an exception for the outbox."""
    subscription = delivery.subscription
    if is_test:  # somebody looks at the page and waits for the answer
        raise _given_up(delivery)
    if reply.status == _GONE:
        services.pause(subscription, by=actors.SYSTEM, now=now, reason=PauseReason.GONE)
        raise _given_up(delivery)
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(subscription.failures, 10))
    again = now + wait * random.uniform(0.5, 1)
    if asked := retry_at(reply.headers.get("retry-after"), now=now):
        again = max(asked, now + timedelta(seconds=1))
    since = subscription.failing_since or now
    WebhookSubscription.objects.filter(pk=subscription.pk).update(
        failures=F("failures") + 1, failing_since=since, not_before=again
    )
    if subscription.failures + 1 >= FAILURES_UNTIL_PAUSED and now - since >= FAILING_UNTIL_PAUSED:
        services.pause(subscription, by=actors.SYSTEM, now=now, reason=PauseReason.FAILURES)
        raise _given_up(delivery)
    if again >= message.deadline_at:
        raise _given_up(delivery)
    raise Temporary(_said(reply), retry_at=again)


def _said(reply: Reply) -> str:
    return f"The other server answered {reply.status}." if reply.status else f"No answer: {reply.problem}."


def _note(delivery: WebhookDelivery, reply: Reply, *, now: datetime, state: DeliveryState) -> None:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=state,
        attempts=F("attempts") + 1,
        status_code=reply.status or None,
        problem=reply.problem,
        tried_at=now,
    )


def _missed(delivery: WebhookDelivery) -> Superseded:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.MISSED)
    return Superseded("paused")


def _given_up(delivery: WebhookDelivery) -> Permanent:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.FAILED)
    return Permanent("The other server did not take it.")


def register() -> None:
    """Make the handler known, and act whenever a programme is published. Called when the app is ready."""
    topics.register(webhooks.TOPIC, deliver, group=webhooks.GROUP, title=_("Notice to a program"))
    publishing.on_published(queue_release)

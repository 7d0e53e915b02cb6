"""The pages of webhooks: set up by focal points and organisers, each for what they look after."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from outbox.models import Message
from registration.models import Delegation, DeliveryState, WebhookDelivery, WebhookState, WebhookSubscription
from tests.factories import RoleFactory
from tests.registration.tokens import a_delegation

pytestmark = pytest.mark.django_db
URL = "https://hooks.ministry.example/alliance"


def focal_page(client: Client, delegation: Delegation) -> str:
    """The page of a delegation, its focal point signed in."""
    found = delegation.focal_points.first()
    assert found is not None
    client.force_login(found.user)
    return reverse("registration:delegation-webhooks", args=[delegation.public_id])


def set_up(client: Client, page: str, **more: Any) -> Any:
    return client.post(page, {"label": "Ministry", "url": URL, "events": ["registration.confirmed"], **more})


def test_focal_point_sees_the_secret_once(client: Client) -> None:
    page = focal_page(client, a_delegation())

    made = set_up(client, page)

    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]{44}", made.text)
    assert WebhookSubscription.objects.get().secret == secret
    assert made.headers["Cache-Control"] == "no-store"
    later = client.get(page)
    assert URL in later.text
    assert "whsec_" not in later.text


@pytest.mark.parametrize(
    "more", [{"url": "http://hooks.ministry.example/"}, {"url": "https://10.0.0.1/"}, {"events": []}]
)
def test_what_cannot_be_set_up_is_explained(client: Client, more: dict[str, Any]) -> None:
    answer = set_up(client, focal_page(client, a_delegation()), **more)

    assert answer.status_code == 422
    assert 'class="field-error"' in answer.text
    assert not WebhookSubscription.objects.exists()


def test_buttons_do_what_they_say(client: Client) -> None:
    page = focal_page(client, a_delegation())
    set_up(client, page)
    webhook = WebhookSubscription.objects.get()

    def press(action: str, **more: Any) -> Any:
        answer = client.post(page, {"action": action, "webhook": str(webhook.public_id), **more})
        webhook.refresh_from_db()
        return answer

    before = webhook.secret
    assert "whsec_" in press("rotate").text
    assert webhook.old_secret == before != webhook.secret
    assert "whsec_" not in press("rotate").text  # a second click
    assert press("drop").status_code == 303
    assert webhook.old_secret == ""
    press("pause")
    assert webhook.state == WebhookState.PAUSED
    press("resume")
    assert webhook.state == WebhookState.ACTIVE
    press("test")
    delivery = WebhookDelivery.objects.get()
    WebhookDelivery.objects.update(state=DeliveryState.FAILED)
    press("again", delivery=str(delivery.public_id))
    assert Message.objects.filter(about_id=delivery.public_id).count() == 2
    assert client.post(page, {"action": "nonsense", "webhook": str(webhook.public_id)}).status_code == 404
    client.post(page, {"action": "remove", "webhook": str(webhook.public_id)})
    assert not WebhookSubscription.objects.exists()


def test_webhook_of_another_delegation_is_not_there(client: Client) -> None:
    mine, other = a_delegation(), a_delegation()
    set_up(client, focal_page(client, other))
    theirs = WebhookSubscription.objects.get()
    page = focal_page(client, mine)

    assert URL not in client.get(page).text
    for webhook in (theirs.public_id, uuid4(), "x"):
        for action in ("rotate", "pause", "remove", "test"):
            assert client.post(page, {"action": action, "webhook": str(webhook)}).status_code == 404
    assert client.get(reverse("registration:delegation-webhooks", args=[other.public_id])).status_code == 404


def test_organiser_sets_up_for_partners_and_can_stop_those_of_delegations(client: Client) -> None:
    delegation = a_delegation()
    set_up(client, focal_page(client, delegation))
    theirs = WebhookSubscription.objects.get()
    client.force_login(RoleFactory(kind="organiser", conference=delegation.conference, user__is_staff=True).user)
    page = reverse("admin:events_conference_webhooks", args=[delegation.conference.pk])

    refused = set_up(client, page)  # a partner is told of no members
    made = set_up(client, page, events=["programme.released"])
    client.post(page, {"action": "pause", "webhook": str(theirs.public_id)})

    assert refused.status_code == 422
    assert "whsec_" in made.text
    assert WebhookSubscription.objects.get(delegation=None).events == ["programme.released"]
    theirs.refresh_from_db()
    assert theirs.state == WebhookState.PAUSED

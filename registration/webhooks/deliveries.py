"""What is told to programs of others, and how it is signed: the Standard Webhooks specification (docs/webhooks.md).

What is said holds ids, times and the public programme, and never who somebody is: a receiver that wants more reads it
with its token, and gets what that token may see.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import outbox.services
from outbox.models import Message
from registration.models import WebhookDelivery, WebhookSubscription

TOPIC = "registration.webhook"
GROUP = "webhook"
TRIED_FOR = timedelta(days=3)  # the trigger of registration.0020 says the same
_BEGINS = "whsec_"


def new_secret() -> str:
    """A secret as the specification writes it: 256 random bits."""
    return _BEGINS + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def webhook_id(delivery: WebhookDelivery) -> str:
    """The same over all attempts, so that receivers see duplicates."""
    return f"msg_{delivery.public_id.hex}"


def body_of(delivery: WebhookDelivery) -> bytes:
    """What is sent: the same bytes at each attempt."""
    happened_at = delivery.happened_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"type": delivery.event, "timestamp": happened_at, "data": delivery.data}
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def headers_of(
    subscription: WebhookSubscription, delivery: WebhookDelivery, body: bytes, *, now: datetime
) -> dict[str, str]:
    """Id, time of this attempt, and a signature for each secret that counts: two while one takes the other's place."""
    found, stamp = webhook_id(delivery), str(int(now.timestamp()))
    signed = f"{found}.{stamp}.".encode() + body
    signatures = [
        f"v1,{_signature(secret, signed)}" for secret in (subscription.secret, subscription.old_secret) if secret
    ]
    return {
        "content-type": "application/json",
        "webhook-id": found,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_BEGINS))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


def messages(deliveries: Iterable[WebhookDelivery], *, now: datetime) -> list[Message]:
    """The messages that send the deliveries; another one for each time that one is sent."""
    return [
        outbox.services.message(
            topic=TOPIC,
            about_kind="webhook_delivery",
            about_id=delivery.public_id,
            version=delivery.sendings,
            key=f"webhook:{delivery.public_id}:{delivery.sendings}",
            now=now,
            deadline_at=now + TRIED_FOR,
        )
        for delivery in deliveries
    ]

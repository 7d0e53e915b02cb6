"""What platforms send us: judged by its signature over the raw bytes, then read. Nothing is read before.

Zoom signs "v0:", its clock and the body with HMAC-SHA256, and asks now and then whether the address is ours. Webex
signs the body alone with HMAC-SHA1, the only way it has. Names of people are in both; they are not even looked at.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from video.adapters.base import WebhookChallenge, WebhookEvent, WebhookKind, WebhookRejected, WebhookResult

STALE = timedelta(minutes=5)  # what Zoom's clock and ours may be apart
_NUMBER = re.compile(r"[0-9]{1,12}")
_LONGEST = 120  # of an id
_ZOOM = {
    "started": WebhookKind.STARTED,
    "ended": WebhookKind.ENDED,
    "deleted": WebhookKind.DELETED,
    "updated": WebhookKind.CHANGED,
    "participant_joined": WebhookKind.JOINED,
    "participant_left": WebhookKind.LEFT,
    "registration_cancelled": WebhookKind.CANCELLED,
    "registration_denied": WebhookKind.CANCELLED,
}
_WEBEX = {
    ("meetings", "started"): WebhookKind.STARTED,
    ("meetings", "ended"): WebhookKind.ENDED,
    ("meetings", "deleted"): WebhookKind.DELETED,
    ("meetings", "updated"): WebhookKind.CHANGED,
    ("meetingParticipants", "joined"): WebhookKind.JOINED,
    ("meetingParticipants", "left"): WebhookKind.LEFT,
}


def from_zoom(secret: str, headers: Mapping[str, str], raw: bytes, *, now: datetime) -> WebhookResult:
    """What Zoom says. headers: with names in small letters. secret: the app's secret token; empty refuses all."""
    stamp = headers.get("x-zm-request-timestamp", "")
    message = b"v0:" + stamp.encode("utf-8", "surrogatepass") + b":" + raw
    if not _is_signed(secret, message, "v0=", headers.get("x-zm-signature", ""), "sha256"):
        return WebhookRejected("signature")
    if not _NUMBER.fullmatch(stamp) or abs(now.timestamp() - int(stamp)) > STALE.total_seconds():
        return WebhookRejected("stale")
    data = _read(raw)
    if data is None:
        return WebhookRejected("unreadable")
    about = _inside(data, "payload")
    if data.get("event") == "endpoint.url_validation":
        plain = about.get("plainToken")
        if not isinstance(plain, str) or not plain:
            return WebhookRejected("unreadable")
        answer = {"plainToken": plain, "encryptedToken": _mac(secret, plain.encode("utf-8", "surrogatepass"), "sha256")}
        return WebhookChallenge(json.dumps(answer).encode())
    thing = _inside(about, "object")
    kind = _ZOOM.get(str(data.get("event")).partition(".")[2], WebhookKind.OTHER)
    person = _inside(thing, "participant") or _inside(thing, "registrant")
    number = word(person.get("registrant_id")) or (word(person.get("id")) if "registrant" in thing else "")
    at = instant(person.get("date_time")) or _milliseconds(data.get("event_ts"))
    return WebhookEvent(kind, word(thing.get("id")), number, at)


def from_webex(secret: str, headers: Mapping[str, str], raw: bytes) -> WebhookResult:
    """What Webex says. Events name the meeting as it was held: the series is what stands before the underscore."""
    if not _is_signed(secret, raw, "", headers.get("x-spark-signature", ""), "sha1"):
        return WebhookRejected("signature")
    data = _read(raw)
    if data is None:
        return WebhookRejected("unreadable")
    thing = _inside(data, "data")
    kind = _WEBEX.get((str(data.get("resource")), str(data.get("event"))), WebhookKind.OTHER)
    is_person = kind in {WebhookKind.JOINED, WebhookKind.LEFT}
    meeting = word(thing.get("meetingId") if is_person else thing.get("meetingSeriesId") or thing.get("id"))
    moment = thing.get("joinedTime" if kind == WebhookKind.JOINED else "leftTime") if is_person else None
    email = str(thing.get("email") or "")[:320] if is_person else ""
    return WebhookEvent(kind, meeting.partition("_")[0], at=instant(moment), email=email)


def instant(value: object) -> datetime | None:
    """A moment as platforms write it, aware; None for what is none, or the 1970 by which Webex says "unknown"."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None or found.tzinfo is None or found.year < 2000:
        return None
    return found.astimezone(UTC)


def word(value: object) -> str:
    """An id, which some events give as a number and others as text; empty for what cannot be one."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if len(text) <= _LONGEST and text.isascii() and text.isprintable() else ""


def _milliseconds(value: object) -> datetime | None:
    if not isinstance(value, int) or not 10**12 <= value < 10**13:
        return None
    return datetime.fromtimestamp(value / 1000, tz=UTC)


def _mac(secret: str, message: bytes, algorithm: str) -> str:
    return hmac.new(secret.encode(), message, getattr(hashlib, algorithm)).hexdigest()


def _is_signed(secret: str, message: bytes, begins: str, given: str, algorithm: str) -> bool:
    """Compared in constant time. Without a secret nothing is signed."""
    wanted = begins + _mac(secret, message, algorithm)
    return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogatepass")) and bool(secret)


def _read(raw: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _inside(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}

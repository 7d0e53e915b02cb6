"""When the other side lets us try again: the header Retry-After in all forms that platforms send.

RFC 9110 knows seconds and an HTTP date; some send an ISO 8601 date-time. What comes out goes into Temporary(retry_at=).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MOST = timedelta(hours=24)
_LONGEST = 64  # characters; no form is longer
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].+")


def retry_at(value: str | None, *, now: datetime, most: timedelta = MOST) -> datetime | None:
    """The instant from which to try again; None when the header is missing or says nothing readable.

    now: the instant of the answer (aware UTC). The result lies between now and now + most: a platform with a wrong
    clock must neither make us hammer it nor stop us for a year. Times without an offset are UTC.
    """
    text = (value or "").strip()
    if not text or len(text) > _LONGEST:
        return None
    when = _instant(text, now)
    return None if when is None else min(max(when, now), now + most)


def _instant(text: str, now: datetime) -> datetime | None:
    try:
        if _SECONDS.fullmatch(text):
            return now + timedelta(seconds=float(text))
        when = datetime.fromisoformat(text) if _ISO.fullmatch(text) else parsedate_to_datetime(text)
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

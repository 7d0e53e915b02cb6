"""How much may leave in a minute: for a way out ("mail", "zoom"...) and for the domain of an address ("gmail.com").

Large mail providers slow down or refuse who sends too fast, and platforms count requests. What may leave is set by
OUTBOX_PER_MINUTE; whatever is not named there has no limit. The count stands in one row per destination, so that it
holds for all workers together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from outbox.models import Budget


def limits() -> Mapping[str, int]:
    """Messages a minute by destination."""
    found: Mapping[str, int] = settings.OUTBOX_PER_MINUTE
    return found


def next_minute(now: datetime) -> datetime:
    """When counting begins anew."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def take(destination: str, wanted: int, *, now: datetime) -> int:
    """Reserve up to `wanted` messages of the present minute; how many may leave. All of them where nothing is set."""
    limit = limits().get(destination)
    if limit is None:
        return wanted
    minute = now.replace(second=0, microsecond=0)
    with transaction.atomic():
        Budget.objects.bulk_create([Budget(destination=destination, minute=minute)], ignore_conflicts=True)
        row = Budget.objects.select_for_update().get(destination=destination)
        if row.minute < minute:
            row.minute, row.used = minute, 0
        granted = max(0, min(wanted, limit - row.used))
        row.used += granted
        row.save(update_fields=["minute", "used"])
    return granted


def give_back(destination: str, unused: int) -> None:
    """What was reserved and did not leave. A minute that has passed meanwhile gets a little too much; that is fine."""
    if unused > 0 and destination in limits():
        Budget.objects.filter(destination=destination).update(used=Greatest(F("used") - unused, 0))

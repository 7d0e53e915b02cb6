"""A way out that does not answer: nobody tries it but one message every half minute."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import models

from outbox.delivery.leases import Clock
from outbox.models import Outage

logger = logging.getLogger(__name__)

PROBE_EVERY = timedelta(seconds=30)


class Gate:
    """Is a way out open? Shared by all workers through a row, so that an outage costs one probe every half minute."""

    def __init__(self, group: str, clock: Clock) -> None:
        self.group = group
        self.clock = clock
        self.is_probe = False

    def limit(self, batch: int) -> int:
        """How many messages may be claimed now: a batch, 1 to try a way out that was closed, or 0."""
        outage = Outage.objects.filter(group=self.group).first()
        self.is_probe = outage is not None
        if outage is None:
            return batch
        now = self.clock.now()
        won = Outage.objects.filter(group=self.group, next_probe_at__lte=now).update(
            next_probe_at=now + PROBE_EVERY, probes=models.F("probes") + 1
        )
        return 1 if won else 0

    def open(self) -> None:
        """Something answered: let everybody through again."""
        if self.is_probe:
            self.is_probe = False
            Outage.objects.filter(group=self.group).delete()
            logger.warning("The way out “%s” works again", self.group)

    def close(self, reason: str) -> None:
        """Nothing answers: nobody tries for half a minute."""
        now = self.clock.now()
        next_probe_at = now + PROBE_EVERY
        known, is_new = Outage.objects.get_or_create(
            group=self.group, defaults={"since": now, "next_probe_at": next_probe_at, "last_error": reason}
        )
        if not is_new:
            Outage.objects.filter(pk=known.pk).update(next_probe_at=next_probe_at, last_error=reason)
        else:
            logger.error("The way out “%s” is closed: %s", self.group, reason)

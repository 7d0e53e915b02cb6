"""Long work that an organiser has ordered: a row that workers take, and whose progress a page shows."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliance.db import EncryptedBinaryField, EncryptedTextField, PublicIdField
from events.models.conference import Conference


class JobState(models.TextChoices):
    """Where work stands."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Under way")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


FINISHED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class Job(models.Model):
    """One piece of long work: an import, an export, a document, a message to many.

    kind: finds the function that does it (events.jobs). order: what it needs to know, ids and choices only. upload: the
    file it works on, result: the file it makes; both encrypted, and deleted a few hours after the end. said: what it
    tells its owner at the end, in their language; encrypted, for it may speak of rows.
    The owner alone sees it. A worker holds it under a lease, as it does a message.
    """

    public_id = PublicIdField()
    kind = models.CharField(max_length=40)
    conference = models.ForeignKey(Conference, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    order = models.JSONField(default=dict, blank=True)
    upload = EncryptedBinaryField(default=b"", blank=True, editable=False)
    state = models.CharField(max_length=12, choices=JobState, default=JobState.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    is_cancelling = models.BooleanField(default=False)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True)
    starts = models.PositiveSmallIntegerField(default=0)
    said = EncryptedTextField(blank=True)
    result = EncryptedBinaryField(default=b"", blank=True, editable=False)
    result_name = models.CharField(max_length=120, blank=True)
    result_type = models.CharField(max_length=120, blank=True)
    result_url = models.CharField(max_length=250, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("long work")
        verbose_name_plural = _("long work")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="job_state_is_known", condition=Q(state__in=JobState.values)),
            models.CheckConstraint(
                name="job_lease_has_token_and_end",
                condition=Q(state=JobState.RUNNING, lease_token__isnull=False, leased_until__isnull=False)
                | (~Q(state=JobState.RUNNING) & Q(lease_token__isnull=True, leased_until__isnull=True)),
            ),
            models.CheckConstraint(
                name="job_finished_at_a_time",
                condition=Q(state__in=FINISHED, finished_at__isnull=False)
                | (~Q(state__in=FINISHED) & Q(finished_at__isnull=True)),
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(name="job_of_owner", fields=["owner", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.kind} (#{self.pk})"

    @property
    def is_finished(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.state in FINISHED

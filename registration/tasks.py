"""What the clock does for registration. Tasks carry no arguments; each may run twice, late, or beside itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from registration import services
from registration.joining import platform_handlers, rehearsals
from registration.letters import digests, reminders
from registration.services import (
    addresses,
    asked,
    consents,
    data_life,
    farewells,
    invitations,
    proofs,
    taking_back,
    webhooks,
)
from speakers import consents as speaker_consents


@shared_task(name="registration.tasks.promote_into_free_places", ignore_result=True, time_limit=120)
def promote_into_free_places() -> None:
    """No place is free while somebody waits for it."""
    services.promote_into_free_places(now=timezone.now())


@shared_task(name="registration.tasks.queue_missing_join_links", ignore_result=True, time_limit=120)
def queue_missing_join_links() -> None:
    """Everybody confirmed has their join link coming, a day before the door opens at the latest."""
    services.queue_missing_join_links(now=timezone.now())


@shared_task(name="registration.tasks.queue_missing_registrants", ignore_result=True, time_limit=120)
def queue_missing_registrants() -> None:
    """Everybody confirmed is entered on the platform of the meeting, and nobody else is."""
    platform_handlers.queue_missing_registrants(now=timezone.now())


@shared_task(name="registration.tasks.forget_old_idempotency_keys", ignore_result=True, time_limit=120)
def forget_old_idempotency_keys() -> None:
    """No answer to a form is kept longer than a week, and what organisers may take back no longer than that."""
    now = timezone.now()
    taking_back.forget(now=now)
    proofs.noted("form_answers", lambda: services.forget_old_idempotency_keys(now=now), now=now)


@shared_task(name="registration.tasks.forget_answers", ignore_result=True, time_limit=600)
def forget_answers() -> None:
    """Answers go when their time has passed, and files that wait for a corrected form after an hour."""
    services.answers.forget_kept_uploads(now=timezone.now())
    services.answers.forget_old_answers(now=timezone.now())


@shared_task(name="registration.tasks.remind_invited", ignore_result=True, time_limit=240)
def remind_invited() -> None:
    """Whoever has not answered an invitation is reminded once, before the time runs out."""
    invitations.remind_unanswered(now=timezone.now())


@shared_task(name="registration.tasks.forget_webhook_deliveries", ignore_result=True, time_limit=240)
def forget_webhook_deliveries() -> None:
    """The log of what was told to programs of others goes after a month."""
    now = timezone.now()
    proofs.noted("deliveries", lambda: webhooks.forget_old_deliveries(now=now), now=now)


@shared_task(name="registration.tasks.forget_old_invitations", ignore_result=True, time_limit=240)
def forget_old_invitations() -> None:
    """Nobody can read who was invited to a conference that is over for two weeks."""
    now = timezone.now()
    proofs.note("invitations", invitations.forget_after_conferences(now=now), now=now)


@shared_task(name="registration.tasks.release_due_reserves", ignore_result=True, time_limit=120)
def release_due_reserves() -> None:
    """Reserved seats return to everybody at their time, to the minute."""
    services.release_due_reserves(now=timezone.now())


@shared_task(name="registration.tasks.forget_addresses", ignore_result=True, time_limit=50)
def forget_addresses() -> None:
    """Addresses of the erased go when the last mail has left, and what nobody confirmed goes when its time is over."""
    farewells.forget(now=timezone.now())
    addresses.forget(now=timezone.now())
    now = timezone.now()
    proofs.noted("wishes", lambda: asked.forget(now=now), now=now)


@shared_task(name="registration.tasks.expire_consents", ignore_result=True, time_limit=240)
def expire_consents() -> None:
    """A consent whose time is over is taken back, with the work that follows from it."""
    consents.expire(now=timezone.now())
    speaker_consents.expire(now=timezone.now())


@shared_task(name="registration.tasks.erase_what_is_due", ignore_result=True, time_limit=240)
def erase_what_is_due() -> None:
    """Data about people goes when its period after the conference has passed, with a proof."""
    data_life.erase_due(now=timezone.now())


@shared_task(name="registration.tasks.forget_of_house", ignore_result=True, time_limit=240)
def forget_of_house() -> None:
    """What the house keeps no longer goes, with a proof: messages, attempts, sessions, old lines of the audit trail."""
    data_life.forget_of_house(now=timezone.now())


@shared_task(name="registration.tasks.expire_offers", ignore_result=True, time_limit=120)
def expire_offers() -> None:
    """An offer that nobody took in time goes to the next in line."""
    services.expire_offers(now=timezone.now())


@shared_task(name="registration.tasks.queue_reminders", ignore_result=True, time_limit=120)
def queue_reminders() -> None:
    """Whoever is confirmed is reminded a day and an hour before."""
    reminders.queue_due(now=timezone.now())


@shared_task(name="registration.tasks.queue_digests", ignore_result=True, time_limit=120)
def queue_digests() -> None:
    """Focal points have yesterday's news of their delegation from seven o'clock on."""
    digests.queue_due(now=timezone.now())


@shared_task(name="registration.tasks.end_rehearsals", ignore_result=True, time_limit=120)
def end_rehearsals() -> None:
    """What a rehearsal has held back leaves when its time is up; hashes of networks go after a week."""
    now = timezone.now()
    rehearsals.end_overdue(now=now)
    proofs.noted("networks", lambda: services.links.forget(now=now), now=now)

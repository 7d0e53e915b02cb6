"""What a session's page asks of everybody in the room. It says nothing of whom it is for."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from events.models import Session
from speakers import protection

register = template.Library()


@register.simple_tag
def asked_of_all(session: Session) -> list[str]:
    """Sentences for the page of a session: no recording, no photographs. One query."""
    no_recording, no_photo = protection.asked_of_all(session.pk)
    return [
        *([_("This session is not recorded. Please record nothing of it yourself.")] if no_recording else []),
        *([_("Please take no photographs in this session.")] if no_photo else []),
    ]

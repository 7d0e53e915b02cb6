"""Tags that put schema.org's words into the head of a page."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from alliance import json_ld
from events import selectors, structured_data
from events.models import Conference

register = template.Library()


@register.simple_tag
def conference_data(conference: Conference, page: selectors.ConferencePage) -> SafeString:
    """The conference and what its page lists; nothing while its days are not known."""
    found = structured_data.conference_event(conference, page.days)
    return json_ld.script(found) if found else SafeString("")


@register.simple_tag
def session_data(page: selectors.SessionPage) -> SafeString:
    """The session of the page; nothing while no day is known."""
    found = structured_data.session_event(page)
    return json_ld.script(found) if found else SafeString("")

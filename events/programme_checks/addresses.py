"""Addresses that people will follow: damaged ones, and those that took the punctuation of their sentence along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from events.models import Convenorship, Material, Reference
from events.programme_checks.core import Finding, Programme, Row, error, row_of, title, warning

_PUNCTUATION = ".,;:!?'\"’”»…"
_BRACKETS = {")": "(", "]": "[", "}": "{", ">": "<"}
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SECOND_SCHEME = re.compile(r"^https?:/*https?:?/", re.IGNORECASE)


def is_damaged(url: str) -> bool:
    """Whether an address cannot be followed as it stands: broken by a line end, typed twice, without a host."""
    if any(char.isspace() or not char.isprintable() or char in '<>"\\' for char in url):
        return True
    if _BROKEN_PERCENT.search(url) or _SECOND_SCHEME.match(url):
        return True
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return True
    host = parts.hostname or ""
    return parts.scheme not in {"http", "https"} or "." not in host.strip(".") or ".." in host


def ends_in_punctuation(url: str) -> bool:
    """Whether the end belongs to the sentence around the address; a bracket does where nothing opens it."""
    last = url[-1:]
    opening = _BRACKETS.get(last)
    if opening is not None:
        return url.count(last) > url.count(opening)
    return bool(last) and last in _PUNCTUATION


def _check_address(url: str, name: str, row: Row) -> Iterator[Finding]:
    if not url:
        return
    if is_damaged(url):
        yield error("address_damaged", f"The {name} is damaged: {url}", row)
    elif ends_in_punctuation(url):
        yield warning("address_ends_in_punctuation", f"The {name} ends in punctuation: {url}", row)


def check_addresses(programme: Programme) -> Iterator[Finding]:
    """Addresses that people will follow. One that is marked as broken is not shown as a link: only a warning."""
    conference = programme.conference
    yield from _check_address(conference.livestream_url, "livestream address", row_of(conference))
    yield from _check_address(conference.event_page_url, "event page", row_of(conference))
    for session in programme.sessions:
        row = row_of(session)
        if session.registration_url_is_broken:
            text = f"{title(session)} has a registration address marked as broken: {session.registration_url}"
            yield warning("address_marked_broken", text, row)
        else:
            yield from _check_address(session.registration_url, f"registration address of {title(session)}", row)
    references = Reference.objects.filter(conference=conference).order_by("pk")
    for reference in references:
        for url in (reference.url, reference.second_url):
            name = f"address of reference {reference.number_printed} ({reference.document})"
            yield from _check_address(url, name, row_of(reference))
    materials = Material.objects.filter(conference=conference).order_by("position", "pk")
    for material in materials:
        name = f"address of “{material.title.best('en').text or material.kind}”"
        yield from _check_address(material.url, name, row_of(material))
    within = [session.pk for session in programme.sessions]
    seen = set()
    for link in Convenorship.objects.filter(session__in=within).select_related("organisation").order_by("pk"):
        organisation = link.organisation
        if organisation.pk not in seen:
            seen.add(organisation.pk)
            name = f"web address of {organisation.name.best('en').text}"
            yield from _check_address(organisation.web, name, row_of(organisation))

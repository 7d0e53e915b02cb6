"""The changes of a programme as an Atom feed (RFC 4287): an entry for each release, in the active language.

Ids are tag: addresses (RFC 4151), which stay when the site moves pages. An entry says what the page of changes says, so
somebody who has been hidden since is in none of them; its time stays that of the release.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from events.feeds import words
from events.models import Conference
from events.releases.wording import ChangeList

_ATOM = "http://www.w3.org/2005/Atom"
_SINCE = "2026"  # a year in which the site had its name: a tag is made of a name and a time


def _tag(*parts: object) -> str:
    return f"tag:{settings.SITE_DOMAIN},{_SINCE}:{'/'.join(map(str, parts))}"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _child(parent: ET.Element, name: str, content: str = "", **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, name, attributes)
    child.text = content or None
    return child


def _summary(changes: ChangeList) -> str:
    """The note and the list of changes as text, a line for each session."""
    lines = [words.text(changes.release.note)] if changes.release.note else []
    for group in changes.groups:
        about = words.line(group.title) or _("The conference")
        lines.append(f"{about}: {' '.join(words.line(line) for line in group.lines)}")
    if not changes.groups:
        lines.append(_("The programme was published.") if changes.release.number == 1 else _("Small corrections."))
    return "\n".join(lines)


def feed(conference: Conference, releases: Sequence[ChangeList], *, path: str) -> bytes:
    """The feed as bytes, which are the same as long as the changes are.

    releases: newest first, as events.releases.selectors.change_lists gives them. path: where the feed stands.
    """
    language = get_language() or "en"
    page = words.address(reverse("events:changes", args=[conference.slug]))
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": language})
    _child(root, "id", _tag("changes", conference.public_id, language))
    _child(root, "title", f"{words.line(conference.title)}: {_('Changes to the programme')}")
    # Without a release nothing was ever told; the feed must have a time all the same.
    latest = releases[0].release.made_at if releases else conference.calendar_changed_at
    _child(root, "updated", _instant(latest))
    organiser = words.line(conference.organiser.name) if conference.organiser is not None else ""
    _child(_child(root, "author"), "name", organiser or _("Conference office"))
    _child(root, "link", rel="self", type="application/atom+xml", href=words.address(path))
    _child(root, "link", rel="alternate", type="text/html", hreflang=language, href=page)
    for changes in releases:
        release = changes.release
        entry = _child(root, "entry")
        _child(entry, "id", _tag("releases", release.public_id, language))
        _child(entry, "title", _("Release %(number)s") % {"number": release.number})
        _child(entry, "published", _instant(release.made_at))
        _child(entry, "updated", _instant(release.made_at))
        _child(
            entry, "link", rel="alternate", type="text/html", hreflang=language, href=f"{page}#release-{release.number}"
        )
        _child(entry, "summary", _summary(changes), type="text")
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content

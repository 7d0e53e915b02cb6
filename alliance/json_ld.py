"""What pages say to programs in schema.org's words: as JSON-LD in a data block, which browsers read and never run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

# Inside a script element only "</script" and "<!--" mean something to a browser; both begin with "<". The two line
# separators are ends of line in the older JavaScript that some readers are written in.
_ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def script(data: Mapping[str, Any]) -> SafeString:
    """The data as a script element that is no script. Whatever stands in the texts, it cannot end the element."""
    content = json.dumps({"@context": "https://schema.org", **data}, ensure_ascii=False, separators=(",", ":"))
    return format_html('<script type="application/ld+json">{}</script>', SafeString(content.translate(_ESCAPES)))


def breadcrumbs(crumbs: Iterable[tuple[str, str]], *, name: str, path: str) -> dict[str, Any] | None:
    """The way to a page as a BreadcrumbList, the page itself last; None for a page at the top.

    crumbs: labels and paths from the top. name, path: of the page itself.
    """
    way = [*crumbs, (name, path)]
    if len(way) < 2:
        return None
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": str(label), "item": settings.SITE_URL + where}
            for position, (label, where) in enumerate(way, 1)
        ],
    }

"""docs/mails.md lists the letters that there are."""

from __future__ import annotations

import re

from django.utils import translation

from outbox import catalogue
from tests.services import ROOT


def test_docs_list_every_letter_with_its_placeholders() -> None:
    documented = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", (ROOT / "docs" / "mails.md").read_text(), re.MULTILINE)
    with translation.override("en"):
        made = [
            (
                kind.name,
                str(kind.sent_when),
                ", ".join(f"**{one.name}**" if one.is_required else one.name for one in kind.placeholders),
            )
            for kind in catalogue.kinds()
        ]

    assert documented == made

"""Reading public pages in tests."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django.test import Client

LANGUAGES = ["en", "fr", "de", "it", "es", "ru"]


AFTER_THE_CONFERENCE = datetime(2030, 7, 20, 12, 0, tzinfo=UTC)


def words(client: Client, path: str, **more: Any) -> str:
    """What a reader of the page sees: its text without tags, in one line."""
    response = client.get(path, **more)
    assert response.status_code == 200, path
    body = response.content.decode()
    main = re.sub(r"<(script|style|head)\b.*?</\1>", "", body, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def page(client: Client, path: str) -> str:
    """The page's HTML."""
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()

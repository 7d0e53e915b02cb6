"""What the programme page of the 2020 conference costs a reader on a poor line: everything it loads, compressed."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from events import countries, programme_file
from registration.demo import loading

pytestmark = pytest.mark.django_db

MOST_BYTES = 60_000
_LOADED = re.compile(r'<(?:link rel="(?:stylesheet|icon)" href|script src|img src)="/static/([^"]+)"')


def _packed(content: bytes) -> int:
    return len(gzip.compress(content, 6, mtime=0))


def test_programme_page_of_2020_weighs_at_most_60_kb_with_all_it_loads(client: Client) -> None:
    countries.load()
    programme_file.load((loading.DATA / "alliance-20.yaml").read_bytes())

    page = client.get("/en/alliance-20/programme/", headers={"accept-encoding": "identity"})

    html = page.content.decode()
    loaded = {name: Path(str(finders.find(name))).read_bytes() for name in _LOADED.findall(html)}
    weight = {"page": _packed(page.content)} | {name: _packed(content) for name, content in loaded.items()}
    assert {"css/alliance.css", "css/programme.css", "css/timeline.css", "js/alliance.js"} <= weight.keys()
    assert html.count("src=") + html.count('<link rel="stylesheet"') + html.count('<link rel="icon"') == len(loaded)
    assert sum(weight.values()) <= MOST_BYTES, weight

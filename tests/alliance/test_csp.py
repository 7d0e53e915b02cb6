"""The browser may run and show nothing that is not ours (docs/design.md section 4.6)."""

from __future__ import annotations

import json
import re

import pytest
from csp.utils import build_policy
from django.test import Client

from alliance import json_ld
from tests.factories import ContributionFactory, ParticipantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def paths() -> list[str]:
    """One page of every kind that people without an account see."""
    contribution = ContributionFactory(session__kind="side_event", session__conference__slug="alliance-20")
    session, person = contribution.session, contribution.person
    participant = ParticipantFactory(conference=session.conference)
    return [
        "/en/",
        "/en/alliance-20/",
        "/en/alliance-20/programme/",
        "/en/alliance-20/programme/1/",
        f"/en/alliance-20/side-events/{session.slug}/",
        "/en/alliance-20/speakers/",
        f"/en/speakers/{person.public_id}/",
        "/en/alliance-20/register/",
        f"/r/{participant.personal_token}/",
        "/join/unknown/",
        "/en/nothing-here/",
        "/admin/login/",
        "/en/accounts/login/",
        "/en/accounts/password/forgotten/",
    ]


def directives(policy: str) -> dict[str, set[str]]:
    """A policy by directive."""
    parts = (part.split() for part in policy.split(";") if part.strip())
    return {name: set(sources) for name, *sources in parts}


def test_every_page_allows_our_own_files_alone(client: Client, paths: list[str]) -> None:
    for path in paths:
        response = client.get(path)
        found = directives(response.headers["Content-Security-Policy"])

        assert response.status_code in {200, 302, 404, 410}, path
        assert "unsafe-inline" not in response.headers["Content-Security-Policy"], path
        assert "unsafe-eval" not in response.headers["Content-Security-Policy"], path
        assert found["default-src"] == {"'none'"}, path
        assert found["script-src"] == found["style-src"] == {"'self'"}, path
        assert found["frame-ancestors"] == found["base-uri"] == {"'none'"}, path


def test_policy_that_a_view_changes_is_its_own_alone(client: Client, paths: list[str]) -> None:
    usual = directives(build_policy())
    for _round in range(2):
        changed = directives(client.get("/api/v1/docs/").headers["Content-Security-Policy"])
        assert changed == usual | {"img-src": {"'self'", "data:"}}
        assert directives(client.get(paths[0]).headers["Content-Security-Policy"]) == usual


def without_data(page: str) -> str:
    """A page without its data blocks, which browsers read and never run. Exactly this form counts as one.

    What could end such an element early ("</script", "<!--"), and so everything with a "<", must be escaped in it.
    """
    block = re.compile(r'<script type="application/ld\+json">([^<>&\u2028\u2029]*)</script>')
    for content in block.findall(page):
        json.loads(content)
    return block.sub("", page)


def test_no_page_has_inline_script_or_style_or_files_of_others(client: Client, paths: list[str]) -> None:
    for path in paths:
        page = without_data(client.get(path).content.decode())

        assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", page), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page), path
        assert not re.search(r'<(script|img|link|iframe|source)[^>]+(src|href)="(https?:)?//(?!testserver)', page), path


@pytest.mark.parametrize(
    "block",
    [
        "<script>alert(1)</script>",
        '<script type="text/javascript">{}</script>',
        '<script type="module">{}</script>',
        '<script type="importmap">{}</script>',
        '<script type="speculationrules">{}</script>',
        '<script type="application/ld+json" src="data:,alert(1)">{}</script>',
        '<script type="application/ld+json">{"name": "<!-- <script>"}</script>',
        '<script type="application/ld+json">{"name": "x"}</script><script>alert(1)</script>',
    ],
)
def test_only_an_escaped_data_block_passes_for_data(block: str) -> None:
    assert re.search(r"<script", without_data(f"<head>{block}</head>"))


def test_text_cannot_leave_its_data_block() -> None:
    name = "</script><!-- <script>alert(1)</script> ]]> & \u2028\u2029 \" ' \\u003c"

    block = str(json_ld.script({"name": name}))

    assert without_data(block) == ""
    content = block.removeprefix('<script type="application/ld+json">').removesuffix("</script>")
    assert json.loads(content) == {"@context": "https://schema.org", "name": name}


def test_pages_for_strangers_set_no_cookie(client: Client, paths: list[str]) -> None:
    for path in paths:
        if not path.startswith(("/admin/", "/en/accounts/")):  # forms of signing in are guarded by a token in a cookie
            assert not client.get(path).cookies, path

"""The schema, the rows beside it, and the pages with the documentation."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from alliance.api import guide, schema
from events.models import Topic
from events.releases import publishing
from tests.api import LISTS, WITH_TOKEN
from tests.factories import (
    AdmissionFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    MaterialFactory,
    OrganisationFactory,
    PublicFigureFactory,
    RecommendationFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


def test_schema_is_valid_openapi_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))


def test_schema_is_served_as_openapi_31_and_kept_by_its_etag(client: Client) -> None:
    first = client.get("/api/v1/schema/")
    again = client.get("/api/v1/schema/", headers={"If-None-Match": first.headers["ETag"]})

    assert first.json()["openapi"] == "3.1.0"
    assert {path.split("/")[3] for path in first.json()["paths"]} == {*LISTS, *WITH_TOKEN}
    assert again.status_code == 304


@pytest.mark.parametrize("path", LISTS)
def test_rows_have_exactly_the_members_the_schema_tells(client: Client, path: str) -> None:
    contribution = ContributionFactory(session__kind="side_event")
    AdmissionFactory(session=contribution.session)
    CountryFactory()
    conference = contribution.session.conference
    conference.organiser = OrganisationFactory(part_of=OrganisationFactory())
    conference.save()
    ConvenorshipFactory(session=contribution.session)
    TextSectionFactory(session=contribution.session)
    SegmentFactory(session=contribution.session)
    over = datetime(2020, 7, 21, 9, 0, tzinfo=UTC)
    past = SessionFactory(conference=conference, kind="side_event", starts_at=over, ends_at=over + timedelta(hours=1))
    topic, _made = Topic.objects.get_or_create(key="courts", defaults={"name": {"en": "Courts"}})
    top = RecommendationFactory(session=past, topics=[topic.key])
    RecommendationFactory(session=past, parent=top)
    MaterialFactory(conference=conference, session=past)
    conference.venue = RoomFactory().venue
    conference.save()
    publishing.publish(conference, by=None, now=over, check=False)
    PublicFigureFactory(conference=conference, country=CountryFactory(), session=contribution.session)
    document = json.loads(schema.document())

    def check(value: Any, shape: dict[str, Any], where: str) -> None:
        for ref in (shape.get("$ref"), *(part.get("$ref") for part in shape.get("allOf", []) + shape.get("oneOf", []))):
            if ref and isinstance(value, dict):
                target = document["components"]["schemas"][ref.rpartition("/")[2]]
                assert set(value) == set(target["properties"]), where
                for name, inner in value.items():
                    check(inner, target["properties"][name], f"{where}.{name}")
        if isinstance(value, list):
            for inner in value:
                check(inner, shape["items"], f"{where}[]")

    found = client.get(f"/api/v1/{path}/").json()

    assert found["results"]
    shape = document["paths"][f"/api/v1/{path}/"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    check(found, shape, path)


def test_docs_page_uses_our_own_files_alone(client: Client) -> None:
    response = client.get("/api/v1/docs/")
    policy = response.headers["Content-Security-Policy"]
    page = response.content.decode()

    assert "http:" not in page
    assert "https:" not in page
    usual = client.get("/api/v1/schema/").headers["Content-Security-Policy"]
    assert sorted(policy.replace("img-src 'self' data:", "img-src 'self'").split("; ")) == sorted(usual.split("; "))
    assert "unsafe" not in policy
    assert "<style" not in page
    assert "onclick" not in page


@pytest.mark.parametrize(("name", "file"), guide.FILES.items())
def test_guide_is_on_the_site_with_the_addresses_of_the_site(client: Client, name: str, file: str) -> None:
    page = client.get(f"/api/v1/docs/{name}/").content.decode()
    text = (Path(settings.BASE_DIR) / "docs" / file).read_text(encoding="utf-8")

    assert "alliance.example.org" not in page
    assert settings.SITE_URL in page or name == "webhooks"
    for heading in re.findall(r"^## (.+)$", text, flags=re.MULTILINE):
        anchor = guide._anchor(heading)
        assert f'<h2 id="{anchor}">' in page
        assert f'<a href="#{anchor}">' in page
    links = re.findall(r'href="([^"]+)"', page.partition('class="prose api-guide"')[2].partition("</main>")[0])
    assert links
    for link in links:
        address, _hash, anchor = link.partition("#")
        found = page if not address else client.get(address).content.decode()
        assert not anchor or f'id="{anchor}"' in found, link
    assert client.get("/api/v1/docs/nothing/").status_code == 404

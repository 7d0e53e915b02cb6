"""Checks of a whole programme: number of queries, the admin, the command."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from events import programme_checks, programme_file
from events.models import Conference, ConferenceDay, Session
from events.programme_checks import Severity, dates, sources
from registration.models import ApprovalMode
from speakers.models import Contribution, ContributionStatus
from tests.events.programme_checks.found import findings
from tests.factories import (
    AdmissionFactory,
    ConferenceDayFactory,
    ContributionFactory,
    CountryFactory,
    MaterialFactory,
    OrganisationFactory,
    ReferenceFactory,
    SegmentFactory,
    SideEventFactory,
    StaffFactory,
)

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "programme-2020.yaml"


DATA = Path(__file__).resolve().parents[3] / "events" / "data" / "alliance-20.yaml"


def everything(conference: Conference, count: int) -> None:
    """So many sessions with all that is checked."""
    for _number in range(count):
        session = SideEventFactory(conference=conference)
        for _seat in range(2):
            ContributionFactory(
                session=session,
                segment=SegmentFactory(session=session),
                organisation=OrganisationFactory(),
                country=CountryFactory(),
                country_meaning="stated",
            )
        AdmissionFactory(session=session)
        ReferenceFactory(conference=conference)
        MaterialFactory(conference=conference)


def test_number_of_queries_does_not_grow(conference: Conference) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            programme_checks.run(conference)
        return len(captured)

    everything(conference, 1)
    few = queries()
    everything(conference, 5)

    assert queries() == few == 18


def test_number_of_queries_for_errors_alone_does_not_grow(conference: Conference) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            programme_checks.errors(conference)
        return len(captured)

    everything(conference, 1)
    few = queries()
    everything(conference, 5)

    assert queries() == few == 11


def test_errors_are_those_of_the_whole_run(conference: Conference, panel: Session) -> None:
    ConferenceDay.objects.update(label_printed="Sunday")
    Session.objects.update(starts_at=None, ends_at=None, registration_url="https://forms.example/%zz")

    found = programme_checks.errors(conference)

    assert [finding.code for finding in found] == ["day_label_differs", "address_damaged"]
    assert found == [finding for finding in programme_checks.run(conference) if finding.severity == Severity.ERROR]


def test_every_finding_leads_to_a_page_of_the_admin(conference: Conference, panel: Session, client: Client) -> None:
    client.force_login(StaffFactory(is_superuser=True))
    Session.objects.update(starts_at=None, ends_at=None, registration_url="x")
    ConferenceDay.objects.update(label_printed="Sunday")
    Contribution.objects.update(status=ContributionStatus.TBC)
    AdmissionFactory(session=panel, approval=ApprovalMode.AUDIENCE)
    found = programme_checks.run(conference)
    assert len({finding.row.kind for finding in found}) == 5

    for url in {finding.row.admin_url for finding in found}:
        assert client.get("/" + url.split("/", 3)[3]).status_code == 200, url


def output_of(slug: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("check_programme", slug, stdout=out)
    return out.getvalue()


def test_command_prints_findings_in_groups_and_passes_with_warnings(conference: Conference, panel: Session) -> None:
    Session.objects.update(starts_at=None, ends_at=None, title={"en": "Clear\x1b[2J"})

    text = output_of("checked")

    assert (
        "\nlanguages\n"
        "  en  100 %  5 of 5 texts\n"
        "  fr    0 %  0 of 5 texts\n"
        "  de   20 %  1 of 5 texts\n"
        "  it    0 %  0 of 5 texts\n"
        "  es    0 %  0 of 5 texts\n"
        "  ru   20 %  1 of 5 texts\n"
    ) in text
    assert text.startswith(
        "warning: time_missing\n  “Clear\N{REPLACEMENT CHARACTER}[2J” has no time.\n    session panel  "
    )
    assert "\nwarning: translation_missing\n" in text
    assert text.splitlines()[-1].startswith("0 error(s), ")


def test_command_fails_with_errors_and_for_an_unknown_conference(conference: Conference) -> None:
    ConferenceDayFactory(conference=conference, label_printed="Sunday")

    with pytest.raises(CommandError, match=r"^1 error\(s\), \d+ warning\(s\)$"):
        output_of("checked")
    with pytest.raises(CommandError, match="There is no conference nowhere"):
        output_of("nowhere")


def test_command_writes_nothing(conference: Conference, panel: Session) -> None:
    with CaptureQueriesContext(connection) as captured:
        output_of("checked")

    assert all(query["sql"].lstrip().upper().startswith("SELECT") for query in captured)


def test_the_programme_that_comes_with_the_house_has_only_warnings(db: None) -> None:
    """The agenda of 2020 printed no times for the panels, and no languages."""
    programme_file.load(DATA.read_bytes())

    found = programme_checks.run(Conference.objects.get())

    assert {finding.severity for finding in found} == {Severity.WARNING}
    assert {finding.code for finding in found} == {
        "time_missing",
        "language_missing",
        "translation_missing",
        "admission_closes_after_end",
    }
    assert sum(finding.code == "time_missing" for finding in found) == 6


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="../shared is not here")
def test_the_whole_programme_of_2020_can_be_checked(db: None) -> None:
    programme_file.load(SHARED.read_bytes())

    found = findings(Conference.objects.get())

    assert {(finding.severity, finding.code) for finding in found} == {
        (Severity.WARNING, "time_missing"),
        (Severity.WARNING, "language_missing"),
    }


def test_a_check_is_registered_once() -> None:
    programme_checks.register("days", 10, dates.check_days)
    programme_checks.register_texts("programme", 10, sources.texts)

    with pytest.raises(ValueError, match="days is registered already"):
        programme_checks.register("days", 10, dates.check_texts)
    with pytest.raises(ValueError, match="texts of programme are registered already"):
        programme_checks.register_texts("programme", 10, lambda programme: [])

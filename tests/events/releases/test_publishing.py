"""Releases: publishing and going back, by the service and in the admin."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client

from events.models import Conference, ConferenceState, Release, Session, SessionState
from events.releases import changes, publishing
from events.releases.changes import Rows
from speakers.models import Contribution
from tests.events.releases.rows import publish, read, title
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    ContributionFactory,
    PersonFactory,
    RegistrationFactory,
    SessionFactory,
    SideEventFactory,
    StaffFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


# --- publishing ---------------------------------------------------------------------------------------------------


def test_a_draft_is_published_with_its_first_release(client: Client, panel: Session) -> None:
    Conference.objects.update(state=ConferenceState.DRAFT)
    assert read(client, "/en/summit/").status_code == 404

    release = publish(panel.conference)

    assert (release.number, release.changes) == (1, [])
    assert read(client, "/en/summit/").status_code == 200


def test_errors_block_and_nothing_is_half_done(panel: Session) -> None:
    Session.objects.update(
        kind="side_event", starts_at=NOW + timedelta(days=900), ends_at=NOW + timedelta(days=900, hours=1)
    )
    with pytest.raises(publishing.HasErrors):
        publishing.publish(panel.conference, by=None, now=NOW)
    assert not Release.objects.exists()


def test_publishing_what_is_public_already_is_refused(panel: Session) -> None:
    publish(panel.conference)
    panel.save()  # a new stamp of time is no change

    with pytest.raises(publishing.NothingChanged):
        publish(panel.conference)
    assert Release.objects.count() == 1


def test_other_conferences_are_not_touched(client: Client, panel: Session) -> None:
    other = SessionFactory(conference=ConferenceFactory(slug="other"), slug="o", title={"en": "Other first"})
    publish(other.conference)
    Session.objects.filter(pk=other.pk).update(title={"en": "Other second"})

    publish(panel.conference)

    assert "Other first" in read(client, "/en/other/sessions/o/").text


@pytest.mark.django_db(transaction=True)
def test_two_who_publish_at_once_make_two_releases_or_one() -> None:
    panel = SessionFactory()
    publish(panel.conference)
    Session.objects.update(title={"en": "Second title"})
    results: list[object] = []
    start = threading.Barrier(2)

    def press() -> None:
        start.wait()
        try:
            results.append(publish(panel.conference).number)
        except publishing.NothingChanged:
            results.append("nothing changed")
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, results)) == ["2", "nothing changed"]


# --- going back ---------------------------------------------------------------------------------------------------


def test_going_back_restores_every_row_and_keeps_registrations(client: Client, panel: Session) -> None:
    kept = ContributionFactory(session=panel, role_title={"en": "Judge"}, internal_note="note of today")
    gone = TextSectionFactory(session=panel, text={"en": "Old words"})
    registration = RegistrationFactory(admission=AdmissionFactory(conference=panel.conference, session=panel))
    first = publish(panel.conference)
    Contribution.objects.update(role_title={"en": "Advocate"}, internal_note="newer note")
    gone.delete()
    Session.objects.update(title={"en": "Second title"})
    new = SideEventFactory(conference=panel.conference)
    newer = RegistrationFactory(admission=AdmissionFactory(conference=panel.conference, session=new))
    ContributionFactory(session=panel, person=PersonFactory(display_name="Nina Next"))
    publish(panel.conference)

    publishing.restore(first)

    kept.refresh_from_db()
    assert (str(kept.role_title), kept.internal_note) == ("Judge", "newer note")
    assert title(panel) == "First title"
    assert panel.text_sections.get().text == {"en": "Old words"}
    assert [str(row.person) for row in panel.contributions.all()] == [str(kept.person)]
    new.refresh_from_db()
    assert new.state == SessionState.DRAFT
    registration.refresh_from_db()
    newer.refresh_from_db()
    assert "Second title" in read(client, "/en/summit/sessions/panel/").text

    publish(panel.conference)

    page = read(client, "/en/summit/sessions/panel/").text
    assert "First title" in page
    assert "Old words" in page
    assert changes.between(Rows.kept(first), Rows.kept(Release.objects.get(number=3))) == []


def test_going_back_never_lowers_the_number_calendars_go_by(panel: Session) -> None:
    first = publish(panel.conference)
    Session.objects.update(starts_at=F("starts_at") + timedelta(hours=2), ends_at=F("ends_at") + timedelta(hours=2))
    panel.refresh_from_db()
    before = panel.calendar_sequence

    publishing.restore(first)

    panel.refresh_from_db()
    assert panel.calendar_sequence > before


# --- in the admin -------------------------------------------------------------------------------------------------


@pytest.fixture
def organiser(client: Client) -> Client:
    client.force_login(StaffFactory())
    return client


def address(conference: Conference, more: str = "") -> str:
    return f"/admin/events/conference/{conference.pk}/{more}"


def test_an_organiser_publishes_with_a_note(organiser: Client, panel: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.programme_checks.errors", lambda *_args, **_kwargs: [])

    sent = {"note_en": "Welcome.", "seen": publishing.draft_stamp(panel.conference)}
    Session.objects.update(summary={"en": "Written while the other one was reading"})
    refused = organiser.post(address(panel.conference, "releases/"), sent)
    assert "Somebody else has changed these sessions meanwhile" in refused.text
    assert not Release.objects.exists()
    sent |= {"seen": publishing.draft_stamp(panel.conference)}
    answer = organiser.post(address(panel.conference, "releases/"), sent, follow=True)

    release = Release.objects.get()
    assert release.note == {"en": "Welcome."}
    assert release.made_by is not None
    assert "Release 1 is published." in answer.text


def test_errors_are_named_before_publishing(organiser: Client, panel: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.programme_checks.errors", lambda *_args, **_kwargs: ["one", "two"])

    page = organiser.get(address(panel.conference, "releases/")).text
    assert "2 errors keep this from being published." in page
    organiser.post(address(panel.conference, "releases/"), {"seen": publishing.draft_stamp(panel.conference)})

    assert not Release.objects.exists()


def test_the_admin_lists_changes_and_goes_back(organiser: Client, panel: Session) -> None:
    publish(panel.conference)
    Session.objects.update(title={"en": "Second title"})
    publish(panel.conference)
    page = organiser.get(address(panel.conference, "releases/")).text
    assert "First title → Second title" in page

    asked = organiser.get(address(panel.conference, "releases/1/restore/")).text
    assert "Second title → First title" in asked
    assert title(panel) == "Second title"
    seen = publishing.draft_stamp(panel.conference)
    Session.objects.update(summary={"en": "Written while the other one was reading"})
    organiser.post(address(panel.conference, "releases/1/restore/"), {"seen": seen})
    assert title(panel) == "Second title"
    organiser.post(address(panel.conference, "releases/1/restore/"), {"seen": publishing.draft_stamp(panel.conference)})

    assert title(panel) == "First title"
    assert organiser.get(address(panel.conference, "releases/7/restore/")).status_code == 404


def release(panel: Session, number: int) -> Release:
    return panel.conference.releases.get(number=number)


def test_a_line_can_be_taken_out_of_a_list_for_good(organiser: Client, panel: Session) -> None:
    publish(panel.conference)
    Session.objects.update(title={"en": "Canary name in a title"}, working_languages=["en", "ru"])
    publish(panel.conference)
    Session.objects.update(title={"en": "Third title"})
    publish(panel.conference)
    assert "Canary" in read(organiser, "/en/summit/changes/").text
    for number in (2, 3):
        page = organiser.get(address(panel.conference, f"releases/{number}/correct/")).text
        assert "Canary name" in page
        sent = {"note_en": "Corrected.", "without": ["0"], "seen": publishing.correction_stamp(release(panel, number))}
        assert organiser.post(address(panel.conference, f"releases/{number}/correct/"), sent).status_code == 302
        # The lines have moved up since: the same form once more would take another one out.
        again = organiser.post(address(panel.conference, f"releases/{number}/correct/"), sent | {"note_en": "Lost"})
        assert again.status_code in (200, 302)
        assert str(release(panel, number).note) == "Corrected."

    page = read(organiser, "/en/summit/changes/").text
    assert "Canary" not in page
    assert "Languages have changed." in page
    assert "Corrected." in page
    sent = {"without": ["99"]}
    assert organiser.post(address(panel.conference, "releases/2/correct/"), sent).status_code == 200


def test_the_preview_shows_the_draft_to_organisers_only(client: Client, panel: Session) -> None:
    publish(panel.conference)
    Session.objects.update(title={"en": "Second title"})
    where = address(panel.conference, "preview/draft/en/summit/programme/")
    assert read(client, where).status_code == 302

    client.force_login(StaffFactory())
    answer = read(client, where)

    assert "Second title" in answer.text
    assert "Preview." in answer.text
    assert address(panel.conference, "preview/draft/en/summit/sessions/panel/") in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert "Second title" not in client.get("/en/summit/programme/").text
    assert "Second title" in client.get(where).text  # and once more, after the public page was kept


def test_the_preview_of_a_conference_that_is_a_draft(organiser: Client, panel: Session) -> None:
    Conference.objects.update(state=ConferenceState.DRAFT)

    answer = organiser.get(address(panel.conference, "preview/draft/en/summit/sessions/panel/"))

    assert answer.status_code == 200
    assert Conference.objects.get().state == ConferenceState.DRAFT


def test_the_preview_of_an_older_release(organiser: Client, panel: Session) -> None:
    ContributionFactory(session=panel, person=PersonFactory(display_name="Gerda Gone"))
    publish(panel.conference)
    Contribution.objects.all().delete()
    Session.objects.update(title={"en": "Second title"})
    publish(panel.conference)

    page = organiser.get(address(panel.conference, "preview/1/en/summit/sessions/panel/")).text

    assert "First title" in page
    assert "Gerda Gone" in page
    assert title(panel) == "Second title"


@pytest.mark.parametrize(
    "path",
    ["en/other/", "en/summit/register/", "xx/summit/", "en/summit/programme.ics", "en/summit/agenda.pdf", "admin/"],
)
def test_the_preview_has_programme_pages_only(organiser: Client, panel: Session, path: str) -> None:
    ConferenceFactory(slug="other")
    assert organiser.get(address(panel.conference, f"preview/draft/{path}")).status_code == 404


def test_the_preview_has_no_other_release(organiser: Client, panel: Session) -> None:
    for which in ("1", "99999999999999999999", "nonsense"):
        assert organiser.get(address(panel.conference, f"preview/{which}/en/summit/")).status_code == 404

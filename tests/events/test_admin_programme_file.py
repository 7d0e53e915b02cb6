"""The programme file in the admin: downloads, the preview that writes nothing, and applying exactly what was shown."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from events import admin_programme_file, programme_file
from events.models import Conference, Session
from events.programme_file import sections, work
from tests.events import programme_state
from tests.events.programme_files import SMALL, changed
from tests.factories import StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

EDITED = changed(
    ("title: On the side", "title: Beside"), ("family_name: Dal, pseudonym", "family_name: Dahl, pseudonym")
)


@pytest.fixture
def administrator(client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(StaffFactory())
    return client


@pytest.fixture
def conference() -> Conference:
    """The small programme."""
    programme_file.load(SMALL.encode())
    return Conference.objects.get()


def page(conference: Conference) -> str:
    """The address of the page."""
    return reverse("admin:events_conference_programme-file", args=[conference.pk])


def upload(client: Client, url: str, data: bytes, name: str = "programme.yaml") -> Any:
    """Send a file."""
    return client.post(url, {"file": SimpleUploadedFile(name, data)})


def sealed(response: Any) -> str:
    """What the preview sends back to be applied."""
    found: str = response.context["sealed"]
    assert found
    return found


def allowed(*permissions: str) -> Any:
    """Somebody of the staff who may do this and nothing else."""
    user = UserFactory(is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


# --- downloads ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "begins"), [("yaml", b"format: alliance-programme/1"), ("xlsx", b"PK")])
def test_download_gives_the_programme(administrator: Client, conference: Conference, kind: str, begins: bytes) -> None:
    response = administrator.get(f"{page(conference)}{kind}/")

    assert response.content.startswith(begins)
    assert response["Content-Disposition"] == f'attachment; filename="small-1.{kind}"'
    assert "no-store" in response["Cache-Control"]
    assert administrator.get(f"{page(conference)}exe/").status_code == 404


def test_the_template_is_there_without_a_conference(administrator: Client) -> None:
    assert administrator.get(reverse("admin:events_conference_template")).content.startswith(b"PK")


# --- preview and apply ----------------------------------------------------------------------------------------------


def test_preview_shows_every_difference_and_writes_nothing(administrator: Client, conference: Conference) -> None:
    before = programme_state.state()

    response = upload(administrator, page(conference), EDITED)

    assert [str(one) for one in response.context["differences"]] == [
        "person cem: family_name: “Dal” -> “Dahl”",
        "person cem: display_name: “Cem Dal” -> “Cem Dahl”",
        "session side: title.en: “On the side” -> “Beside”",
        "contribution panel-a/cem (moderator): name_printed: nothing -> “Cem Dal”",
    ]
    assert "<td>“On the side”</td><td>“Beside”</td>" in response.text
    assert programme_state.state() == before


def test_apply_writes_what_was_previewed_and_says_so(administrator: Client, conference: Conference) -> None:
    preview = upload(administrator, page(conference), EDITED)

    response = administrator.post(page(conference), {"sealed": sealed(preview)}, follow=True)

    assert Session.objects.get(key="side").title == {"en": "Beside"}
    assert [str(message) for message in response.context["messages"]] == ["The programme file is applied: 4 changes."]
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(conference.pk), "programme file: 4 changes")


def test_a_workbook_goes_the_same_way(administrator: Client, conference: Conference) -> None:
    data = programme_file.export_workbook(conference)
    Session.objects.filter(key="side").update(title={"en": "Later"})

    preview = upload(administrator, page(conference), data, "programme.xlsx")
    administrator.post(page(conference), {"sealed": sealed(preview)})

    assert Session.objects.get(key="side").title == {"en": "On the side"}


def test_a_file_makes_a_new_conference(administrator: Client) -> None:
    url = reverse("admin:events_conference_import")
    assert administrator.get(url).status_code == 200

    preview = upload(administrator, url, SMALL.encode())

    assert "There is no conference “small-1” yet: it will be made." in preview.text
    assert not Conference.objects.exists()
    response = administrator.post(url, {"sealed": sealed(preview)})
    assert response["Location"] == page(Conference.objects.get())


def test_a_file_about_another_conference_is_told(administrator: Client, conference: Conference) -> None:
    other = changed(("key: small-1", "key: small-2"), ("edition: 1", "edition: 2"), ("name: Hall", "name: Barn"))
    programme_file.load(other)

    response = upload(administrator, page(conference), other.replace(b"Small things", b"Other things"))

    assert "This file is about another conference: “First small meeting” (small-2)." in response.text


def test_a_file_that_agrees_has_nothing_to_apply(administrator: Client, conference: Conference) -> None:
    response = upload(administrator, page(conference), SMALL.encode())

    assert "nothing would change" in response.text
    assert response.context["sealed"] == ""


# --- what comes between ---------------------------------------------------------------------------------------------


def test_apply_refuses_when_the_database_changed_and_shows_how_it_is_now(
    administrator: Client, conference: Conference
) -> None:
    preview = upload(administrator, page(conference), EDITED)
    Session.objects.filter(key="side").update(title={"en": "By somebody else"})

    response = administrator.post(page(conference), {"sealed": sealed(preview)})

    assert Session.objects.get(key="side").title == {"en": "By somebody else"}
    assert "somebody changed the programme since the preview" in response.text
    assert "<td>“By somebody else”</td><td>“Beside”</td>" in response.text
    administrator.post(page(conference), {"sealed": sealed(response)})
    assert Session.objects.get(key="side").title == {"en": "Beside"}


def test_apply_refuses_when_new_rows_would_be_others(administrator: Client, conference: Conference) -> None:
    more = SMALL.replace("references:\n", "references:\n  - {number: 2, document: agenda}\n").encode()
    preview = upload(administrator, page(conference), more)
    programme_file.load(more)

    response = administrator.post(page(conference), {"sealed": sealed(preview)})

    assert "nothing would change" in response.text


@pytest.mark.parametrize("how", ["changed", "old", "of another"])
def test_apply_refuses_what_was_not_previewed_here(
    administrator: Client, conference: Conference, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    text = sealed(upload(administrator, page(conference), EDITED))
    before = programme_state.state()
    if how == "changed":
        text = text.replace(":", ":x", 1)
    if how == "of another":
        administrator.force_login(StaffFactory())
    if how == "old":
        monkeypatch.setattr(admin_programme_file, "_KEPT_FOR", timedelta(seconds=-1))

    response = administrator.post(page(conference), {"sealed": text})

    assert response.status_code == 302
    assert programme_state.state() == before


def test_apply_refuses_while_somebody_is_writing(administrator: Client, conference: Conference) -> None:
    preview = upload(administrator, page(conference), EDITED)
    failure = OperationalError("could not serialize access")
    failure.__cause__ = type("Cause", (Exception,), {"sqlstate": "40001"})()

    with mock.patch("events.programme_file.importing._alone", side_effect=failure):
        response = administrator.post(page(conference), {"sealed": sealed(preview)}, follow=True)

    assert "somebody is changing the programme just now" in response.text
    assert Session.objects.get(key="side").title == {"en": "On the side"}


# --- what is wrong --------------------------------------------------------------------------------------------------


def test_problems_are_listed_with_their_lines(administrator: Client, conference: Conference) -> None:
    data = changed(('start: "09:00"', "start: 11:30"), ("person: cem,", "person: nobody,"))
    line = data.decode()[: data.decode().index("start: 11:30")].count("\n") + 1
    before = programme_state.state()

    response = upload(administrator, page(conference), data)

    assert f"<strong>line {line}</strong>: start: 11:30 without quotes is a number to many programs" in response.text
    assert "2 problems; nothing was written." in response.text
    assert programme_state.state() == before


def test_markup_in_a_file_is_shown_as_text(administrator: Client, conference: Conference) -> None:
    wrong = upload(administrator, page(conference), b"format: <script>alert(1)</script>")
    shown = upload(administrator, page(conference), SMALL.replace("On the side", "<script>alert(1)</script>").encode())

    for response in (wrong, shown):
        assert "<script>alert" not in response.text
        assert "&lt;script&gt;alert(1)" in response.text


def test_no_file_and_a_large_file_are_refused_by_the_form(administrator: Client, conference: Conference) -> None:
    nothing = administrator.post(page(conference), {})
    large = upload(administrator, page(conference), b"x" * 5_000_001)

    assert "This field is required." in nothing.text
    assert "The file is larger than 5 MB." in large.text


def test_a_file_too_large_for_the_form_is_shown_but_not_applied_here(
    administrator: Client, conference: Conference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_programme_file, "_MOST_SEALED", 100)

    response = upload(administrator, page(conference), EDITED)

    assert response.context["sealed"] == ""
    assert "too large to be applied here" in response.text


def test_the_largest_file_that_is_sealed_passes_the_limit_of_forms(
    administrator: Client, conference: Conference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_LARGE_TEXT", 2_000_000)
    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=1_350_000))
    lines = "\n".join(f"# {noise[at : at + 100]}" for at in range(0, len(noise), 100))
    preview = upload(administrator, page(conference), EDITED + lines.encode())

    response = administrator.post(page(conference), {"sealed": sealed(preview)})

    assert len(sealed(preview)) > 1_000_000
    assert response.status_code == 302
    assert Session.objects.get(key="side").title == {"en": "Beside"}


# --- who may --------------------------------------------------------------------------------------------------------


def test_strangers_and_those_without_every_permission_are_refused(client: Client, conference: Conference) -> None:
    assert client.get(page(conference)).status_code == 302
    client.force_login(allowed("events.view_conference"))

    shown = client.get(page(conference))

    assert shown.status_code == 200
    assert 'type="file"' not in shown.text
    assert "small-1" not in shown.text.replace("First small meeting", "")
    assert client.get(f"{page(conference)}yaml/").status_code == 403
    assert upload(client, page(conference), EDITED).status_code == 403
    assert client.post(page(conference), {"sealed": "x"}).status_code == 403
    client.force_login(allowed("events.view_session"))
    assert client.get(page(conference)).status_code == 403
    assert client.get(reverse("admin:events_conference_import")).status_code == 403


def test_one_missing_permission_is_enough_to_be_refused(client: Client, conference: Conference) -> None:
    needed = sorted(sections.permissions())
    assert {"speakers.change_person", "events.delete_session", "registration.change_admission"} < set(needed)
    assert "speakers.delete_person" not in needed

    client.force_login(allowed("events.view_conference", *needed))
    assert upload(client, page(conference), EDITED).status_code == 200
    client.force_login(allowed("events.view_conference", *(one for one in needed if one != "speakers.change_person")))
    assert upload(client, page(conference), EDITED).status_code == 403


class Roles:
    """What accounts.access says of somebody with every right at one conference, and none elsewhere."""

    def __init__(self, at: Conference) -> None:
        self.at = at
        self.has_roles = True

    def may(self, permission: str, row: Any = None) -> bool:
        return row is None or row == self.at

    def holds_everywhere(self, *permissions: str) -> bool:
        return False


def test_rights_at_one_conference_reach_no_other(rf: Any, conference: Conference) -> None:
    programme_file.load(
        changed(("key: small-1", "key: small-2"), ("edition: 1", "edition: 2"), ("name: Hall", "name: Barn"))
    )
    other = Conference.objects.get(slug="small-2")
    request = rf.post("/")
    request.user = mock.Mock(access=Roles(conference), pk=1)

    assert admin_programme_file.may_upload(request, conference)
    assert admin_programme_file.may_download(request, conference)
    assert not admin_programme_file.may_upload(request, other)
    assert not admin_programme_file.may_download(request, other)
    assert not admin_programme_file.may_upload(request, None)


@pytest.mark.parametrize("slug", ["small-2", "small-3"])
def test_a_file_about_another_conference_needs_the_rights_there(rf: Any, conference: Conference, slug: str) -> None:
    second = changed(("key: small-1", "key: small-2"), ("edition: 1", "edition: 2"), ("name: Hall", "name: Barn"))
    programme_file.load(second)
    data = second.replace(b"key: small-2", f"key: {slug}".encode()).replace(b"On the side", b"Beside")
    if slug == "small-3":
        data = data.replace(b"edition: 2", b"edition: 3").replace(b"name: Barn", b"name: Shed")
    before = programme_state.state()
    request = rf.post("/", {"file": SimpleUploadedFile("programme.yaml", data)})
    request.user = mock.Mock(access=Roles(conference), pk=1)
    text = admin_programme_file.seal(request, admin_programme_file.Sealed(data, "", slug))
    again = rf.post("/", {"sealed": text})
    again.user = request.user

    answer = admin_programme_file.page(request, conference)
    with pytest.raises(PermissionDenied):
        admin_programme_file.page(again, conference)

    assert "sealed" not in answer.context_data  # type: ignore[attr-defined]
    assert answer.context_data["form"].errors == {  # type: ignore[attr-defined]
        "file": ["You may not change the conference that this file is for."]
    }
    assert programme_state.state() == before


def test_upload_needs_the_token_against_forged_requests(conference: Conference) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(StaffFactory())

    assert upload(client, page(conference), EDITED).status_code == 403


def test_the_tab_and_the_link_in_the_list_lead_here(administrator: Client, conference: Conference) -> None:
    form = administrator.get(reverse("admin:events_conference_change", args=[conference.pk])).text
    listed = administrator.get(reverse("admin:events_conference_changelist")).text

    assert re.search(rf'<a href="{page(conference)}">\s*Programme file', form)
    assert reverse("admin:events_conference_import") in listed


def test_seal_is_bound_to_its_user(conference: Conference, rf: Any) -> None:
    request, other = rf.get("/"), rf.get("/")
    request.user, other.user = StaffFactory(), StaffFactory()
    file = admin_programme_file.Sealed(b"data", "print", "small-1")
    text = admin_programme_file.seal(request, file)

    assert admin_programme_file.unseal(request, text) == file
    assert admin_programme_file.unseal(other, text) is None
    assert admin_programme_file.unseal(request, signing.TimestampSigner(salt="another").sign("1:2:3")) is None

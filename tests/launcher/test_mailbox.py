"""The demo's mail server and the pages that show what it kept."""

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from alliance import mailbox, mailbox_pages
from tests.services import ROOT, servers, wait_until

pytestmark = pytest.mark.urls(__name__)
urlpatterns = [path("", include("alliance.mailbox_urls")), path("admin/", admin.site.urls)]


def letter(subject: str = "Вы зарегистрированы", to: str = "Анна <anna@example.org>") -> EmailMessage:
    """A message as the house sends them."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "Office <office@example.org>", to
    message["Message-ID"] = "<1@example.org>"
    message.set_content("Ваша ссылка: https://example.org/r/abc?x=1&y=2.\n<script>alert(1)</script>\n")
    message.add_alternative(
        '<p style="color:red">Привет</p><script>alert(1)</script><img src="https://example.org/p">', subtype="html"
    )
    message.add_attachment(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text", "calendar", filename="встреча.ics")
    message.add_attachment(b"<script>alert(1)</script>", "text", "html", filename="../../evil.html")
    return message


@pytest.fixture
def kept(tmp_path: Path, settings: Settings) -> mailbox.Mailbox:
    """An empty mailbox that the pages show."""
    settings.DEMO = True
    settings.DEMO_MAILBOX_DIR = str(tmp_path)
    return mailbox.Mailbox(tmp_path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    """The real mail server in a process of its own; its port."""
    port = servers.free_port()
    command = [sys.executable, "-m", "alliance.mailbox", "--dir", str(tmp_path), "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "keeping mail" in process.stdout.readline()
        yield port
        process.terminate()
        assert process.wait(10) == 0


def test_a_message_sent_is_a_file_in_order_of_arrival(server: int, tmp_path: Path) -> None:
    with smtplib.SMTP("127.0.0.1", server, timeout=10) as client:
        for number in range(3):
            client.send_message(letter(f"Letter {number}"))
    wait_until(lambda: len(list(tmp_path.glob("*.eml"))) == 3, 5, lambda: "too few files came")
    assert not list(tmp_path.glob(".*")), "no draft stays behind"
    lines = [mailbox_pages._line(path) for path in sorted(tmp_path.glob("*.eml"))]
    assert [line.subject for line in lines] == ["Letter 0", "Letter 1", "Letter 2"]


def test_a_full_disk_is_told_to_the_sender(kept: mailbox.Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio
    from types import SimpleNamespace

    def full(content: bytes) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept, "keep", full)
    envelope = SimpleNamespace(content=b"x", rcpt_tos=["a@example.org"])
    assert asyncio.run(kept.handle_DATA(None, None, envelope)).startswith("452")


def test_only_the_newest_are_kept(kept: mailbox.Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MESSAGES_KEPT", 2)
    paths = [kept.keep(b"x") for _ in range(4)]
    kept.forget_oldest()
    assert sorted(kept.directory.glob("*.eml")) == paths[2:]


def test_the_list_shows_the_newest_first_and_finds(kept: mailbox.Mailbox, client: Client) -> None:
    assert "No message has come yet" in client.get("/").content.decode()
    for number in range(60):
        kept.keep(letter(f"Letter {number:02d}").as_bytes())
    page = client.get("/").content.decode()
    assert page.index("Letter 59") < page.index("Letter 58")
    assert "Letter 05" not in page
    assert "Letter 05" in client.get("/?page=2").content.decode()
    assert "1 message with" in client.get("/?q=letter 07").content.decode()
    assert client.get("/?page=x&q=%00").status_code == 200


def test_a_message_is_shown_as_text_with_links_that_can_be_clicked(kept: mailbox.Mailbox, client: Client) -> None:
    name = kept.keep(letter().as_bytes()).stem
    response = client.get(f"/{name}/")
    page = response.content.decode()
    assert 'href="https://example.org/r/abc?x=1&amp;y=2" target="_blank" rel="noopener noreferrer"' in page
    assert "<script>" not in page
    assert "Вы зарегистрированы" in page
    assert "встреча.ics" in page
    assert "frame-src 'self'" in response["Content-Security-Policy"]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


def test_the_html_part_may_run_and_load_nothing(kept: mailbox.Mailbox, client: Client) -> None:
    name = kept.keep(letter().as_bytes()).stem
    response = client.get(f"/{name}/html/")
    policy = {part.split()[0]: part.split()[1:] for part in response["Content-Security-Policy"].split("; ")}
    assert policy["default-src"] == policy["script-src"] == ["'none'"]
    assert policy["img-src"] == ["data:"]
    assert "allow-scripts" not in policy["sandbox"]
    assert "allow-same-origin" not in policy["sandbox"]
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["Referrer-Policy"] == "no-referrer"


def test_an_attachment_is_only_ever_downloaded(kept: mailbox.Mailbox, client: Client) -> None:
    name = kept.keep(letter().as_bytes()).stem
    calendar = client.get(f"/{name}/attachments/0/")
    assert calendar.content == b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    assert calendar["Content-Type"] == "text/calendar"
    evil = client.get(f"/{name}/attachments/1/")
    assert evil["Content-Type"] == "application/octet-stream"
    assert evil["Content-Disposition"].startswith("attachment;")
    assert "/" not in evil["Content-Disposition"].split("''")[1]
    assert client.get(f"/{name}/attachments/2/").status_code == 404


@pytest.mark.parametrize("name", ["nothing", "0" * 20, "01795298865388308099-000002-5987ec8c"])
def test_what_is_no_message_is_not_found(kept: mailbox.Mailbox, client: Client, name: str) -> None:
    assert client.get(f"/{name}/").status_code == 404


def test_a_broken_message_is_still_shown(kept: mailbox.Mailbox, client: Client) -> None:
    for content in (
        b"",
        b"no header at all",
        b"Content-Type: text/plain; charset=no-such\r\n\r\n\xff\xfe\x00",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Subject: =?utf-8?b?!!!?=\r\nContent-Type: text/html\r\n\r\n<p>x",
    ):
        name = kept.keep(content).stem
        assert client.get(f"/{name}/").status_code == 200
        assert client.get(f"/{name}/html/").status_code in {200, 404}
    assert client.get("/").status_code == 200


def test_outside_the_demo_there_is_no_mailbox(kept: mailbox.Mailbox, client: Client, settings: Settings) -> None:
    name = kept.keep(letter().as_bytes()).stem
    settings.DEMO = False
    for address in ("/", f"/{name}/", f"/{name}/html/", f"/{name}/attachments/0/"):
        assert client.get(address).status_code == 404

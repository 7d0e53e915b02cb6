"""Every door for files against hostile ones, and what no door lets happen before it looks (docs/threat-model.md)."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile
from django.test import RequestFactory
from django.utils import timezone

from accounts import actors
from alliance import uploads
from alliance.exceptions import DomainError
from events import programme_file
from events.programme_file.problems import InvalidFile
from registration import external_lists
from registration.delegations import lists as delegation_lists
from registration.invitations import lists as invitation_lists
from registration.questions import fields
from registration.services import credentials
from tests.events.test_programme_workbook_bombs import BOMBS

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "alliance", "events", "outbox", "registration", "speakers", "video")


def _letter(data: bytes) -> None:
    """What the door for credential letters does before it asks the database."""
    check: Any = credentials.add_letter
    check.__wrapped__(delegation_id=0, data=data, by=actors.SYSTEM, now=timezone.now())


def _answer(data: bytes) -> None:
    fields.FileField().clean(SimpleUploadedFile("cv.pdf", data, "application/pdf"))


# By the module that takes the file. What reads CSV takes any text, and reads it as nothing but text.
DOORS: dict[str, Callable[[bytes], object]] = {
    "registration/questions/fields.py": _answer,
    "registration/delegations/views.py letter": _letter,
    "registration/delegations/views.py": delegation_lists.workbook,
    "registration/admin/invitations.py": invitation_lists.grid_of,
    "registration/admin/external_lists.py": external_lists.read,
    "events/admin_programme_file.py": lambda data: programme_file.load(data, dry_run=True),
}
OF_LISTS = {"registration/admin/invitations.py", "registration/admin/external_lists.py"}


def _word(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", "word/document.xml", *parts):
            archive.writestr(name, parts.get(name, b"<x/>"))
    return out.getvalue()


TEXTS = {
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "xml entities": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
}
BINARIES: dict[str, Callable[[], bytes]] = {
    "program": lambda: b"MZ\x90\0\3\0\0\0" + b"\0" * 100,
    "gif": lambda: b"GIF89a\xff\xff\xff\xff\0\0\0;\0",
    "gzip": lambda: b"\x1f\x8b\x08\0\0\0\0\0\0\3" + b"\0" * 50,
    "pdf behind html": lambda: b"<script>alert(1)</script>\0%PDF-1.7",
    "zip behind pdf": lambda: b"\0%PDF-" + _word(),
    "macros": lambda: _word(**{"word/vbaProject.bin": b"x"}),
    "too large": lambda: b"%PDF-" + b"\0" * uploads.MOST_OF_FILE,
    **{name: make for name, make, _message in BOMBS},
}
REFUSED = (ValidationError, InvalidFile, DomainError)


def test_every_door_is_in_the_table() -> None:
    found = set()
    for app in APPS:
        for module in (ROOT / app).rglob("*.py"):
            text = module.read_text(encoding="utf-8")
            if re.search(
                r"\b(?:forms|models)\.(?:File|Image)Field\(|request\.FILES[.\[]|class \w+\(forms\.FileField\)", text
            ):
                found.add(str(module.relative_to(ROOT)))

    assert found == {name.partition(" ")[0] for name in DOORS}


@pytest.mark.parametrize("kind", BINARIES)
def test_hostile_files_are_refused_at_every_door_at_once(kind: str) -> None:
    data = BINARIES[kind]()
    for name, door in DOORS.items():
        started = time.thread_time()
        with pytest.raises(REFUSED):
            door(data)
        assert time.thread_time() - started < 0.5, name


@pytest.mark.parametrize("kind", TEXTS)
def test_pages_and_pictures_with_scripts_are_refused_or_nothing_but_text(kind: str) -> None:
    for name, door in DOORS.items():
        if name in OF_LISTS:
            try:
                read = door(TEXTS[kind])
            except REFUSED:
                continue
            assert "root:" not in str(read), name
        else:
            with pytest.raises(REFUSED):
                door(TEXTS[kind])


def test_pictures_are_kept_as_they_are_and_never_measured_or_drawn() -> None:
    huge = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\x7f\xff\xff\xff" * 2 + b"\x08\6\0\0\0"
    started = time.thread_time()

    kept = fields.FileField().clean(SimpleUploadedFile("huge.png", huge))

    assert (kept.data, kept.content_type) == (huge, "image/png")
    assert time.thread_time() - started < 0.05
    sources = (module.read_text(encoding="utf-8") for app in APPS for module in (ROOT / app).rglob("*.py"))
    assert not [text[:80] for text in sources if re.search(r"^\s*(from|import) (PIL|wand|cairosvg)\b", text, re.M)]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\win.ini", "win.ini"),
        ("cv\u202efdp.exe", "cvfdp.exe"),
        ("cv.pdf\x00.exe", "cv.pdf.exe"),
        ("&#x202e;cv.pdf", "cv.pdf"),
        ("a" * 300 + ".pdf", "a" * 96 + ".pdf"),
    ],
)
def test_names_of_files_are_words_and_no_paths(rf: RequestFactory, name: str, kept: str) -> None:
    request = rf.post("/", {"cv": SimpleUploadedFile("x", b"%PDF-1.7")})
    body = request.body.replace(b'filename="x"', f'filename="{name}"'.encode())

    sent = rf.generic("POST", "/", body, content_type=request.META["CONTENT_TYPE"])

    assert fields.FileField().clean(sent.FILES["cv"]).name == kept


# --- before any door --------------------------------------------------------------------------------------------------


def test_files_stay_in_memory_and_never_more_of_them_than_a_form_takes(rf: RequestFactory) -> None:
    large = b"\0" * (uploads.MOST_OF_FILE + 500_000)

    files: Any = rf.post("/", {f"f{n}": SimpleUploadedFile("x", large if n == 0 else b"x") for n in range(9)}).FILES

    assert len(files) == uploads.MOST_FILES
    assert {type(file) for file in files.values()} == {InMemoryUploadedFile}
    assert files["f0"].size == len(large)
    assert len(files["f0"].read()) <= uploads.MOST_OF_FILE


def test_requests_that_are_too_large_are_refused_before_they_are_read(rf: RequestFactory) -> None:
    request: Any = rf.post("/", {"f": SimpleUploadedFile("x", b"x")})
    request.META["CONTENT_LENGTH"] = str(uploads.MOST_OF_REQUEST + 1)
    request._stream = None  # whoever reads would fail in another way

    with pytest.raises(RequestDataTooBig):
        assert request.FILES


def test_the_proxy_lets_through_what_forms_take() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    found = re.search(r"location ~ (\S+) \{\s+limit_req zone=pages[^}]+client_max_body_size 25m", text)

    assert found is not None
    for path in ("/en/alliance-20/register/", "/i/token/register/", "/r/token/correct/"):
        assert re.search(found[1], path), path
    for path in ("/en/", "/r/token/", "/en/alliance-20/register/resend/"):
        assert not re.search(found[1], path), path

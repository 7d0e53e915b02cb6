"""Pages of the demo's mailbox: read in the browser what the demo has sent. Mounted only when settings.DEMO is set.

A message is shown as untrusted text: the HTML part comes from an address of its own, in a sandbox without scripts, and
attachments are only ever downloaded. English only: these pages are a tool for whoever tries Alliance out.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_binary_file, policy
from email.message import EmailMessage, Message, MIMEPart
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

if TYPE_CHECKING:
    from django.core.paginator import Page

MESSAGES_ON_A_PAGE = 50
_NAME = re.compile(r"(\d{20})-\d{6}-[0-9a-f]{8}\Z")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


@dataclass(frozen=True)
class Line:
    """One message in the list."""

    name: str
    arrived_at: datetime
    recipients: str
    subject: str


@dataclass(frozen=True)
class Attachment:
    """One attached file of a message, by its place among its attachments."""

    index: int
    filename: str
    content_type: str
    bytes: int


def _directory() -> Path:
    """Where the messages are. Raises Http404 outside the demo."""
    if not settings.DEMO or not settings.DEMO_MAILBOX_DIR:
        raise Http404
    return Path(settings.DEMO_MAILBOX_DIR)


def _path(name: str) -> Path:
    """The file of a message. Raises Http404 for anything that is not a message's name."""
    if not _NAME.match(name):
        raise Http404
    path = _directory() / f"{name}.eml"
    if not path.is_file():
        raise Http404
    return path


def _arrived_at(name: str) -> datetime:
    return datetime.fromtimestamp(int(name[:20]) / 1_000_000_000, tz=UTC)


def _line(path: Path) -> Line:
    with open(path, "rb") as file:
        headers = BytesHeaderParser(policy=policy.default).parse(file)
    recipients = ", ".join(str(value) for value in headers.get_all("To", [])) or ", ".join(
        str(value) for value in headers.get_all("X-Demo-Recipient", [])
    )
    return Line(path.stem, _arrived_at(path.stem), recipients, _subject(headers))


def _message(name: str) -> EmailMessage:
    with open(_path(name), "rb") as file:
        return message_from_binary_file(file, policy=policy.default)


def _subject(mail: Message) -> str:
    return str(mail.get("Subject", "")).strip() or "(no subject)"


def _text(part: MIMEPart | None) -> str:
    """A text part, in whatever charset it says; a wrong one must not hide the message."""
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, ValueError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def with_links(text: str) -> SafeString:
    """Escape plain text and make its addresses clickable, without telling the target where the click came from."""
    pieces: list[str] = []
    position = 0
    for found in _LINK.finditer(text):
        pieces.append(conditional_escape(text[position : found.start()]))
        pieces.append(format_html('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>', found[0]))
        position = found.end()
    pieces.append(conditional_escape(text[position:]))
    return mark_safe("".join(pieces))  # noqa: S308 - every piece is escaped above


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The messages, newest first; `q` keeps those with this text in recipient or subject."""
    paths = sorted(_directory().glob("*.eml"), reverse=True)
    paths = [path for path in paths if _NAME.match(path.stem)]
    wanted = request.GET.get("q", "").strip()[:200]
    page: Page[Any]
    if wanted:
        key = wanted.casefold()
        lines = [line for path in paths if key in ((line := _line(path)).recipients + line.subject).casefold()]
        page = Paginator(lines, MESSAGES_ON_A_PAGE).get_page(request.GET.get("page"))
        shown = list(page)
    else:
        page = Paginator(paths, MESSAGES_ON_A_PAGE).get_page(request.GET.get("page"))
        shown = [_line(path) for path in page]
    context = {"lines": shown, "page": page, "q": wanted, "count": page.paginator.count}
    return render(request, "mailbox/index.html", context)


@require_safe
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # django-csp types views without arguments only
def message(request: HttpRequest, name: str) -> HttpResponse:
    """One message: its headers, text, HTML and attachments."""
    mail = _message(name)
    attachments = [
        Attachment(place, _filename(part, place), part.get_content_type(), len(_content(part)))
        for place, part in enumerate(_attachments(mail))
    ]
    main = ("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID")
    context = {
        "name": name,
        "subject": _subject(mail),
        "headers": [(header, str(value)) for header in main for value in mail.get_all(header, [])],
        "others": [(header, str(value)) for header, value in mail.items() if header not in main],
        "text": with_links(_text(_body(mail, "plain"))),
        "has_html": _body(mail, "html") is not None,
        "attachments": attachments,
    }
    return render(request, "mailbox/message.html", context)


@require_safe
@xframe_options_sameorigin
@csp_replace(  # type: ignore[arg-type]  # as above
    {
        "default-src": [NONE],
        "script-src": [NONE],
        "style-src": [UNSAFE_INLINE],  # HTML mail knows no other style
        "img-src": ["data:"],
        "base-uri": [NONE],
        "form-action": [NONE],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
    }
)
def html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML part by itself, for the frame: no scripts, nothing loaded from anywhere, links open a new tab."""
    part = _body(_message(name), "html")
    if part is None:
        raise Http404
    response = HttpResponse('<base target="_blank">' + _text(part))
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
def attachment(request: HttpRequest, name: str, place: int) -> HttpResponse:
    """One attached file, as a download whatever its type claims."""
    parts = _attachments(_message(name))
    if place >= len(parts):
        raise Http404
    part = parts[place]
    filename = _filename(part, place)
    content_type = part.get_content_type()
    response = HttpResponse(
        _content(part), content_type=content_type if content_type == "text/calendar" else "application/octet-stream"
    )
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
    return response


def _body(mail: EmailMessage, kind: str) -> MIMEPart | None:
    return mail.get_body(preferencelist=(kind,))


def _attachments(mail: EmailMessage) -> list[MIMEPart]:
    """Everything that is neither the text nor the HTML part."""
    bodies = [part for part in (_body(mail, "plain"), _body(mail, "html")) if part is not None]
    leaves = [part for part in mail.walk() if not part.is_multipart()]
    return [part for part in leaves if all(part is not body for body in bodies)]


def _content(part: MIMEPart) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _filename(part: MIMEPart, place: int) -> str:
    """The name the sender gave, without anything that is not a plain file name."""
    given = re.sub(r"[\x00-\x1f\x7f/\\]", "_", part.get_filename() or "").strip(". ")
    return given[:120] or f"attachment-{place + 1}"

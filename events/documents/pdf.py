"""Documents as PDF: tagged, PDF/UA-1, set by typst in a process of its own (renderer.py)."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import structlog
from django.utils.translation import gettext_lazy as _

from alliance.exceptions import DomainError
from events.documents.model import Document

log = structlog.get_logger("events.documents")

_HERE = Path(__file__).resolve().parent
_RENDERER = _HERE / "renderer.py"
_TEMPLATE = _HERE / "typst" / "document.typ"
_SECONDS = 25.0  # below the half minute after which gunicorn gives a worker up

# Nothing of our environment: it holds the keys of the house. Few threads, so that the limit of memory holds anywhere.
_ENVIRONMENT = {"RAYON_NUM_THREADS": "2", "MALLOC_ARENA_MAX": "2", "PYTHONDONTWRITEBYTECODE": "1"}


class DocumentFailed(DomainError):
    """The document could not be made."""

    code = "document_failed"
    message = _("The document could not be made. Please try again later.")


class DocumentNotMade(DomainError):
    """Too many are being made, or the program that sets them failed; said to whoever ordered it."""

    code = "document_not_made"
    message = _("The document could not be made just now. Order it again in a minute.")


def fonts() -> Path:
    """Where Noto Sans lies, which comes as a package; no font of the system is used."""
    found = find_spec("fontpkg_noto_sans")
    if found is None or found.origin is None:
        raise DocumentFailed
    return Path(found.origin).parent / "files"


def pdf(document: Document) -> bytes:
    """The document as PDF. Takes from a tenth of a second to some seconds; raises DocumentFailed."""
    return typeset(document.as_json(), template=_TEMPLATE)


def typeset(content: bytes, *, template: Path) -> bytes:
    """JSON set with a template, which reads it as sys.inputs.document. Raises DocumentFailed."""
    command = [sys.executable, "-I", str(_RENDERER), str(template), str(fonts())]
    try:
        answer = subprocess.run(
            command,
            input=content,
            capture_output=True,
            timeout=_SECONDS,
            env=_ENVIRONMENT,
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        log.error("document_failed", reason="time is up")
        raise DocumentFailed from error
    if answer.returncode != 0 or not answer.stdout.startswith(b"%PDF-"):
        # The renderer's own words never hold content of the document.
        reason = answer.stderr.decode(errors="replace").strip().rpartition("\n")[2][:100]
        log.error("document_failed", reason=reason, code=answer.returncode)
        raise DocumentFailed
    return answer.stdout

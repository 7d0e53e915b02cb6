"""Words that begin so, found in whatever wrapping."""

from __future__ import annotations

import base64
import html
import io
import re
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote

import pypdf

SECRET, OPEN = "qvx", "wqz"  # how words of those begin who may not be named, and of those who may


def found(content: bytes | str, word: str) -> set[str]:
    """Words that begin so, in whatever wrapping: PDF, packed files, base64, percent signs, entities, capitals.

    Three letters alone come about by chance in packed bytes, so a word has to go on.
    """
    return {one.casefold() for text in _texts(content) for one in re.findall(rf"(?i){word}\w{{3,}}", text)}


def _texts(content: bytes | str) -> Iterator[str]:
    if isinstance(content, bytes):
        if content.startswith(b"%PDF"):
            reader = pypdf.PdfReader(io.BytesIO(content))
            yield "\n".join(page.extract_text() for page in reader.pages).replace("\u200b", "")
            yield str(reader.metadata)
        elif content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for name in archive.namelist():
                    yield name
                    yield from _texts(re.sub(rb"<[^>]*>", b"", archive.read(name)))
                    yield archive.read(name).decode("utf-8", "replace")
            return
        content = content.decode("utf-8", "replace")
    yield content
    yield content.replace("\r\n ", "").replace("=\r\n", "").replace("=\n", "")  # folded lines
    yield unquote(html.unescape(content))
    for packed in re.findall(r"[A-Za-z0-9+/=_-]{16,}", content):
        try:
            yield base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_").decode("utf-8", "ignore")
        except ValueError:
            continue

"""Files that are sent to us: in memory alone, since on disk they would lie in clear, and never more than may be taken.

Django asks handlers before any view, form or permission looks at a request, so this is what a stranger meets who sends
a file of any size to any address. Each form then says what it takes, by size and content.
"""

from __future__ import annotations

import io
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

MOST_OF_REQUEST = 25_000_000  # bytes of everything that is sent at once; the proxy has the same limit
MOST_OF_FILE = 5_000_000  # bytes that are kept of a file: no form takes a larger one
MOST_FILES = 5  # that are kept; forms of organisers have one


class InMemory(FileUploadHandler):
    """Keeps a few files. Of one that is too large it keeps the true size and no more, and its form refuses it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._came = 0
        self._content = io.BytesIO()

    def handle_raw_input(
        self, input_data: Any, META: dict[str, str], content_length: int, boundary: str, encoding: str | None = None
    ) -> None:
        """Refuse what is too large before a byte of it is read. Raises RequestDataTooBig."""
        if content_length > MOST_OF_REQUEST:
            raise RequestDataTooBig("more than all forms take together")

    def is_wanted(self) -> bool:
        """Whether the file that begins is kept."""
        return self._came < MOST_FILES

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin the next one; what nobody wants is read past."""
        super().new_file(*args, **kwargs)
        if not self.is_wanted():
            raise SkipFile
        self._came += 1
        self._content = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep what fits."""
        if start + len(raw_data) <= MOST_OF_FILE:
            self._content.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """The file as forms want it."""
        self._content.seek(0)
        return InMemoryUploadedFile(
            file=self._content,
            field_name=self.field_name,
            name=self.file_name or "",
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
        )

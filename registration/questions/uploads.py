"""Files that come with a form: in memory alone, since on disk they would lie in clear, and never more than fits."""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

from registration.questions.answers import MOST_BYTES


class _InMemory(FileUploadHandler):
    """Keeps the files of known fields. Of one that is too large it keeps the size alone, which the field refuses."""

    def __init__(self, request: HttpRequest, names: Collection[str]) -> None:
        super().__init__(request)
        self._left = set(names)
        self._content = io.BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin the next one; anything that no field asks for, and a second file for a field, is read past."""
        super().new_file(*args, **kwargs)
        if self.field_name not in self._left:
            raise SkipFile
        self._left.discard(self.field_name)
        self._content = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep what fits."""
        if start + len(raw_data) <= MOST_BYTES:
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


def accept(request: HttpRequest, *, names: Collection[str]) -> None:
    """Take files for these fields of a form, before anything reads it."""
    request.upload_handlers = [_InMemory(request, names)]


def came(request: HttpRequest) -> bool:
    """Whether a file belongs to the form that was sent, now or with an earlier try."""
    if request.content_type != "multipart/form-data":
        return False
    return bool(request.FILES) or any(name.endswith("-kept") for name in request.POST)

"""Files that come with a form of questions: those of known fields alone, one for each."""

from __future__ import annotations

from collections.abc import Collection

from django.http import HttpRequest

from alliance.uploads import InMemory


class _OfFields(InMemory):
    """Keeps the files of known fields; anything that no field asks for, and a second file for a field, is read past."""

    def __init__(self, request: HttpRequest, names: Collection[str]) -> None:
        super().__init__(request)
        self._left = set(names)

    def is_wanted(self) -> bool:
        """Whether a field waits for it."""
        if self.field_name not in self._left:
            return False
        self._left.discard(self.field_name)
        return True


def accept(request: HttpRequest, *, names: Collection[str]) -> None:
    """Take files for these fields of a form, before anything reads it."""
    request.upload_handlers = [_OfFields(request, names)]


def came(request: HttpRequest) -> bool:
    """Whether a file belongs to the form that was sent, now or with an earlier try."""
    if request.content_type != "multipart/form-data":
        return False
    return bool(request.FILES) or any(name.endswith("-kept") for name in request.POST)

"""When more people have a place than there are places: how many, and what organisers are told."""

from __future__ import annotations

from django.utils.translation import gettext, ngettext

from registration.models import Places


def surplus(places: Places) -> int:
    """How many more have a place than there are places, after the capacity was lowered. 0 without a limit."""
    return 0 if places.capacity is None else max(places.taken - places.capacity, 0)


def words(count: int) -> str:
    """What that means: nobody loses a place, and how long there is no new one."""
    text = ngettext(
        "%(count)s more person is confirmed than there are places. Nobody is thrown out; there is no new place until "
        "%(count)s has cancelled.",
        "%(count)s more people are confirmed than there are places. Nobody is thrown out; there is no new place until "
        "%(count)s have cancelled.",
        count,
    )
    return text % {"count": count}


def mark(count: int) -> str:
    """The same in a cell of a list."""
    return gettext("%(count)s too many") % {"count": count}

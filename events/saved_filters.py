"""Keeping, showing and forgetting named filters of a list; services and reads of events.SavedFilter."""

from __future__ import annotations

from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from alliance.exceptions import DomainError
from events.models import SavedFilter

MOST = 20  # of one user, for one list
_LONGEST = 500
# Words that were typed may be somebody's name; pages and pop-ups are not what one comes back for.
_LEFT_OUT = frozenset({"q", "p", "all", "e", "_popup", "_to_field"})


class NothingToSave(DomainError):
    """No filter is chosen."""

    code = "nothing_to_save"
    message = _("Choose a filter first; words typed into the search are not saved.")


class TooMany(DomainError):
    """The user has as many as there may be."""

    code = "too_many_filters"
    message = _("Twenty filters are saved already. Delete one first.")


def without_words(query: str) -> str:
    """The filters and the order of an address, in one order; nothing that was typed."""
    sent = QueryDict(query)
    kept = QueryDict(mutable=True)
    for key in sorted(set(sent) - _LEFT_OUT):
        kept.setlist(key, sent.getlist(key))
    return kept.urlencode()


@transaction.atomic
def save(*, user: User, page: str, name: str, query: str) -> SavedFilter:
    """Keep a filter under a name; one of the name is replaced. Raises NothingToSave, TooMany."""
    name, query = " ".join(name.split())[:60], without_words(query)
    if not name or not query or len(query) > _LONGEST:
        raise NothingToSave
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one at a time: the limit is counted
    own = SavedFilter.objects.filter(user=user, page=page)
    if not own.filter(name=name).exists() and own.count() >= MOST:
        raise TooMany
    made, _is_new = SavedFilter.objects.update_or_create(user=user, page=page, name=name, defaults={"query": query})
    return made


def forget(*, user: User, page: str, name: str) -> None:
    """Delete one of the user's own; one that is gone already is fine."""
    SavedFilter.objects.filter(user=user, page=page, name=name).delete()


def of(user: User, page: str) -> list[SavedFilter]:
    """The user's own, by name."""
    return list(SavedFilter.objects.filter(user=user, page=page).order_by("name", "pk"))

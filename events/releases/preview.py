"""Looking at the public pages as they would be with the draft, or as they were in an older release.

The very same views answer; for the length of one transaction temporary tables stand before the real ones. Only reading
is possible there, and nothing of it is kept: the answer is not stored, and the transaction is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, get_script_prefix, resolve, set_script_prefix
from django.utils import translation

from events import page_cache
from events.models import Conference, ConferenceState, Release, ReleasedRow, Visibility
from events.releases import schema, tables
from events.releases.reading import reading_draft
from events.releases.tables import ProgrammeTable

_PAGES = {"events", "speakers"}
_ROWS = ReleasedRow._meta.db_table


@contextmanager
def showing(conference: Conference, release: Release | None) -> Iterator[None]:
    """Context: queries find the conference as in the release, or as publishing the draft now would show it.

    Everything that is written inside is undone.
    """
    with reading_draft(), transaction.atomic():
        shown = tables.all_tables() if release else [tables.table_of(Conference)]
        for table in shown:
            _cover(table, conference, release)
        yield
        transaction.set_rollback(True)


def _cover(table: ProgrammeTable, conference: Conference, release: Release | None) -> None:
    """Put a temporary table of the same name before a table; PostgreSQL looks there first."""
    with connection.cursor() as cursor:
        if release is None:
            source, values = f"SELECT * FROM public.{table.name} WHERE id = %s", [conference.pk]
        else:
            source = (
                f"SELECT row.* FROM public.{_ROWS} kept CROSS JOIN LATERAL "
                f"jsonb_populate_record(NULL::public.{table.name}, {schema.defaults(table)} || kept.data) row "
                f"WHERE kept.release_id = %s AND kept.\"table\" = '{table.name}'"
            )
            values = [release.pk]
        cursor.execute(f"CREATE TEMPORARY TABLE {table.name} ON COMMIT DROP AS {source}", values)
        if table.covered:  # a release does not know what was taken down since, or was then
            cursor.execute(
                f"UPDATE pg_temp.{table.name} shown SET taken_down_at = live.taken_down_at "
                f"FROM public.{table.name} live WHERE live.id = shown.id AND live.taken_down_at IS NOT NULL"
            )
        if table.model is Conference:
            cursor.execute(
                f"UPDATE pg_temp.{table.name} SET visibility = %s, state = CASE state WHEN %s THEN %s ELSE state END",
                [Visibility.PUBLIC, ConferenceState.DRAFT, ConferenceState.PUBLISHED],
            )


def answer(
    request: HttpRequest, conference: Conference, release: Release | None, *, path: str, prefix: str, back: str
) -> HttpResponse:
    """The answer of the public page at path (without a slash before it), with links that stay in the preview.

    prefix: where the preview stands, ending with a slash. back: where the preview's bar leads. Raises Http404 for what
    is no page of a programme; documents and feeds are none, they are kept under the version of what is published.
    """
    language = path.partition("/")[0]
    if language not in dict(settings.LANGUAGES) or request.method not in {"GET", "HEAD"} or not path.endswith("/"):
        raise Http404
    before, at_first = get_script_prefix(), (request.path, request.path_info)
    with translation.override(language):
        try:
            set_script_prefix(prefix)
            request.path, request.path_info = f"{prefix}{path}", f"/{path}"
            match = resolve(f"/{path}")
            if match.namespace not in _PAGES or match.kwargs.get("conference", conference.slug) != conference.slug:
                raise Http404
            request.LANGUAGE_CODE = language
            request.programme_preview = release or "draft"  # type: ignore[attr-defined]
            request.programme_preview_back = back  # type: ignore[attr-defined]
            with showing(conference, release):
                response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        except Resolver404:
            raise Http404 from None
        finally:
            set_script_prefix(before)
            request.path, request.path_info = at_first
    if not isinstance(response, HttpResponse):
        raise Http404
    page_cache.never_kept(response)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response

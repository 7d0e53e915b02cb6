"""The whole programme file of a conference, made of what every section exports."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from events.models import Conference
from events.programme_file import sections, yaml_output
from events.programme_file.exporting import Export
from events.programme_file.layout import arranged


def tree(conference: Conference) -> dict[str, Any]:
    """The whole conference as plain data, in the order of the file."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:  # one picture of the database, also while somebody edits
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = Conference.objects.select_related("series", "venue", "organiser", "chairmanship").get(pk=conference.pk)
        export = Export(row)
        for section in reversed(sections.in_order()):
            if section.exporter is not None:
                section.exporter(export)
    return arranged(export.root)


def export(conference: Conference) -> bytes:
    """The conference as a file of format alliance-programme/1, UTF-8. The same state gives the same bytes."""
    return yaml_output.document(tree(conference))

"""Empty what the next migration forbids beside a pseudonym. There is no way back: the traces are gone, on purpose."""

from typing import Any

from django.db import migrations
from django.db.models import F


def clear(apps: Any, _schema_editor: Any) -> None:
    """Other names, notes, affiliations, and names printed for an occasion."""
    persons = apps.get_model("speakers", "Person").objects.filter(is_pseudonym=True)
    persons.update(given_name="", family_name="", sort_name=F("display_name"), internal_note="")
    apps.get_model("speakers", "Affiliation").objects.filter(person__is_pseudonym=True).delete()
    apps.get_model("speakers", "Contribution").objects.filter(person__is_pseudonym=True).update(name_printed="")


class Migration(migrations.Migration):
    """Data only."""

    dependencies = [("speakers", "0003_programme_file")]

    operations = [migrations.RunPython(clear, migrations.RunPython.noop)]

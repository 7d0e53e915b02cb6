"""What a delegation wrote about each member, under the person's key: how the member stands towards it from now on.

Of members who are there already the name shown is taken where it still is what the delegation wrote. Whoever appears
under an alias, is protected or has corrected their own name stands without a name towards the delegation: which of the
names kept it knows cannot be told, and opening an identity to find out is not for a migration.
"""

from typing import Any

from django.db import migrations, models

from alliance import crypto

_AT_ONCE = 500
_NAMES, _FUNCTION = {"given_name", "family_name", "alias"}, {"function"}


def fill(apps: Any, _schema_editor: Any) -> None:
    """Seal what can be told. Who is erased, or whose key does not open, has nothing to seal."""
    members = apps.get_model("registration", "Membership").objects
    protected = set(
        apps.get_model("registration", "ProtectedParticipant").objects.values_list("participant", flat=True)
    )
    trail = apps.get_model("accounts", "AuditEntry").objects
    last = 0
    while found := list(
        members.filter(pk__gt=last, participant__identity_key__isnull=False)
        .select_related("participant__identity_key")
        .order_by("pk")[:_AT_ONCE]
    ):
        last = found[-1].pk
        ids = [one.participant.public_id for one in found]
        own: dict[Any, set[str]] = {}
        for about, details in trail.filter(action="participant.corrected", about_id__in=ids).values_list(
            "about_id", "details"
        ):
            own.setdefault(about, set()).update(details.get("fields", []))
        for one in found:
            person = one.participant
            corrected = own.get(person.public_id, set())
            is_hidden = person.has_alias or person.pk in protected
            written = {
                "name": "" if is_hidden or corrected & _NAMES else person.display_name,
                "function": "" if corrected & _FUNCTION else person.function,
            }
            try:
                key = crypto.unwrap_person_key(bytes(person.identity_key.wrapped))
            except crypto.Unreadable:
                continue
            one.sealed_as_written = crypto.seal(written, key=key, row=b"membership" + one.public_id.bytes)
        members.bulk_update(found, ["sealed_as_written"])


class Migration(migrations.Migration):
    """The column, and what is told of members that are there."""

    dependencies = [
        ("accounts", "0005_safes"),
        ("registration", "0032_periods_are_announced"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="sealed_as_written",
            field=models.BinaryField(editable=False, null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]

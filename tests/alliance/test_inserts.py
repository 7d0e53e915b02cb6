"""Several models by one statement: the same rows as by the ORM, keys for the first, and constraints that hold."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, models
from pytest_django import DjangoAssertNumQueries

from accounts import actors
from accounts.models import AuditEntry
from alliance.inserts import Rows, insert
from outbox.models import Message
from registration.models import Participant, Registration
from tests.factories import NOW, AdmissionFactory, ParticipantFactory

pytestmark = pytest.mark.django_db


def message(key: str) -> Message:
    """A message that only differs by its key."""
    return Message(
        topic="test", key=key, about_kind="test", about_id=uuid4(), details={"a": [1]}, due_at=NOW,
        next_attempt_at=NOW, deadline_at=NOW, created_at=NOW,
    )  # fmt: skip


def entry() -> AuditEntry:
    """An audit row."""
    return actors.audit_entry(
        at=NOW, by=actors.SYSTEM, action="test", about_kind="test", about_id=uuid4(), details={"a": "é"}
    )


def values(row: models.Model) -> dict[str, object]:
    """What a row holds, but for its key."""
    return {
        field.attname: bytes(value) if isinstance(value, memoryview) else value
        for field in row._meta.concrete_fields
        if not field.primary_key and (value := getattr(row, field.attname)) is not field
    }


def test_insert_writes_every_model_in_one_statement_and_keys_the_first(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    messages, entries = [message("a"), message("b")], [entry()]

    with django_assert_num_queries(1):
        assert insert(Rows([]), Rows(messages), Rows(entries))

    assert [values(row) for row in Message.objects.order_by("pk")] == [values(row) for row in messages]
    assert [values(row) for row in AuditEntry.objects.filter(action="test")] == [values(row) for row in entries]
    assert [row.pk for row in messages] == list(Message.objects.order_by("pk").values_list("pk", flat=True))
    assert not messages[0]._state.adding


def test_insert_prepares_values_as_the_orm_does() -> None:
    admission = AdmissionFactory()
    person = ParticipantFactory(conference=admission.conference, accessibility_needs="Captions")
    copy = Participant(**{field.attname: getattr(person, field.attname) for field in Participant._meta.concrete_fields})
    copy.pk, copy.public_id, copy.email_index, copy.link_hash = None, uuid4(), b"i" * 32, b"l" * 32
    copy.updated_at = None  # type: ignore[assignment]  # set by the field when it is written
    registration = Registration(admission=admission, participant=person, created_at=NOW, join_hash=b"j" * 32)

    assert insert(Rows([copy]))
    assert insert(Rows([registration]))

    saved = Participant.objects.get(pk=copy.pk)
    assert values(saved) == values(copy)
    assert saved.updated_at is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT accessibility_needs FROM registration_participant")
        assert all("Captions" not in text for (text,) in cursor.fetchall())
    assert values(Registration.objects.get()) == values(registration)


def test_insert_leaves_out_what_is_known_only_where_asked() -> None:
    insert(Rows([message("a")]))
    again, other = message("a"), message("b")

    assert not insert(Rows([again, other], skip_known=True))
    assert again._state.adding
    assert sorted(Message.objects.values_list("key", flat=True)) == ["a", "b"]
    with pytest.raises(IntegrityError, match="outbox_message_key"):
        insert(Rows([entry()]), Rows([message("a")]))


def test_insert_of_nothing_asks_nobody(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert insert(Rows([]), Rows([], skip_known=True))

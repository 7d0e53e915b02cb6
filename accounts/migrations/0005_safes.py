"""Safes with their keepers and openings, and the role that looks after protection."""

import alliance.db
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


FORWARD = """
CREATE FUNCTION accounts_keep_safe_openings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.safe_id, NEW.at, NEW.reason) IS DISTINCT FROM (OLD.id, OLD.safe_id, OLD.at, OLD.reason)
        OR (NEW.user_id IS DISTINCT FROM OLD.user_id AND NEW.user_id IS NOT NULL)
    THEN
        RAISE EXCEPTION 'who looked, when and why is never changed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'safe_opening_is_never_changed';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER keep_safe_openings BEFORE UPDATE ON accounts_safeopening
FOR EACH ROW EXECUTE FUNCTION accounts_keep_safe_openings();

CREATE FUNCTION accounts_openings_go_with_safe() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM accounts_safe WHERE id = OLD.safe_id) THEN
        RAISE EXCEPTION 'an opening goes with its safe only'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'safe_opening_goes_with_safe_only';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER openings_go_with_safe AFTER DELETE ON accounts_safeopening
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION accounts_openings_go_with_safe();
"""

BACKWARD = """
DROP TRIGGER openings_go_with_safe ON accounts_safeopening;
DROP TRIGGER keep_safe_openings ON accounts_safeopening;
DROP FUNCTION accounts_openings_go_with_safe();
DROP FUNCTION accounts_keep_safe_openings();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_sign_in"),
        ("events", "0012_taking_down"),
    ]

    operations = [
        migrations.CreateModel(
            name="Safe",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", alliance.db.PublicIdField()),
                ("made_at", models.DateTimeField(verbose_name="made at")),
            ],
            options={
                "verbose_name": "safe",
                "verbose_name_plural": "safes",
            },
        ),
        migrations.CreateModel(
            name="SafeKeeper",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("may_open", models.BooleanField(default=False, verbose_name="may open it")),
                ("is_told", models.BooleanField(default=False, verbose_name="is told of each opening")),
                ("named_at", models.DateTimeField(verbose_name="named at")),
            ],
            options={
                "verbose_name": "keeper of a safe",
                "verbose_name_plural": "keepers of safes",
            },
        ),
        migrations.CreateModel(
            name="SafeOpening",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("reason", alliance.db.EncryptedTextField(verbose_name="reason")),
            ],
            options={
                "verbose_name": "opening of a safe",
                "verbose_name_plural": "openings of safes",
            },
        ),
        migrations.RemoveConstraint(
            model_name="role",
            name="role_kind_is_known",
        ),
        migrations.AlterField(
            model_name="role",
            name="kind",
            field=models.CharField(
                choices=[
                    ("administrator", "Administrator"),
                    ("organiser", "Organiser"),
                    ("editor", "Programme editor"),
                    ("desk", "Registration desk"),
                    ("confidential", "Reader of confidential answers"),
                    ("protection", "Protection officer"),
                    ("communications", "Communications"),
                    ("steward", "Check-in steward"),
                    ("moderator", "Moderator"),
                    ("interpreter", "Interpreter"),
                    ("convenor", "Convenor of a side event"),
                    ("viewer", "Viewer"),
                ],
                max_length=16,
                verbose_name="role",
            ),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "administrator",
                            "organiser",
                            "editor",
                            "desk",
                            "confidential",
                            "protection",
                            "communications",
                            "steward",
                            "moderator",
                            "interpreter",
                            "convenor",
                            "viewer",
                        ],
                    )
                ),
                name="role_kind_is_known",
            ),
        ),
        migrations.AddField(
            model_name="safekeeper",
            name="named_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="safekeeper",
            name="safe",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="keepers", to="accounts.safe"
            ),
        ),
        migrations.AddField(
            model_name="safekeeper",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="safeopening",
            name="safe",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="openings", to="accounts.safe"
            ),
        ),
        migrations.AddField(
            model_name="safeopening",
            name="user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="safekeeper",
            constraint=models.UniqueConstraint(fields=("safe", "user"), name="safe_keeper_named_once"),
        ),
        migrations.AddConstraint(
            model_name="safekeeper",
            constraint=models.CheckConstraint(
                condition=models.Q(("may_open", True), ("is_told", True), _connector="OR"),
                name="safe_keeper_has_a_task",
            ),
        ),
        migrations.AddConstraint(
            model_name="safekeeper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("named_by", None), models.Q(("named_by", models.F("user")), _negated=True), _connector="OR"
                ),
                name="safe_keeper_is_named_by_another",
            ),
        ),
        migrations.AddIndex(
            model_name="safeopening",
            index=models.Index(fields=["safe", "-at"], name="safe_opening_newest"),
        ),
        migrations.AddConstraint(
            model_name="safeopening",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="safe_opening_has_a_reason"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]

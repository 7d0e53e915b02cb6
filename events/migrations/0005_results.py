"""Results in items below items, with topics, and the note that is printed below them.

What the models cannot say is said here: an item is of the session of the one above it (a composite foreign key), none
stands below itself or deeper than three levels, and topics are known ones. The first two wait for the commit, so that
an import or a restored release may bring rows in any order.
"""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.db.models.constraints
import django.db.models.deletion
from django.db import migrations, models

import alliance.languages
import alliance.translated

SAME_SESSION = """
ALTER TABLE events_recommendation ADD CONSTRAINT recommendation_id_and_session UNIQUE (id, session_id);
ALTER TABLE events_recommendation ADD CONSTRAINT recommendation_parent_in_session
FOREIGN KEY (parent_id, session_id) REFERENCES events_recommendation (id, session_id) DEFERRABLE INITIALLY DEFERRED;
"""
NOT_SAME_SESSION = """
ALTER TABLE events_recommendation DROP CONSTRAINT recommendation_parent_in_session;
ALTER TABLE events_recommendation DROP CONSTRAINT recommendation_id_and_session;
"""

# search_path is pinned: what is published has views of the same names (events.releases).
TREE = """
CREATE FUNCTION events_check_recommendation_tree() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    standing bigint;
BEGIN
    -- No lock: whoever writes here holds the row of the content version already, so writers come one after the other.
    WITH RECURSIVE found (id, level) AS (
        SELECT id, 1 FROM events_recommendation WHERE session_id = NEW.session_id AND parent_id IS NULL
        UNION ALL
        SELECT below.id, found.level + 1
        FROM events_recommendation below JOIN found ON below.parent_id = found.id WHERE found.level < 3
    )
    SELECT count(*) INTO standing FROM found;
    IF standing <> (SELECT count(*) FROM events_recommendation WHERE session_id = NEW.session_id) THEN
        RAISE EXCEPTION 'an item stands below itself, or deeper than three levels'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recommendation_items_form_a_tree';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER items_form_a_tree AFTER INSERT OR UPDATE OF parent_id, session_id ON events_recommendation
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL)
EXECUTE FUNCTION events_check_recommendation_tree();
"""
NO_TREE = """
DROP TRIGGER items_form_a_tree ON events_recommendation;
DROP FUNCTION events_check_recommendation_tree();
"""

TOPICS = """
CREATE FUNCTION events_check_topics() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    -- The lock keeps a topic from going between here and the commit.
    PERFORM 1 FROM events_topic WHERE key = ANY (NEW.topics) FOR KEY SHARE;
    IF (SELECT count(*) FROM events_topic WHERE key = ANY (NEW.topics)) <> cardinality(NEW.topics) THEN
        RAISE EXCEPTION 'a topic is not known, or stands twice'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recommendation_topics_are_known';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER topics_are_known BEFORE INSERT OR UPDATE OF topics ON events_recommendation
FOR EACH ROW WHEN (cardinality(NEW.topics) > 0) EXECUTE FUNCTION events_check_topics();

CREATE FUNCTION events_keep_topic() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.key = OLD.key THEN
            RETURN NULL;
        END IF;
    END IF;
    IF EXISTS (SELECT 1 FROM events_recommendation WHERE OLD.key = ANY (topics)) THEN
        RAISE EXCEPTION 'the topic % is in use', OLD.key
            USING ERRCODE = 'check_violation', CONSTRAINT = 'topic_in_use_stays';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER topic_in_use_stays AFTER UPDATE OF key OR DELETE ON events_topic
FOR EACH ROW EXECUTE FUNCTION events_keep_topic();
"""
NO_TOPICS = """
DROP TRIGGER topic_in_use_stays ON events_topic;
DROP FUNCTION events_keep_topic();
DROP TRIGGER topics_are_known ON events_recommendation;
DROP FUNCTION events_check_topics();
"""


class Migration(migrations.Migration):
    """Columns, table, constraints, triggers."""

    dependencies = [("events", "0004_calendar_sequence")]

    operations = [
        migrations.CreateModel(
            name="Topic",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=40, unique=True, verbose_name="key")),
                (
                    "name",
                    alliance.translated.TranslatedField(default=alliance.languages.Translations, verbose_name="name"),
                ),
            ],
            options={"verbose_name": "topic", "verbose_name_plural": "topics"},
        ),
        migrations.AddField(
            model_name="conference",
            name="results_disclaimer",
            field=alliance.translated.TranslatedField(
                blank=True,
                default=alliance.languages.Translations,
                help_text="Printed wherever results of this conference are. Empty: the usual sentence.",
                verbose_name="note below results",
            ),
        ),
        migrations.AddField(
            model_name="recommendation",
            name="parent",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="items",
                to="events.recommendation",
                verbose_name="below",
            ),
        ),
        migrations.AddField(
            model_name="recommendation",
            name="topics",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                blank=True,
                default=list,
                help_text="Keys of topics.",
                size=None,
                verbose_name="topics",
            ),
        ),
        migrations.AlterField(
            model_name="recommendation",
            name="number",
            field=models.PositiveSmallIntegerField(
                help_text="As printed; below another item, its place there.", verbose_name="number"
            ),
        ),
        migrations.AlterField(
            model_name="recommendation",
            name="addressee",
            field=alliance.translated.TranslatedField(
                blank=True,
                default=alliance.languages.Translations,
                help_text="Whom it is for, such as “participating States”.",
                verbose_name="addressee",
            ),
        ),
        migrations.AlterField(
            model_name="material",
            name="published_on",
            field=models.DateField(
                blank=True, help_text="Not shown before this day.", null=True, verbose_name="published on"
            ),
        ),
        migrations.RemoveConstraint(model_name="recommendation", name="recommendation_number_is_unique"),
        migrations.AddConstraint(
            model_name="recommendation",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("parent__isnull", True)),
                deferrable=django.db.models.constraints.Deferrable["IMMEDIATE"],
                expressions=[("session", "="), ("kind", "="), ("number", "=")],
                name="recommendation_number_is_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="recommendation",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("parent__isnull", False)),
                deferrable=django.db.models.constraints.Deferrable["IMMEDIATE"],
                expressions=[("parent", "="), ("number", "=")],
                name="recommendation_number_is_unique_below",
            ),
        ),
        migrations.RunSQL(SAME_SESSION, NOT_SAME_SESSION),
        migrations.RunSQL(TREE, NO_TREE),
        migrations.RunSQL(TOPICS, NO_TOPICS),
        migrations.RunSQL(
            "CREATE TRIGGER raise_content_version AFTER INSERT OR UPDATE OR DELETE ON events_topic "
            "FOR EACH STATEMENT EXECUTE FUNCTION events_raise_content_version()",
            "DROP TRIGGER raise_content_version ON events_topic",
        ),
    ]

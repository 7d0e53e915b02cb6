"""How the search compares: plain words, names by their sound, and indexes for the names that all conferences share.

Every function names its schema, because indexes are made and restored with an empty search_path. The rules of sound
are those of speakers/folding.py. Texts of sessions have no index: in small letters without accents a whole programme is
compared in a few milliseconds, and what is published stands in tables of its own (events.releases).
"""

from django.db import migrations

FUNCTIONS = r"""
CREATE FUNCTION public.search_plain(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT lower(public.unaccent('public.unaccent'::regdictionary, value))
$$;
CREATE FUNCTION public.search_sound(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT regexp_replace(regexp_replace(regexp_replace(
        replace(replace(replace(replace(replace(
            translate(
                replace(replace(replace(public.search_plain(value), 'щ', 'шч'), 'џ', 'дж'), 'x', 'ks'),
                'абвгґѓғдђеёэєәжзиіїкќқлљмнњңоөпрстћуўұүфхһцчшюяѕwqjyйыьъј''’',
                'abvggggddeeeeazziiikkkllmnnnooprstcuuuufhhccsuazvk'
            ), 'kh', 'h'), 'ph', 'f'), 'tch', 'c'), 'ts', 'c'), 'ck', 'k'),
        '([cszg])h', '\1', 'g'), 'i+([aeou])', '\1', 'g'), '([a-z])\1+', '\1', 'g')
$$;
CREATE FUNCTION public.search_both(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT public.search_plain(value) || E'\n' || public.search_sound(value)
$$;
CREATE FUNCTION public.search_pattern(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT '%' || replace(replace(replace(value, '\', '\\'), '%', '\%'), '_', '\_') || '%'
$$;
CREATE FUNCTION public.search_person(display_name text, aliases text[], is_pseudonym boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT public.search_both(
        CASE WHEN is_pseudonym THEN display_name ELSE concat_ws(' ', display_name, array_to_string(aliases, ' ')) END)
$$;
CREATE FUNCTION public.search_organisation(name jsonb, abbreviation text, aliases text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT public.search_both(concat_ws(
        ' ', jsonb_path_query_array(name, '$.*')::text, abbreviation, array_to_string(aliases, ' ')))
$$;
CREATE INDEX speakers_person_search ON speakers_person
    USING gin (public.search_person(display_name::text, aliases::text[], is_pseudonym) gin_trgm_ops);
CREATE INDEX events_organisation_search ON events_organisation
    USING gin (public.search_organisation(name, abbreviation::text, aliases::text[]) gin_trgm_ops);
"""

BACK = """
DROP INDEX events_organisation_search;
DROP INDEX speakers_person_search;
DROP FUNCTION public.search_organisation(jsonb, text, text[]);
DROP FUNCTION public.search_person(text, text[], boolean);
DROP FUNCTION public.search_pattern(text);
DROP FUNCTION public.search_both(text);
DROP FUNCTION public.search_sound(text);
DROP FUNCTION public.search_plain(text);
"""


class Migration(migrations.Migration):
    """Functions and indexes."""

    dependencies = [("speakers", "0005_pseudonym_stands_alone"), ("events", "0003_programme_file")]

    operations = [migrations.RunSQL(FUNCTIONS, BACK)]

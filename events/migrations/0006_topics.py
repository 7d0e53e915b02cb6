"""The topics the office files its meetings under, to begin with. Organisers change and add to them."""

from django.db import migrations

LANGUAGES = ("en", "fr", "de", "it", "es", "ru")
NAMES = {
    "prevention": ("Prevention", "Prévention", "Prävention", "Prevenzione", "Prevención", "Предупреждение"),
    "prosecution": ("Prosecution", "Poursuites", "Strafverfolgung", "Azione penale", "Persecución penal",
                    "Уголовное преследование"),
    "protection": ("Protection", "Protection", "Schutz", "Protezione", "Protección", "Защита"),
    "partnership": ("Partnership", "Partenariat", "Partnerschaft", "Partenariato", "Asociación", "Партнёрство"),
    "technology": ("Technology", "Technologies", "Technologie", "Tecnologia", "Tecnología", "Технологии"),
    "supply-chains": ("Supply chains", "Chaînes d’approvisionnement", "Lieferketten", "Catene di fornitura",
                      "Cadenas de suministro", "Цепочки поставок"),
    "children": ("Children", "Enfants", "Kinder", "Minori", "Niños", "Дети"),
    "migration": ("Migration", "Migration", "Migration", "Migrazione", "Migración", "Миграция"),
    "financial-investigations": ("Financial investigations", "Enquêtes financières", "Finanzermittlungen",
                                 "Indagini finanziarie", "Investigaciones financieras", "Финансовые расследования"),
    "gender": ("Gender", "Genre", "Geschlechterfragen", "Genere", "Género", "Гендерные вопросы"),
    "terrorism": ("Terrorism", "Terrorisme", "Terrorismus", "Terrorismo", "Terrorismo", "Терроризм"),
    "tourism": ("Tourism", "Tourisme", "Tourismus", "Turismo", "Turismo", "Туризм"),
    "capacity-building": ("Capacity-building", "Renforcement des capacités", "Kapazitätsaufbau",
                          "Sviluppo delle capacità", "Creación de capacidad", "Наращивание потенциала"),
}


def add(apps, schema_editor):
    """Add those that are not there."""
    topics = apps.get_model("events", "Topic").objects
    for key, names in NAMES.items():
        topics.get_or_create(key=key, defaults={"name": dict(zip(LANGUAGES, names, strict=True))})


class Migration(migrations.Migration):
    """Rows only."""

    dependencies = [("events", "0005_results")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]

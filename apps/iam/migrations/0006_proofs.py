import django.contrib.postgres.fields
from django.db import migrations, models


def _fields(model: str) -> list[migrations.AddField]:
    words = models.CharField(max_length=10)
    return [
        migrations.AddField(model, "methods", django.contrib.postgres.fields.ArrayField(words, default=list)),
        migrations.AddField(model, "proved_at", models.DateTimeField(null=True)),
        migrations.AddField(model, "strong_at", models.DateTimeField(null=True)),
    ]


class Migration(migrations.Migration):
    dependencies = [("iam", "0005_handoff_browser")]

    operations = [*_fields("tokenfamily"), *_fields("sessionhandoff")]

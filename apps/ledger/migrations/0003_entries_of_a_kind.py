"""Entries of one kind, newest first, without looking at the others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0002_append_only"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(models.F("kind"), models.F("id"), name="ledger_entry_kind"),
        ),
    ]

"""An index for each order in which clients and invoices are listed."""

import datetime
import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("invoices", "0004_series_never_go_back"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="client",
            name="client_name",
        ),
        migrations.RemoveIndex(
            model_name="invoice",
            name="invoice_open_due",
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["name", "id"], name="client_by_name"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["status", "due_date", "id"], name="invoice_status_due"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["due_date", "id"], name="invoice_by_due_date"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                django.db.models.functions.comparison.Coalesce("issue_date", models.Value(datetime.date(9999, 12, 31))),
                models.F("id"),
                name="invoice_by_issue_date",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["total_minor", "id"], name="invoice_by_total"),
        ),
    ]

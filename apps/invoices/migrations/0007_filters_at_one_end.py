"""Indexes for filters that leave what lies at one end of an order."""

import datetime

import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("invoices", "0006_guards_stand_once"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["currency", "-id"], name="invoice_currency_recent"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                models.F("status"),
                django.db.models.functions.comparison.Coalesce("issue_date", models.Value(datetime.date(9999, 12, 31))),
                models.F("id"),
                name="invoice_status_issue_date",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("paid_minor__gt", 0), ("status", "OPEN")),
                fields=["-id"],
                name="invoice_partly_paid",
            ),
        ),
    ]

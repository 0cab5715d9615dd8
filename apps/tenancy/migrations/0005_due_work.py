from django.db import migrations, models

import apps.core.ids


class Migration(migrations.Migration):

    dependencies = [
        ("tenancy", "0004_deletion_and_default_workspace"),
    ]

    operations = [
        migrations.CreateModel(
            name="DueWork",
            fields=[
                ("id", models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("kind", models.CharField(max_length=40)),
                ("due_at", models.DateTimeField()),
            ],
            options={
                "db_table": "tenancy_due_work",
                "indexes": [
                    models.Index(fields=["kind", "due_at"], name="due_work_when"),
                    models.Index(fields=["tenant_id", "kind"], name="due_work_whose"),
                ],
            },
        ),
    ]

"""Pictures of people."""

import apps.core.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("iam", "0010_impersonation_and_signing_keys"),
        ("tenancy", "0004_deletion_and_default_workspace"),
    ]

    operations = [
        migrations.CreateModel(
            name="Avatar",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=32)),
                (
                    "state",
                    models.CharField(
                        choices=[("UPLOADING", "Uploading"), ("SHOWN", "Shown"), ("ENDED", "Ended")],
                        default="UPLOADING",
                        max_length=10,
                    ),
                ),
                ("content_type", models.CharField(blank=True, max_length=20)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("is_swept", models.BooleanField(default=False)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenancy.tenant"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "iam_avatar",
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_swept", True), ("state", "SHOWN"), _negated=True),
                        fields=["expires_at"],
                        name="avatar_to_sweep",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "name"), name="avatar_name_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "SHOWN")), fields=("tenant", "user"), name="avatar_shown_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["UPLOADING", "SHOWN", "ENDED"])), name="avatar_state_known"
                    ),
                ],
            },
        ),
    ]

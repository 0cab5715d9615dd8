"""Operators in the name of members, temporary passwords, and signing keys that rotate."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import apps.core.ids
import apps.core.sealing


class Migration(migrations.Migration):
    dependencies = [
        ("iam", "0009_sso_and_scim"),
        ("tenancy", "0004_deletion_and_default_workspace"),
    ]

    operations = [
        migrations.CreateModel(
            name="Impersonation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("minutes", models.PositiveSmallIntegerField()),
                ("digest", models.CharField(db_index=True, default="", max_length=64)),
                ("browser_digest", models.CharField(default="", max_length=64)),
                ("created_at", models.DateTimeField()),
                ("redeem_before", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True, verbose_name="began")),
                ("ends_at", models.DateTimeField(null=True, verbose_name="ends")),
                ("stopped_at", models.DateTimeField(null=True, verbose_name="stopped")),
            ],
            options={
                "verbose_name": "impersonation",
                "verbose_name_plural": "impersonations",
                "db_table": "iam_impersonation",
            },
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("kid", models.CharField(max_length=64, unique=True)),
                ("public_pem", models.TextField()),
                ("private_sealed", apps.core.sealing.SealedField(blank=True, default="")),
                ("published_at", models.DateTimeField(verbose_name="published")),
                ("signs_from", models.DateTimeField(unique=True, verbose_name="signs from")),
                ("withdrawn_at", models.DateTimeField(null=True, verbose_name="withdrawn")),
            ],
            options={
                "verbose_name": "signing key",
                "verbose_name_plural": "signing keys",
                "db_table": "iam_signing_key",
                "ordering": ["-signs_from"],
            },
        ),
        migrations.AddField(
            model_name="tokenfamily",
            name="ends_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="tokenfamily",
            name="impersonator_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="must_change_password",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="impersonation",
            name="family",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="iam.tokenfamily"
            ),
        ),
        migrations.AddField(
            model_name="impersonation",
            name="operator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="impersonation",
            name="tenant",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenancy.tenant"),
        ),
        migrations.AddField(
            model_name="impersonation",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="impersonation",
            index=models.Index(fields=["tenant", "-id"], name="impersonation_tenant"),
        ),
    ]

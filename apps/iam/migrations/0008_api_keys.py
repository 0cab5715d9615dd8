"""API keys, and the nonces of signed requests."""

import apps.core.ids
import apps.core.sealing
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("iam", "0007_custom_roles"),
        ("iam", "0007_second_factors"),
        ("tenancy", "0004_deletion_and_default_workspace"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None),
                ),
                ("hint", models.CharField(max_length=20, verbose_name="key")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("pepper", models.CharField(max_length=8)),
                ("previous_digest", models.CharField(max_length=64, null=True, unique=True)),
                ("previous_until", models.DateTimeField(null=True)),
                (
                    "algorithm",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not signed"),
                            ("hmac-sha256", "Shared secret (HMAC-SHA256)"),
                            ("ed25519", "Public key (Ed25519)"),
                            ("ecdsa-p256-sha256", "Public key (ECDSA P-256)"),
                        ],
                        default="",
                        max_length=20,
                        verbose_name="signature",
                    ),
                ),
                ("verifier", apps.core.sealing.SealedField(blank=True, default="")),
                ("previous_verifier", apps.core.sealing.SealedField(blank=True, default="")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="good until")),
                ("rotated_at", models.DateTimeField(null=True, verbose_name="rotated")),
                ("last_used_at", models.DateTimeField(null=True, verbose_name="last used")),
                ("last_used_ip", models.GenericIPAddressField(null=True, verbose_name="last used from")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="revoked")),
                ("revoked_reason", models.CharField(blank=True, max_length=30)),
            ],
            options={
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
                "db_table": "iam_api_key",
            },
        ),
        migrations.CreateModel(
            name="SignatureNonce",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "iam_signature_nonce",
            },
        ),
        migrations.AddField(
            model_name="apikey",
            name="maker_key",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="made_keys", to="iam.apikey"
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="tenant",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenancy.tenant"),
        ),
        migrations.AddField(
            model_name="apikey",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="api_keys",
                to=settings.AUTH_USER_MODEL,
                verbose_name="made by",
            ),
        ),
        migrations.AddField(
            model_name="signaturenonce",
            name="api_key",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="iam.apikey"),
        ),
        migrations.AddField(
            model_name="signaturenonce",
            name="tenant",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenancy.tenant"),
        ),
        migrations.AddIndex(
            model_name="apikey",
            index=models.Index(fields=["tenant", "-id"], name="api_key_tenant"),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("algorithm__in", ["", "hmac-sha256", "ed25519", "ecdsa-p256-sha256"])),
                name="api_key_algorithm_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("algorithm", ""), models.Q(("verifier", ""), _negated=True), _connector="OR"),
                name="api_key_signed_has_verifier",
            ),
        ),
        migrations.AddIndex(
            model_name="signaturenonce",
            index=models.Index(fields=["expires_at"], name="signature_nonce_expires"),
        ),
    ]

"""Roles that tenants make for themselves, who holds them, and invitations to them."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import apps.core.ids

_BUILT_IN = [
    ("OWNER", "Owner"),
    ("ADMIN", "Admin"),
    ("ACCOUNTANT", "Accountant"),
    ("MEMBER", "Member"),
    ("VIEWER", "Viewer"),
]
_KNOWN = ("role__in", ["", *(name for name, _ in _BUILT_IN)])


def _id() -> models.Field:
    return models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)


def _tenant() -> models.Field:
    return models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenancy.tenant")


class Migration(migrations.Migration):
    dependencies = [
        ("iam", "0007_second_factors"),
        ("tenancy", "0004_deletion_and_default_workspace"),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomRole",
            fields=[
                ("id", _id()),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                (
                    "permissions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("tenant", _tenant()),
            ],
            options={
                "db_table": "iam_custom_role",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("tenant"),
                        django.db.models.functions.text.Lower("name"),
                        name="custom_role_name_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RoleGrant",
            fields=[
                ("id", _id()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="iam.membership"
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="iam.customrole"
                    ),
                ),
                ("tenant", _tenant()),
            ],
            options={
                "db_table": "iam_role_grant",
                "constraints": [models.UniqueConstraint(fields=("membership", "role"), name="role_grant_once")],
            },
        ),
        migrations.RemoveConstraint(model_name="invitation", name="invitation_role_grantable"),
        migrations.RemoveConstraint(model_name="membership", name="membership_role_known"),
        migrations.AddField(
            model_name="invitation",
            name="custom_role",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="iam.customrole"
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="role",
            field=models.CharField(blank=True, choices=_BUILT_IN, default="MEMBER", max_length=20, verbose_name="role"),
        ),
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(blank=True, choices=_BUILT_IN, default="MEMBER", max_length=20),
        ),
        migrations.AddField(
            model_name="membership",
            name="custom_roles",
            field=models.ManyToManyField(related_name="members", through="iam.RoleGrant", to="iam.customrole"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(_KNOWN, models.Q(("role", "OWNER"), _negated=True)),
                name="invitation_role_grantable",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(condition=models.Q(_KNOWN), name="membership_role_known"),
        ),
    ]

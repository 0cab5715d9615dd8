"""What is unread, newest first, without looking at the rest."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0003_domain_lost"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="notification",
            name="notification_unread",
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("read_at__isnull", True)),
                fields=["tenant_id", "user_id", "-id"],
                name="notification_unread_recent",
            ),
        ),
    ]

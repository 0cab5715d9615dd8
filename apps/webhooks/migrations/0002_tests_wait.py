from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("webhooks", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("is_test", True), ("next_attempt_at__isnull", False)),
                fields=["endpoint"],
                name="webhook_delivery_test",
            ),
        ),
    ]

"""When a person last lost a second factor: whoever showed it before that and is not signed in yet shows another."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("iam", "0014_of_one_tenant")]

    operations = [
        migrations.AddField(model_name="user", name="factors_removed_at", field=models.DateTimeField(null=True)),
    ]

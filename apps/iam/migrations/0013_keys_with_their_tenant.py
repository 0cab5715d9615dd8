"""Keys of two columns that others can refer to; the tables are small enough to be indexed in a moment."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("iam", "0012_directory_facts")]

    operations = [
        migrations.AddConstraint(
            model_name=model, constraint=models.UniqueConstraint(fields=["id", "tenant"], name=f"{name}_of_tenant")
        )
        for model, name in (
            ("customrole", "custom_role"),
            ("directorygroup", "directory_group"),
            ("membership", "membership"),
        )
    ]

"""When the due date of an invoice passes, the others are told once."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0007_filters_at_one_end'),
    ]

    operations = [
        migrations.AddField(
            model_name='invoice',
            name='overdue_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('overdue_at__isnull', True), ('status', 'OPEN')), fields=['due_date'], name='invoice_overdue_untold'),
        ),
    ]

"""A kind of notification: a webhook endpoint was disabled."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0004_unread_newest_first'),
    ]

    operations = [
        migrations.AlterField(
            model_name='notification',
            name='kind',
            field=models.CharField(choices=[('WELCOME', 'Welcome'), ('INVOICE_VIEWED', 'Invoice Viewed'), ('INVOICE_PAID', 'Invoice Paid'), ('INVOICE_PARTIALLY_PAID', 'Invoice Partially Paid'), ('PAYMENT_FAILED', 'Payment Failed'), ('PAYMENT_REFUNDED', 'Payment Refunded'), ('REFUND_FAILED', 'Refund Failed'), ('DOMAIN_LOST', 'Domain Lost'), ('WEBHOOK_DISABLED', 'Webhook Disabled')], max_length=40),
        ),
    ]

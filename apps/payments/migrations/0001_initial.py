
import apps.core.ids
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='GatewayEvent',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=20)),
                ('event_id', models.CharField(max_length=255)),
                ('type', models.CharField(max_length=100)),
                ('live', models.BooleanField(default=False)),
                ('payload', models.JSONField()),
                ('occurred_at', models.DateTimeField()),
                ('received_at', models.DateTimeField()),
                ('status', models.CharField(choices=[('RECEIVED', 'Received'), ('PROCESSED', 'Processed'), ('IGNORED', 'Ignored'), ('FAILED', 'Failed')], default='RECEIVED', max_length=10)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(null=True)),
                ('last_error', models.CharField(blank=True, max_length=500)),
                ('processed_at', models.DateTimeField(null=True)),
                ('tenant_id', models.UUIDField(null=True)),
                ('payment_id', models.UUIDField(null=True)),
            ],
            options={
                'db_table': 'payments_gateway_event',
                'indexes': [models.Index(models.F('next_attempt_at'), condition=models.Q(('next_attempt_at__isnull', False)), name='gateway_event_due'), models.Index(models.F('tenant_id'), models.F('payment_id'), name='gateway_event_payment'), models.Index(fields=['type', '-id'], name='gateway_event_type')],
                'constraints': [models.UniqueConstraint(fields=('provider', 'event_id'), name='gateway_event_once'), models.CheckConstraint(condition=models.Q(('status__in', ['RECEIVED', 'PROCESSED', 'IGNORED', 'FAILED'])), name='gateway_event_status_known')],
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(max_length=40)),
                ('purpose_id', models.UUIDField()),
                ('purpose_label', models.CharField(blank=True, max_length=200)),
                ('payer_name', models.CharField(blank=True, max_length=200)),
                ('payer_email', models.CharField(blank=True, max_length=254)),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('refunded_minor', models.BigIntegerField(default=0)),
                ('fee_minor', models.BigIntegerField(null=True)),
                ('fee_currency', models.CharField(blank=True, max_length=3)),
                ('status', models.CharField(choices=[('PENDING', 'Pending'), ('SUCCEEDED', 'Succeeded'), ('FAILED', 'Failed'), ('CANCELED', 'Canceled'), ('PARTIALLY_REFUNDED', 'Partially Refunded'), ('REFUNDED', 'Refunded')], default='PENDING', max_length=20)),
                ('gateway', models.CharField(max_length=20)),
                ('method', models.CharField(blank=True, max_length=40)),
                ('reference', models.CharField(blank=True, max_length=200)),
                ('failure_code', models.CharField(blank=True, max_length=80)),
                ('failure_reason', models.CharField(blank=True, max_length=300)),
                ('success_url', models.CharField(blank=True, max_length=2000)),
                ('cancel_url', models.CharField(blank=True, max_length=2000)),
                ('session_ref', models.CharField(blank=True, max_length=255)),
                ('session_url', models.CharField(blank=True, max_length=2000)),
                ('session_expires_at', models.DateTimeField(null=True)),
                ('session_attempt', models.PositiveSmallIntegerField(default=1)),
                ('payment_ref', models.CharField(blank=True, max_length=255)),
                ('failed_ref', models.CharField(blank=True, max_length=255)),
                ('checkout_open', models.BooleanField(default=False)),
                ('close_owed', models.BooleanField(default=False)),
                ('checks', models.PositiveIntegerField(default=0)),
                ('next_check_at', models.DateTimeField(null=True)),
                ('succeeded_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'payments_payment',
                'indexes': [models.Index(models.F('purpose'), models.F('purpose_id'), name='payment_purpose'), models.Index(fields=['status', '-id'], name='payment_status_recent'), models.Index(models.F('succeeded_at'), name='payment_succeeded'), models.Index(models.F('next_check_at'), condition=models.Q(('next_check_at__isnull', False)), name='payment_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'PENDING')), fields=('purpose', 'purpose_id'), name='payment_one_pending'), models.UniqueConstraint(condition=models.Q(('session_ref', ''), _negated=True), fields=('gateway', 'session_ref'), name='payment_session_once'), models.CheckConstraint(condition=models.Q(('status__in', ['PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'PARTIALLY_REFUNDED', 'REFUNDED'])), name='payment_status_known'), models.CheckConstraint(condition=models.Q(('amount_minor__range', (1, 1000000000000))), name='payment_amount_positive'), models.CheckConstraint(condition=models.Q(('refunded_minor__gte', 0), ('refunded_minor__lte', models.F('amount_minor'))), name='payment_refunds_in_bounds'), models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED']), _negated=True), ('succeeded_at__isnull', False), _connector='OR'), name='payment_success_dated'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='payment_iso4217')],
            },
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('reason', models.CharField(choices=[('REQUESTED_BY_CUSTOMER', 'Requested By Customer'), ('DUPLICATE', 'Duplicate'), ('FRAUDULENT', 'Fraudulent'), ('OTHER', 'Other')], default='REQUESTED_BY_CUSTOMER', max_length=30)),
                ('status', models.CharField(choices=[('PENDING', 'Pending'), ('SUCCEEDED', 'Succeeded'), ('FAILED', 'Failed')], default='PENDING', max_length=10)),
                ('refund_ref', models.CharField(blank=True, max_length=255)),
                ('attempt', models.PositiveSmallIntegerField(default=1)),
                ('failure_reason', models.CharField(blank=True, max_length=300)),
                ('requested_by', models.CharField(blank=True, max_length=254)),
                ('checks', models.PositiveIntegerField(default=0)),
                ('next_check_at', models.DateTimeField(null=True)),
                ('succeeded_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('payment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.payment')),
            ],
            options={
                'db_table': 'payments_refund',
                'indexes': [models.Index(models.F('next_check_at'), condition=models.Q(('next_check_at__isnull', False)), name='refund_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('refund_ref', ''), _negated=True), fields=('refund_ref',), name='refund_ref_once'), models.CheckConstraint(condition=models.Q(('status__in', ['PENDING', 'SUCCEEDED', 'FAILED'])), name='refund_status_known'), models.CheckConstraint(condition=models.Q(('amount_minor__range', (1, 1000000000000))), name='refund_amount_positive')],
            },
        ),
    ]

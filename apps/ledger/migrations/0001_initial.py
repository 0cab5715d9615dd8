
import apps.core.ids
import apps.ledger.models
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=10)),
                ('name', models.CharField(max_length=100)),
                ('kind', models.CharField(choices=[('ASSET', 'Asset'), ('LIABILITY', 'Liability'), ('EQUITY', 'Equity'), ('INCOME', 'Income'), ('EXPENSE', 'Expense')], max_length=10)),
                ('currency', models.CharField(max_length=3)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'ledger_account',
                'ordering': ['code', 'currency'],
                'constraints': [models.UniqueConstraint(models.F('code'), models.F('currency'), name='ledger_account_code'), models.UniqueConstraint(fields=('id', 'currency'), name='ledger_account_currency'), models.CheckConstraint(condition=models.Q(('kind__in', ['ASSET', 'LIABILITY', 'EQUITY', 'INCOME', 'EXPENSE'])), name='ledger_account_kind_known'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='ledger_account_iso4217')],
            },
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=200)),
                ('kind', models.CharField(max_length=60)),
                ('occurred_on', models.DateField()),
                ('description', models.CharField(max_length=300)),
                ('source_type', models.CharField(max_length=60)),
                ('source_id', models.UUIDField()),
                ('created_at', models.DateTimeField()),
                ('created_xid', apps.ledger.models.TransactionIdField(db_default=apps.ledger.models.CurrentTransactionId(), editable=False)),
                ('reverses', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversed_by', to='ledger.entry')),
            ],
            options={
                'verbose_name_plural': 'entries',
                'db_table': 'ledger_entry',
            },
        ),
        migrations.CreateModel(
            name='Posting',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('currency', models.CharField(max_length=3)),
                ('amount_minor', models.BigIntegerField()),
                ('position', models.SmallIntegerField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='ledger.account')),
                ('entry', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='ledger.entry')),
            ],
            options={
                'db_table': 'ledger_posting',
                'ordering': ['position'],
            },
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('occurred_on'), models.F('id'), name='ledger_entry_day'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('source_type'), models.F('source_id'), name='ledger_entry_source'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.UniqueConstraint(fields=('key',), name='ledger_entry_key'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('reverses', models.F('id')), _negated=True), name='ledger_entry_not_itself'),
        ),
        migrations.AddIndex(
            model_name='posting',
            index=models.Index(models.F('account'), models.F('entry'), include=('amount_minor',), name='ledger_posting_account'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.UniqueConstraint(fields=('entry', 'position'), name='ledger_posting_position'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor', 0), _negated=True), name='ledger_posting_not_zero'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__range', (-1000000000000, 1000000000000))), name='ledger_posting_in_range'),
        ),
    ]

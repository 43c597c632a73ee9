import crm.conditions.expression
import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
import pgtrigger.migrations
import wallet.models.payments
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('clients', '0001_initial'),
        ('crm', '0001_initial'),
        ('trading', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('clients', '0002_sql'),
        ('crm', '0002_sql'),
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('client_wallet', 'Client wallet'), ('platform_clearing', 'Platform clearing'), ('psp_clearing', 'PSP clearing'), ('psp_reserve', 'Rolling reserves'), ('client_money_bank', 'Client money bank'), ('house_bank', 'Company bank'), ('fees', 'PSP and bank fees'), ('ib_commissions', 'IB commissions (cost)'), ('ib_commissions_payable', 'IB commissions payable'), ('bonus', 'Client credit (bonus)'), ('bonus_cost', 'Bonuses (cost)'), ('challenge_fees', 'Challenge fees (income)'), ('challenge_payouts', 'Challenge payouts (cost)'), ('chargeback_losses', 'Chargeback losses'), ('fx_position', 'FX position'), ('fx_result', 'FX gains and losses'), ('rounding', 'Rounding'), ('suspense', 'Suspense'), ('opening_balances', 'Opening balances')], max_length=24)),
                ('currency', models.CharField(max_length=5)),
                ('subject', models.CharField(blank=True, help_text="Owner in another app, e.g. 'server:2' or 'partner:17'", max_length=60)),
                ('is_bounded', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='wallet_accounts', to='clients.client')),
            ],
            options={
                'ordering': ['id'],
                'permissions': [('export_money', 'May export lists of money movements')],
            },
        ),
        migrations.CreateModel(
            name='PaymentMethod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(blank=True, max_length=30)),
                ('label', models.CharField(max_length=60)),
                ('kind', models.CharField(choices=[('card', 'Cards'), ('wallet', 'E-wallet'), ('bank', 'Bank transfer'), ('crypto', 'Crypto'), ('cashier', 'Local methods')], max_length=8)),
                ('currencies', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=5), default=list, size=None)),
                ('takes_deposits', models.BooleanField(default=True)),
                ('pays_out', models.BooleanField(default=True)),
                ('deposit_minimum_minor', models.BigIntegerField(default=1000)),
                ('deposit_maximum_minor', models.BigIntegerField(default=100000000)),
                ('payout_minimum_minor', models.BigIntegerField(default=1000)),
                ('payout_maximum_minor', models.BigIntegerField(default=100000000)),
                ('deposit_fee_basis_points', models.PositiveIntegerField(default=0, help_text="Fee paid by the client, as a share of the amount")),
                ('deposit_fee_fixed_minor', models.BigIntegerField(default=0)),
                ('payout_fee_basis_points', models.PositiveIntegerField(default=0)),
                ('payout_fee_fixed_minor', models.BigIntegerField(default=0)),
                ('minutes', models.PositiveIntegerField(default=5, help_text="Usual processing time")),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('fallback_group', models.CharField(blank=True, max_length=30)),
                ('is_enabled', models.BooleanField(default=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('condition', models.JSONField(default=crm.conditions.expression.always, help_text='To whom it is offered, as crm.conditions stores it')),
            ],
            options={
                'ordering': ['position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Balance',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='balance', serialize=False, to='wallet.account')),
                ('version', models.BigIntegerField(db_default=0, default=0, help_text='Postings on this account so far')),
                ('credits_posted', models.BigIntegerField(db_default=0, default=0)),
                ('debits_posted', models.BigIntegerField(db_default=0, default=0)),
                ('credits_pending', models.BigIntegerField(db_default=0, default=0)),
                ('debits_pending', models.BigIntegerField(db_default=0, default=0)),
                ('last_posted_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ApprovalBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=60, unique=True)),
                ('lines', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='BankBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message_id', models.CharField(max_length=35, unique=True)),
                ('currency', models.CharField(max_length=5)),
                ('orders_count', models.PositiveIntegerField()),
                ('total_minor', models.BigIntegerField()),
                ('sealed_file', models.BinaryField()),
                ('sha256', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(null=True)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sent_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='BankFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64)),
                ('file_name', models.CharField(max_length=160)),
                ('format', models.CharField(max_length=8)),
                ('stored_name', models.CharField(max_length=64, unique=True)),
                ('size_bytes', models.BigIntegerField()),
                ('statements', models.JSONField(default=list)),
                ('entries_new', models.PositiveIntegerField(default=0)),
                ('entries_known', models.PositiveIntegerField(default=0, help_text="Already in an earlier file")),
                ('imported_at', models.DateTimeField()),
                ('imported_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('handle_bank_entries', 'May import bank statements and assign their entries')],
            },
        ),
        migrations.CreateModel(
            name='BankOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('reference', models.CharField(max_length=35)),
                ('is_refund', models.BooleanField(default=False)),
                ('sealed_party', models.BinaryField(help_text='Holder and account, encrypted')),
                ('party_label', models.CharField(max_length=40)),
                ('state', models.CharField(choices=[('waiting', "Awaiting payment file"), ('in_file', 'In a payment file'), ('sent', 'Sent to the bank'), ('settled', 'Booked by the bank'), ('returned', "Returned")], default='waiting', max_length=10)),
                ('failure', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('batch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='wallet.bankbatch')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('send_bank_orders', 'May make payment files for the bank and mark them as sent')],
            },
        ),
        migrations.CreateModel(
            name='BankEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('fingerprint', models.CharField(max_length=64)),
                ('place', models.CharField(help_text="Position in the file", max_length=120)),
                ('booked_on', models.DateField()),
                ('value_on', models.DateField(null=True)),
                ('bank_reference', models.CharField(blank=True, max_length=100)),
                ('end_to_end', models.CharField(blank=True, max_length=60)),
                ('batch', models.CharField(blank=True, max_length=60)),
                ('text', models.CharField(blank=True, max_length=500)),
                ('party_name', models.CharField(blank=True, max_length=140)),
                ('sealed_party', models.BinaryField(help_text="Counterparty's account, encrypted", null=True)),
                ('party_label', models.CharField(blank=True, help_text="Masked for display", max_length=40)),
                ('return_reason', models.CharField(blank=True, max_length=20)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('matched', 'Matched by reference'), ('assigned', "Assigned manually"), ('payout', 'Paid out'), ('returned', "Payout returned"), ('unmatched', "Unmatched"), ('settlement', "From PSP"), ('other', "Not client-related")], default='waiting', max_length=10)),
                ('outcome', models.CharField(blank=True, max_length=300)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('processed_at', models.DateTimeField(null=True)),
                ('assigned_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='wallet.bankfile')),
                ('order', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='wallet.bankorder')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='BonusGrant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('reference', models.CharField(max_length=40, unique=True)),
                ('request_key', models.CharField(max_length=80)),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('active', "Active"), ('released', 'Released'), ('burned', 'Lost'), ('expired', 'Expired'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('base_amount', wallet.models.payments.BaseAmountField(decimal_places=2, help_text="In the brand's base currency at the day's rate; used for limits", max_digits=20)),
                ('released_minor', models.BigIntegerField(default=0)),
                ('burned_minor', models.BigIntegerField(default=0)),
                ('needs_second', models.BooleanField(default=False)),
                ('lots_needed', models.DecimalField(decimal_places=8, max_digits=18, null=True)),
                ('lots_traded', models.DecimalField(decimal_places=8, default=0, max_digits=18)),
                ('lots_from', models.DateTimeField(help_text="Lots count from this time; each lot counts towards one bonus only", null=True)),
                ('release_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('end_reason', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField()),
                ('granted_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.account')),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='bonuses', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('grant_bonus', 'May give a client a bonus'), ('approve_bonus', 'May approve a bonus above the limit, and take one away')],
            },
        ),
        migrations.CreateModel(
            name='BonusLoss',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('dispute_round', models.PositiveSmallIntegerField(help_text="Number of the bank's debit in this dispute, from 1")),
                ('amount_minor', models.BigIntegerField(help_text="In the currency of the bonus")),
                ('grant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='losses', to='wallet.bonusgrant')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='BonusPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('is_enabled', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bonus_plans', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'name'],
                'permissions': [('manage_bonus', 'May write bonus plans')],
            },
        ),
        migrations.CreateModel(
            name='BonusProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('restores', models.BooleanField(help_text="No: the credit isn't restored")),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('loss', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='wallet.bonusloss')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='BonusRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateField()),
                ('trigger', models.CharField(choices=[('by_hand', "Granted by staff"), ('first_deposit', "First deposit"), ('every_deposit', 'Every deposit')], default='by_hand', max_length=14)),
                ('percent', models.DecimalField(decimal_places=2, default=0, help_text="Per cent of the deposit; 0 if staff enter the amount", max_digits=5)),
                ('maximum_minor', models.BigIntegerField(help_text="Maximum per client under this plan")),
                ('deposit_minimum_minor', models.BigIntegerField(default=0)),
                ('segment', models.ForeignKey(db_index=False, help_text='Only for clients in this segment; empty: for all', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.segment')),
                ('release_by', models.CharField(choices=[('lots', "Lots traded"), ('days', 'Days'), ('never', "Never (credit only)")], default='lots', max_length=6)),
                ('lots_per_hundred', models.DecimalField(decimal_places=2, help_text="Closed lots that release 100 units of the base currency", max_digits=8, null=True)),
                ('release_days', models.PositiveSmallIntegerField(null=True)),
                ('expires_days', models.PositiveSmallIntegerField(help_text="Anything not released by then expires", null=True)),
                ('on_withdrawal', models.CharField(choices=[('nothing', "Keep bonus"), ('proportional', "Reduce proportionally"), ('all', "Remove entire bonus")], default='proportional', max_length=14)),
                ('four_eyes_minor', models.BigIntegerField(default=10000, help_text="Amounts above this need a second approval")),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='wallet.bonusplan')),
            ],
            options={
                'ordering': ['plan_id', '-valid_from', '-id'],
            },
        ),
        migrations.AddField(
            model_name='bonusgrant',
            name='rule',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='wallet.bonusrule'),
        ),
        migrations.CreateModel(
            name='Break',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('leg', models.CharField(choices=[('psp', "PSP and ledger"), ('bank', 'Bank and PSP'), ('platform', "Platform and ledger")], default='psp', max_length=8)),
                ('kind', models.CharField(choices=[('amount', "Amount mismatch"), ('currency', "Currency mismatch"), ('missing_here', "Missing in ledger"), ('missing_there', "Missing in report"), ('duplicate', "Duplicate in report"), ('fee', "Fee mismatch"), ('wrong_client', "Wrong client"), ('timing', "Near cut-off"), ('status', "Unrecorded refund or chargeback"), ('wrong_account', "Wrong trading account"), ('not_ordered', "Manual entry on platform"), ('not_settled', "Not settled in CRM"), ('balance', "Bank balance mismatch"), ('reserve_overdue', "Reserve overdue"), ('reserve_unequal', "Reserve mismatch")], max_length=16)),
                ('subject', models.CharField(blank=True, db_default='', help_text="Subject, if none of the above", max_length=120)),
                ('detail_code', models.CharField(blank=True, choices=[('not_ordered', "Not ordered in CRM"), ('other_account', "Wrong account"), ('second_deal', "Duplicate deal"), ('not_settled', "Not settled in CRM"), ('no_movement', "Missing in ledger"), ('other_currency', "Currency mismatch"), ('other_amount', "Amount mismatch"), ('journal_alone', "Journal without deal"), ('no_deal', "Deal unknown"), ('deal_not_listed', "Deal not on platform"), ('cut_off', "Different months"), ('balance', "Balance mismatch")], db_default='', max_length=20)),
                ('detail_values', models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ('detail', models.CharField(blank=True, db_default='', max_length=300)),
                ('currency', models.CharField(max_length=5)),
                ('difference_minor', models.BigIntegerField(help_text="Difference")),
                ('happened_at', models.DateTimeField(help_text="When the money moved; the age counts from here")),
                ('opened_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('resolved', 'Resolved')], default='open', max_length=10)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('resolution', models.CharField(blank=True, db_default='', max_length=300)),
                ('resolution_code', models.CharField(blank=True, choices=[('by_report', "Explained by report"), ('by_books', "Explained by ledger"), ('at_bank', "Received at bank"), ('by_hand', "Matched manually"), ('posted', 'Posted'), ('not_found', "No longer found"), ('itself', "Explained by its details")], db_default='', max_length=12)),
                ('resolution_values', models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('entry', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to='wallet.bankentry')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resolved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='BreakNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(blank=True, max_length=160)),
                ('file_path', models.CharField(blank=True, max_length=200)),
                ('file_sha256', models.CharField(blank=True, max_length=64)),
                ('file_bytes', models.PositiveBigIntegerField(default=0)),
                ('at', models.DateTimeField()),
                ('body', models.CharField(blank=True, max_length=1000)),
                ('author', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('one', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='wallet.break')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Checkpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('balance_minor', models.BigIntegerField()),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='checkpoints', to='wallet.account')),
            ],
            options={
                'ordering': ['account_id', 'at'],
            },
        ),
        migrations.CreateModel(
            name='ClientMoneyDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=5)),
                ('day', models.DateField()),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('wallets_minor', models.BigIntegerField()),
                ('trading_minor', models.BigIntegerField(help_text="Equity on trading platforms; can be negative")),
                ('debit_minor', models.BigIntegerField(help_text="Negative client balances, which other clients' money must not cover")),
                ('unallocated_minor', models.BigIntegerField(help_text="Received but not yet allocated to a client")),
                ('requirement_minor', models.BigIntegerField()),
                ('bank_books_minor', models.BigIntegerField(help_text="Client-money bank balance in the ledger")),
                ('bank_statement_minor', models.BigIntegerField(help_text="Balance on the bank's latest statement", null=True)),
                ('statement_on', models.DateField(null=True)),
                ('bank_minor', models.BigIntegerField(help_text="Portion that counts towards cover")),
                ('transit_minor', models.BigIntegerField(help_text="At PSPs, in transit to the bank")),
                ('transit_counts', models.BooleanField()),
                ('resource_minor', models.BigIntegerField()),
                ('difference_minor', models.BigIntegerField(help_text="Resource less requirement; a negative amount is a shortfall")),
                ('cover', models.CharField(choices=[('covered', 'Covered'), ('transit', "Covered incl. money in transit"), ('short', "Shortfall")], max_length=8)),
                ('clients', models.PositiveIntegerField(help_text="Clients with money in this currency")),
                ('places', models.JSONField(default=list, help_text='[[what, name, signed minor units], …]')),
                ('content_hash', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-day', 'currency', '-version'],
            },
        ),
        migrations.CreateModel(
            name='Deposit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('reference', models.CharField(help_text="Our reference, as known to the PSP", max_length=40, unique=True)),
                ('request_key', models.CharField(help_text="Idempotency key from the form: submitting twice creates one deposit", max_length=80)),
                ('state', models.CharField(choices=[('created', 'Started'), ('pending', 'Pending at the PSP'), ('authorised', 'Authorised'), ('failed', 'Failed'), ('expired', 'Expired'), ('held', 'Held for review'), ('settled', 'Settled'), ('refunded', 'Refunded'), ('returned', "Returned, not credited"), ('charged_back', 'Charged back'), ('cb_reversed', 'Chargeback reversed')], default='created', max_length=14)),
                ('session_reference', models.CharField(blank=True, max_length=100)),
                ('psp_reference', models.CharField(blank=True, max_length=100)),
                ('redirect_url', models.CharField(blank=True, max_length=500)),
                ('pay_by', models.CharField(default='redirect', help_text="How the client pays", max_length=16)),
                ('instructions', models.JSONField(blank=True, default=dict, help_text="Payment details for the client: address, reference …")),
                ('method', models.CharField(blank=True, help_text="As named by the PSP", max_length=30)),
                ('instrument', models.CharField(blank=True, help_text='Masked card or account', max_length=80)),
                ('payer_name', models.CharField(blank=True, max_length=120)),
                ('received_minor', models.BigIntegerField(help_text="Amount the PSP received, in the currency received", null=True)),
                ('arrived_currency', models.CharField(blank=True, help_text="Only if it isn't the requested currency", max_length=5)),
                ('fee_basis_points', models.PositiveIntegerField(default=0, help_text="As shown to the client before payment")),
                ('fee_fixed_minor', models.BigIntegerField(default=0)),
                ('fee_minor', models.BigIntegerField(default=0, help_text="Deducted from the amount received")),
                ('credited_minor', models.BigIntegerField(help_text="Amount credited, in the wallet's currency", null=True)),
                ('hold_reasons', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('amount', 'Received a different amount'), ('currency', 'Received a different currency'), ('payer', 'Possible third-party payment'), ('late', 'Received after the payment deadline'), ('further', 'Additional payment to the same address or reference'), ('limit', 'Above the limit for unverified clients'), ('country', 'Country not accepted for deposits'), ('rate', 'No exchange rate for the day')], max_length=16), blank=True, default=list, size=None)),
                ('held_at', models.DateTimeField(null=True)),
                ('charged_back_minor', models.BigIntegerField(default=0, help_text="Amount debited by the payer's bank and not returned")),
                ('refunded_minor', models.BigIntegerField(default=0, help_text="Total returned to the payer so far")),
                ('failure', models.CharField(blank=True, max_length=200)),
                ('is_first', models.BooleanField(default=False, help_text="The client's first-time deposit")),
                ('base_amount', wallet.models.payments.BaseAmountField(decimal_places=2, default=0, help_text="In the brand's base currency, on the settlement date", max_digits=20)),
                ('created_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('next_look_up_at', models.DateTimeField(null=True)),
                ('look_ups', models.PositiveSmallIntegerField(default=0)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deposits', to='clients.client')),
                ('wallet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.account')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('release_deposit', "May release a held deposit to the client's wallet")],
            },
        ),
        migrations.AddField(
            model_name='bonusgrant',
            name='deposit',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bonuses', to='wallet.deposit'),
        ),
        migrations.AddField(
            model_name='bankentry',
            name='deposit',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bank_entries', to='wallet.deposit'),
        ),
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('psp_dispute_id', models.CharField(max_length=100)),
                ('state', models.CharField(choices=[('inquiry', "Bank inquiry"), ('needs_response', "Needs response"), ('submitted', 'Evidence sent'), ('won', 'Won'), ('lost', 'Lost')], default='inquiry', max_length=14)),
                ('reason', models.CharField(blank=True, help_text="As given by the bank", max_length=120)),
                ('taken_minor', models.BigIntegerField(default=0, help_text="Amount debited by the bank and not returned")),
                ('rounds', models.PositiveSmallIntegerField(default=0, help_text="Number of debits by the bank")),
                ('opened_at', models.DateTimeField()),
                ('evidence_due_at', models.DateTimeField(null=True)),
                ('evidence_key', models.CharField(blank=True, help_text="Encrypted evidence file", max_length=40)),
                ('evidence_sha256', models.CharField(blank=True, max_length=64)),
                ('evidence_bytes', models.PositiveIntegerField(default=0)),
                ('evidence_text', models.TextField(blank=True, help_text="Our statement")),
                ('evidence_made_at', models.DateTimeField(null=True)),
                ('submitted_at', models.DateTimeField(null=True)),
                ('reminded_on', models.DateField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='clients.client')),
                ('deposit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='wallet.deposit')),
                ('submitted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('answer_dispute', 'May answer disputes and accept their loss')],
            },
        ),
        migrations.AddField(
            model_name='bonusloss',
            name='dispute',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bonus_losses', to='wallet.dispute'),
        ),
        migrations.CreateModel(
            name='FeeInvoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('series', models.PositiveSmallIntegerField(help_text="Year of issue")),
                ('number', models.PositiveIntegerField(help_text="1, 2, 3 … per brand and year, without gaps")),
                ('first_day', models.DateField()),
                ('last_day', models.DateField()),
                ('lines', models.JSONField()),
                ('totals', models.JSONField()),
                ('issued_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='fee_invoices', to='clients.client')),
                ('issued_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='IssuedDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('statement', 'Statement of account'), ('receipt', 'Deposit receipt'), ('fee_invoice', 'Fee invoice'), ('psp_pack', 'PSP pack'), ('month_pack', 'Month pack'), ('client_money', 'Client money calculation'), ('certificate', 'Challenge certificate')], max_length=12)),
                ('subject', models.CharField(help_text="Subject, e.g. deposit:D-4711 or report:12", max_length=80)),
                ('title', models.CharField(max_length=160)),
                ('first_day', models.DateField(null=True)),
                ('last_day', models.DateField(null=True)),
                ('language', models.CharField(max_length=8)),
                ('ending', models.CharField(choices=[('pdf', 'PDF'), ('xlsx', 'XLSX')], default='pdf', max_length=4)),
                ('file_name', models.CharField(max_length=160)),
                ('content_hash', models.CharField(help_text='SHA-256 of the figures; printed on the document', max_length=64)),
                ('sha256', models.CharField(help_text='SHA-256 of the file', max_length=64)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('stored_name', models.CharField(help_text="Name of the encrypted file", max_length=40, unique=True)),
                ('made_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='issued_documents', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='issued_documents', to='clients.client')),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('make_issueddocument', "May make documents: statements, invoices and packs, one or a month's")],
            },
        ),
        migrations.CreateModel(
            name='Journal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('opening', 'Opening balance'), ('deposit', 'Deposit'), ('deposit_held', 'Deposit held'), ('withdrawal', 'Withdrawal'), ('transfer', 'Transfer'), ('commission', 'Commission'), ('commission_payout', 'Commission payout'), ('rebate', 'Rebate'), ('refund', 'Refund'), ('chargeback', 'Chargeback'), ('chargeback_reversal', 'Chargeback reversed'), ('psp_fee', 'PSP fee'), ('psp_settlement', 'PSP settlement'), ('psp_reserve', 'Rolling reserve movement'), ('bonus', 'Bonus'), ('challenge_fee', 'Challenge fee'), ('challenge_payout', 'Challenge payout'), ('fx', 'Currency exchange'), ('adjustment', 'Adjustment'), ('reversal', 'Reversal')], max_length=20)),
                ('phase', models.CharField(choices=[('posted', 'Posted'), ('pending', 'Reserved'), ('post', 'Reservation posted'), ('void', 'Reservation released')], default='posted', max_length=8)),
                ('idempotency_key', models.CharField(db_collation='C', help_text="e.g. 'deposit:17:settle'", max_length=120)),
                ('request_hash', models.BinaryField(max_length=32)),
                ('description', models.CharField(blank=True, max_length=200)),
                ('posted_at', models.DateTimeField()),
                ('business_on', models.DateField(help_text="Accounting date")),
                ('fx_rate', models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                ('fx_rate_on', models.DateField(help_text='Day of the reference rate that was used', null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('imported_at', models.DateTimeField(null=True)),
                ('content_hash', models.BinaryField(max_length=32)),
                ('actor', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('resolves', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='resolved_by', to='wallet.journal')),
                ('reverses', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversed_by', to='wallet.journal')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='dispute',
            name='chargeback',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='dispute', to='wallet.journal'),
        ),
        migrations.AddField(
            model_name='deposit',
            name='journal',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deposit', to='wallet.journal'),
        ),
        migrations.AddField(
            model_name='deposit',
            name='reversal',
            field=models.OneToOneField(help_text='Chargeback or refund', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deposit_taken_back', to='wallet.journal'),
        ),
        migrations.AddField(
            model_name='bonusloss',
            name='journal',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='bonus_loss', to='wallet.journal'),
        ),
        migrations.CreateModel(
            name='LedgerSeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('through_at', models.DateTimeField(help_text='Everything posted up to here is in this seal or an earlier one')),
                ('first_journal_id', models.BigIntegerField()),
                ('last_journal_id', models.BigIntegerField()),
                ('journal_count', models.PositiveIntegerField()),
                ('root', models.BinaryField(max_length=32)),
                ('rows_digest', models.BinaryField(max_length=33, null=True)),
                ('seal_hash', models.BinaryField(max_length=32)),
                ('signature', models.BinaryField(max_length=64)),
                ('previous', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='next', to='wallet.ledgerseal')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Letterhead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('logo', models.BinaryField(blank=True, default=b'', help_text="PNG, re-encoded on upload")),
                ('address', models.CharField(blank=True, max_length=300)),
                ('tax_number', models.CharField(blank=True, max_length=40)),
                ('tax_note', models.CharField(blank=True, help_text="Printed below invoices, e.g. why no tax is charged", max_length=300)),
                ('changed_at', models.DateTimeField()),
                ('brand', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='letterhead', to='crm.brand')),
                ('changed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['brand_id'],
                'permissions': [('manage_letterhead', "May change logo and address on a brand's documents")],
            },
        ),
        migrations.CreateModel(
            name='ManualJournal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('reference', models.CharField(max_length=40, unique=True)),
                ('request_key', models.CharField(help_text="Idempotency key from the form: submitting twice creates one journal", max_length=80)),
                ('business_on', models.DateField(help_text="Accounting date")),
                ('rate', models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                ('rate_on', models.DateField(null=True)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('journal', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='manual', to='wallet.journal')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reverses', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.journal')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('write_journal', 'May write manual journals, which somebody else posts'), ('post_manual_journal', 'May post manual journals that somebody else wrote')],
            },
        ),
        migrations.CreateModel(
            name='ManualJournalFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(blank=True, max_length=160)),
                ('file_path', models.CharField(blank=True, max_length=200)),
                ('file_sha256', models.CharField(blank=True, max_length=64)),
                ('file_bytes', models.PositiveBigIntegerField(default=0)),
                ('at', models.DateTimeField()),
                ('author', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('manual', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='files', to='wallet.manualjournal')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ManualLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveSmallIntegerField()),
                ('amount_minor', models.BigIntegerField()),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.account')),
                ('manual', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='wallet.manualjournal')),
            ],
            options={
                'ordering': ['manual_id', 'line'],
            },
        ),
        migrations.AddField(
            model_name='deposit',
            name='payment_method',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deposits', to='wallet.paymentmethod'),
        ),
        migrations.CreateModel(
            name='PayoutFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('kind', models.CharField(choices=[('paid', "Paid out"), ('not_paid', "Never paid out"), ('came_back', "Paid out, then returned")], max_length=10)),
                ('amount_minor', models.BigIntegerField(help_text="Amount returned; otherwise the amount to be paid")),
                ('psp_reference', models.CharField(blank=True, help_text="Reference assigned by the PSP or bank", max_length=100)),
                ('fee_returned_minor', models.BigIntegerField(db_default=0, default=0, help_text="Our fee, if it is returned too")),
                ('restores_bonus', models.BooleanField(db_default=False, default=False, help_text="Restores the credit that the payout removed")),
                ('terms_reason', models.CharField(blank=True, db_default='', help_text="Reason for departing from the brand's default for fee or bonus", max_length=300)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('journal', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payout_finding', to='wallet.journal')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='BonusRestoration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField(help_text="In the currency of the bonus")),
                ('grant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='restorations', to='wallet.bonusgrant')),
                ('loss', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='restoration', to='wallet.bonusloss')),
                ('proposal', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='restoration', to='wallet.bonusproposal')),
                ('journal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='bonus_restoration', to='wallet.journal')),
                ('finding', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='restorations', to='wallet.payoutfinding')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Period',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_day', models.DateField()),
                ('last_day', models.DateField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('closing', 'Being closed'), ('closed', 'Closed')], default='open', max_length=8)),
                ('closings', models.PositiveSmallIntegerField(default=0, help_text="Number of closings")),
                ('closed_at', models.DateTimeField(null=True)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('closed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['brand_id', '-first_day'],
                'permissions': [('close_period', 'May close a period of the books and ask to open one again'), ('reopen_period', 'May approve that a closed period is opened again')],
            },
        ),
        migrations.CreateModel(
            name='MonthSignOff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('closing', models.PositiveSmallIntegerField(help_text="Number of this closing of the month, from 1")),
                ('figures_hash', models.CharField(max_length=64)),
                ('checks', models.JSONField(default=list, help_text="Items open at sign-off, as text")),
                ('note', models.CharField(blank=True, max_length=300)),
                ('signed_at', models.DateTimeField()),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('signed_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('period', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sign_offs', to='wallet.period')),
            ],
            options={
                'ordering': ['period_id', 'id'],
            },
        ),
        migrations.CreateModel(
            name='ClosingBalance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('closing', models.PositiveSmallIntegerField(help_text="Number of this closing of the period, from 1")),
                ('opening_minor', models.BigIntegerField()),
                ('debits_minor', models.BigIntegerField()),
                ('credits_minor', models.BigIntegerField()),
                ('closing_minor', models.BigIntegerField()),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='closing_balances', to='wallet.account')),
                ('period', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='balances', to='wallet.period')),
            ],
            options={
                'ordering': ['period_id', 'closing', 'account_id'],
            },
        ),
        migrations.CreateModel(
            name='PeriodReopening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('closing', models.PositiveSmallIntegerField()),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('period', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reopenings', to='wallet.period')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Posting',
            fields=[
                ('pk', models.CompositePrimaryKey('journal_id', 'line', blank=True, editable=False, primary_key=True, serialize=False)),
                ('line', models.SmallIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('layer', models.SmallIntegerField(choices=[(0, 'Money'), (1, 'Reserved'), (2, 'Released')], default=0)),
                ('amount_minor', models.BigIntegerField()),
                ('posted_at', models.DateTimeField()),
                ('version', models.BigIntegerField(null=True)),
                ('balance_after', models.BigIntegerField(help_text='Posted, in minor units', null=True)),
                ('available_after', models.BigIntegerField(help_text='Posted less reserved, in minor units', null=True)),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='wallet.account')),
                ('journal', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='wallet.journal')),
            ],
            options={
                'ordering': ['journal_id', 'line'],
            },
        ),
        migrations.CreateModel(
            name='Psp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(help_text="Used in the webhook's address", max_length=30, unique=True)),
                ('name', models.CharField(max_length=60)),
                ('kind', models.CharField(choices=[('card', 'Cards'), ('wallet', 'E-wallet'), ('bank', 'Bank transfer'), ('crypto', 'Crypto'), ('cashier', 'Local methods')], max_length=8)),
                ('adapter', models.CharField(default='sandbox', help_text="Protocol it uses", max_length=20)),
                ('base_url', models.CharField(blank=True, help_text="Address of its API; empty: the adapter's default", max_length=200)),
                ('is_enabled', models.BooleanField(default=True)),
                ('is_fetched_daily', models.BooleanField(default=False, help_text="The report is fetched and matched every day")),
                ('reserve_days', models.PositiveSmallIntegerField(db_default=180, default=180, help_text="Maximum days in reserve, if the report doesn't state a date")),
                ('sealed_credentials', models.BinaryField(null=True)),
                ('last_checked_at', models.DateTimeField(null=True)),
                ('last_check_error', models.CharField(blank=True, max_length=300)),
                ('is_down_until', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='psps', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'name', 'id'],
                'permissions': [('manage_psp', 'May set up PSPs and test their connection')],
            },
        ),
        migrations.AddField(
            model_name='paymentmethod',
            name='psp',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='methods', to='wallet.psp'),
        ),
        migrations.CreateModel(
            name='MatchGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('leg', models.CharField(choices=[('psp', "PSP and ledger"), ('bank', 'Bank and PSP'), ('platform', "Platform and ledger")], default='psp', max_length=8)),
                ('rule', models.CharField(choices=[('psp_reference', 'PSP reference'), ('our_reference', 'Our reference'), ('batch', "Batch payout to our bank"), ('split', 'Paid in parts'), ('merged', 'Paid together'), ('fx', "Converted at the PSP's rate"), ('accepted', "Accepted manually")], max_length=20)),
                ('currency', models.CharField(max_length=5)),
                ('rows_minor', models.BigIntegerField()),
                ('books_currency', models.CharField(max_length=5)),
                ('books_minor', models.BigIntegerField()),
                ('converted_minor', models.BigIntegerField(help_text="For two currencies: the ledger amount in the rows' currency, at the posting's rate", null=True)),
                ('adjustment_minor', models.BigIntegerField(default=0, help_text="Report rows less ledger, in the rows' currency")),
                ('made_at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(null=True)),
                ('undone_reason', models.CharField(blank=True, max_length=300)),
                ('adjustment', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.journal')),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('undone_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('psp', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.psp')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='dispute',
            name='psp',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='wallet.psp'),
        ),
        migrations.AddField(
            model_name='deposit',
            name='psp',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deposits', to='wallet.psp'),
        ),
        migrations.AddField(
            model_name='break',
            name='psp',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to='wallet.psp'),
        ),
        migrations.AddField(
            model_name='bankorder',
            name='psp',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='bank_orders', to='wallet.psp'),
        ),
        migrations.AddField(
            model_name='bankfile',
            name='psp',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bank_files', to='wallet.psp'),
        ),
        migrations.AddField(
            model_name='bankentry',
            name='psp',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='bank_entries', to='wallet.psp'),
        ),
        migrations.AddField(
            model_name='bankbatch',
            name='psp',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bank_batches', to='wallet.psp'),
        ),
        migrations.AddField(
            model_name='account',
            name='psp',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='wallet.psp'),
        ),
        migrations.CreateModel(
            name='PspAddressChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('base_url', models.CharField(blank=True, help_text="Empty: the adapter's default", max_length=200)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('psp', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='address_changes', to='wallet.psp')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PspCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('operation', models.CharField(help_text='Method and path, without references', max_length=60)),
                ('outcome', models.CharField(choices=[('answered', 'Answered'), ('refused', 'Refused'), ('unreachable', "Unreachable"), ('unknown', "Invalid response")], max_length=11)),
                ('status', models.PositiveSmallIntegerField(default=0, help_text="HTTP status; 0 if there was no response")),
                ('milliseconds', models.PositiveIntegerField()),
                ('reference', models.CharField(blank=True, help_text="Movement it relates to", max_length=100)),
                ('request', models.TextField(blank=True)),
                ('answer', models.TextField(blank=True)),
                ('psp', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='wallet.psp')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PspCost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('type', models.CharField(choices=[('payment', 'Deposit'), ('payout', 'Withdrawal'), ('refund', 'Refund'), ('chargeback', 'Chargeback'), ('chargeback_reversed', 'Chargeback reversed'), ('merchant_payout', "Payout to our bank"), ('fee', 'Fee'), ('reserve', "Reserve movement"), ('conversion', 'Currency conversion'), ('adjustment', "PSP correction")], max_length=20)),
                ('currency', models.CharField(max_length=5)),
                ('basis_points', models.DecimalField(decimal_places=2, default=0, help_text='Of the gross amount', max_digits=8)),
                ('fixed_minor', models.BigIntegerField(default=0)),
                ('tolerance_minor', models.BigIntegerField(default=1, help_text="Tolerance for rounding per fee")),
                ('valid_from', models.DateField()),
                ('psp', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='wallet.psp')),
            ],
            options={
                'ordering': ['psp_id', 'type', 'currency', '-valid_from'],
            },
        ),
        migrations.CreateModel(
            name='PspCostProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('type', models.CharField(choices=[('payment', 'Deposit'), ('payout', 'Withdrawal'), ('refund', 'Refund'), ('chargeback', 'Chargeback'), ('chargeback_reversed', 'Chargeback reversed'), ('merchant_payout', "Payout to our bank"), ('fee', 'Fee'), ('reserve', "Reserve movement"), ('conversion', 'Currency conversion'), ('adjustment', "PSP correction")], max_length=20)),
                ('currency', models.CharField(max_length=5)),
                ('basis_points', models.DecimalField(decimal_places=2, default=0, help_text='Of the gross amount', max_digits=8)),
                ('fixed_minor', models.BigIntegerField(default=0)),
                ('tolerance_minor', models.BigIntegerField(default=1, help_text="Tolerance for rounding per fee")),
                ('valid_from', models.DateField()),
                ('ended_at', models.DateTimeField(help_text="When the terms were withdrawn before taking effect", null=True)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('psp', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='wallet.psp')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('approve_pspcost', 'May agree to cost terms of a PSP that somebody else wrote down')],
            },
        ),
        migrations.CreateModel(
            name='PspMovement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('kind', models.CharField(choices=[('payment', 'Deposit'), ('payout', 'Withdrawal'), ('refund', 'Refund'), ('chargeback', 'Chargeback'), ('chargeback_reversed', 'Chargeback reversed')], max_length=20)),
                ('reference', models.CharField(help_text='Our reference of the deposit or withdrawal', max_length=40)),
                ('common_reference', models.CharField(blank=True, db_default='', max_length=40)),
                ('psp_reference', models.CharField(max_length=100)),
                ('occurred_at', models.DateTimeField()),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('journal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='psp_movement', to='wallet.journal')),
                ('psp', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='wallet.psp')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='BreakPosting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('way', models.CharField(choices=[('fee', "PSP fee"), ('fx', "FX difference"), ('rounding', 'Rounding'), ('loss', "Chargeback loss"), ('suspense', "Unidentified (suspense)"), ('own_bank', "Transfer to our own bank")], max_length=12)),
                ('currency', models.CharField(max_length=5)),
                ('amount_minor', models.BigIntegerField(help_text="PSP balance less ledger balance")),
                ('business_on', models.DateField()),
                ('books_currency', models.CharField(blank=True, db_default='', max_length=5)),
                ('books_minor', models.BigIntegerField(null=True)),
                ('converted_minor', models.BigIntegerField(null=True)),
                ('rate', models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                ('rate_on', models.DateField(null=True)),
                ('is_psp_rate', models.BooleanField(db_default=False, default=False)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entry', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.bankentry')),
                ('one', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='wallet.break')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('journal', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='break_posting', to='wallet.journal')),
                ('group', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.matchgroup')),
                ('movement', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.pspmovement')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('post_break', 'May post the difference of a break that somebody else proposed')],
            },
        ),
        migrations.AddField(
            model_name='break',
            name='movement',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to='wallet.pspmovement'),
        ),
        migrations.CreateModel(
            name='Quote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('exchange', 'Between wallets'), ('to_trading', 'Wallet to trading account'), ('to_wallet', 'Trading account to wallet')], max_length=12)),
                ('trading_account_id', models.BigIntegerField(help_text="For transfers", null=True)),
                ('given_minor', models.BigIntegerField()),
                ('given_currency', models.CharField(max_length=5)),
                ('got_minor', models.BigIntegerField()),
                ('got_currency', models.CharField(max_length=5)),
                ('rate', models.DecimalField(decimal_places=12, help_text="Units received per unit given, markup included", max_digits=24)),
                ('rate_on', models.DateField(help_text='Day of the reference rate')),
                ('markup_basis_points', models.PositiveIntegerField(default=0)),
                ('base_minor', models.BigIntegerField(help_text="Amount given in the brand's base currency; used for limits", null=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='quotes', to='clients.client')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Exchange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('reference', models.CharField(max_length=40, unique=True)),
                ('request_key', models.CharField(max_length=80)),
                ('state', models.CharField(choices=[('settled', 'Done')], default='settled', max_length=10)),
                ('got_minor', models.BigIntegerField()),
                ('got_currency', models.CharField(max_length=5)),
                ('created_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='exchanges', to='clients.client')),
                ('requested_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('target', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.account')),
                ('wallet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.account')),
                ('journal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='exchange', to='wallet.journal')),
                ('quote', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='exchange', to='wallet.quote')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='RateEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('currency', models.CharField(max_length=5)),
                ('on', models.DateField()),
                ('rate', models.DecimalField(decimal_places=12, max_digits=22)),
                ('last_rate', models.DecimalField(decimal_places=12, help_text="Latest rate known at the time of entry", max_digits=22, null=True)),
                ('is_far', models.BooleanField(default=False, help_text="Far from the last rate, confirmed as correct")),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SettlementImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=160)),
                ('sha256', models.CharField(max_length=64)),
                ('stored_name', models.CharField(max_length=64, unique=True)),
                ('size_bytes', models.BigIntegerField()),
                ('format', models.CharField(blank=True, help_text="Report type it was read as", max_length=40)),
                ('covers', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, db_default=models.Value([], django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), size=None)), default=list, size=None)),
                ('first_day', models.DateField()),
                ('last_day', models.DateField()),
                ('row_count', models.PositiveIntegerField()),
                ('totals', models.JSONField(default=dict)),
                ('matched', models.PositiveIntegerField(default=0)),
                ('seen_before', models.PositiveIntegerField(default=0, help_text="Rows already in an earlier report")),
                ('to_bank', models.PositiveIntegerField(default=0, help_text='Payouts to our own bank account')),
                ('breaks_found', models.PositiveIntegerField(default=0)),
                ('imported_at', models.DateTimeField()),
                ('seconds', models.DecimalField(decimal_places=3, default=0, max_digits=8)),
                ('booked', models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ('imported_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('psp', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='settlements', to='wallet.psp')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('run_reconciliation', 'May import settlement reports and resolve breaks')],
            },
        ),
        migrations.CreateModel(
            name='ReportToConfirm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=160)),
                ('sha256', models.CharField(max_length=64)),
                ('stored_name', models.CharField(max_length=64, unique=True)),
                ('size_bytes', models.BigIntegerField()),
                ('format', models.CharField(blank=True, max_length=40)),
                ('row_count', models.PositiveIntegerField()),
                ('first_day', models.DateField()),
                ('last_day', models.DateField()),
                ('totals', models.JSONField(default=dict)),
                ('is_statement', models.BooleanField(db_default=False, default=False)),
                ('last_row', models.CharField(blank=True, db_default='', max_length=300)),
                ('state', models.CharField(choices=[('waiting', 'Awaiting confirmation'), ('confirmed', 'Confirmed complete'), ('discarded', 'Discarded')], default='waiting', max_length=10)),
                ('uploaded_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('bank_file', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='confirmation', to='wallet.bankfile')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('psp', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports_to_confirm', to='wallet.psp')),
                ('uploaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('report', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='confirmation', to='wallet.settlementimport')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='break',
            name='report',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to='wallet.settlementimport'),
        ),
        migrations.CreateModel(
            name='AnnouncedReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(help_text="Report type, as defined by the adapter", max_length=20)),
                ('name', models.CharField(max_length=160)),
                ('address', models.CharField(blank=True, help_text="Download address given by the PSP", max_length=500)),
                ('day', models.DateField(help_text="For a missing report: the day it should cover", null=True)),
                ('announced_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('waiting', "Fetch pending"), ('imported', 'Imported'), ('empty', "No relevant rows"), ('failed', "Fetch failed"), ('refused', 'Refused'), ('missing', "Not received"), ('came', "Received late")], default='waiting', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, max_length=300)),
                ('finished_at', models.DateTimeField(null=True)),
                ('psp', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='announced_reports', to='wallet.psp')),
                ('report', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='announcements', to='wallet.settlementimport')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SettlementRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField(help_text="Line in the file, counted from 1")),
                ('type', models.CharField(choices=[('payment', 'Deposit'), ('payout', 'Withdrawal'), ('refund', 'Refund'), ('chargeback', 'Chargeback'), ('chargeback_reversed', 'Chargeback reversed'), ('merchant_payout', "Payout to our bank"), ('fee', 'Fee'), ('reserve', "Reserve movement"), ('conversion', 'Currency conversion'), ('adjustment', "PSP correction")], max_length=20)),
                ('psp_reference', models.CharField(max_length=100)),
                ('merchant_reference', models.CharField(blank=True, max_length=100)),
                ('original_reference', models.CharField(blank=True, max_length=100)),
                ('client_reference', models.CharField(blank=True, db_default='', help_text="Client reference, as we sent it to the PSP", max_length=100)),
                ('batch', models.CharField(blank=True, max_length=60)),
                ('booked_at', models.DateTimeField()),
                ('value_at', models.DateTimeField(null=True)),
                ('entry_reference', models.CharField(blank=True, db_default='', help_text="The PSP's ID of the booking itself", max_length=100)),
                ('currency', models.CharField(max_length=5)),
                ('gross_minor', models.BigIntegerField()),
                ('fee_minor', models.BigIntegerField()),
                ('net_minor', models.BigIntegerField()),
                ('paid_currency', models.CharField(blank=True, db_default='', max_length=5)),
                ('paid_minor', models.BigIntegerField(null=True)),
                ('rate', models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                ('is_repeat', models.BooleanField(db_default=False, default=False, help_text="Already in an earlier report from this PSP")),
                ('report', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='wallet.settlementimport')),
            ],
            options={
                'ordering': ['report_id', 'line'],
            },
        ),
        migrations.CreateModel(
            name='ReserveItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=5)),
                ('amount_minor', models.BigIntegerField()),
                ('at', models.DateTimeField()),
                ('due_on', models.DateField(help_text="When the reserve is due for release", null=True)),
                ('posted_minor', models.BigIntegerField(db_default=0, default=0, help_text="Posted out of the reserve with second approval, through its break")),
                ('pair', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='wallet.reserveitem')),
                ('psp', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reserve_items', to='wallet.psp')),
                ('row', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='reserve', to='wallet.settlementrow')),
            ],
            options={
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='NotTheSame',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('said_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=300)),
                ('entry', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.bankentry')),
                ('said_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('movement', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.pspmovement')),
                ('row', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.settlementrow')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Match',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('leg', models.CharField(choices=[('psp', "PSP and ledger"), ('bank', 'Bank and PSP'), ('platform', "Platform and ledger")], db_default='psp', default='psp', max_length=8)),
                ('rule', models.CharField(choices=[('psp_reference', 'PSP reference'), ('our_reference', 'Our reference'), ('batch', "Batch payout to our bank"), ('split', 'Paid in parts'), ('merged', 'Paid together'), ('fx', "Converted at the PSP's rate"), ('accepted', "Accepted manually")], max_length=20)),
                ('entry', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='matches', to='wallet.bankentry')),
                ('group', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='wallet.matchgroup')),
                ('movement', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='matches', to='wallet.pspmovement')),
                ('row', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='matches', to='wallet.settlementrow')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AddField(
            model_name='break',
            name='row',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to='wallet.settlementrow'),
        ),
        migrations.CreateModel(
            name='SourceRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('psp', 'PSP'), ('bank', 'Bank'), ('platform', 'Trading platform')], max_length=8)),
                ('day', models.DateField()),
                ('state', models.CharField(choices=[('agrees', "Matched"), ('breaks', "Open breaks"), ('missing', "No data received"), ('failed', 'Failed')], max_length=8)),
                ('checked', models.PositiveIntegerField(default=0, help_text="Rows checked on both sides")),
                ('breaks_open', models.PositiveIntegerField(default=0, help_text="After the run, for all days")),
                ('covered_to', models.DateField(help_text="Last day covered by the source's own data", null=True)),
                ('words', models.CharField(blank=True, max_length=300)),
                ('runs', models.PositiveSmallIntegerField(default=1)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('psp', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.psp')),
                ('server', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='trading.tradingserver')),
            ],
            options={
                'ordering': ['-day', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Suggestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(choices=[('same_reference', "Our reference and amount match, PSP reference differs"), ('near_amount', "Reference matches, amount is close"), ('near_time', "Amount and day match, references don't")], max_length=20)),
                ('difference_minor', models.BigIntegerField(help_text="Report row less movement, in the row's currency")),
                ('state', models.CharField(choices=[('open', "Pending review"), ('accepted', "Match"), ('rejected', "No match"), ('void', "Superseded")], default='open', max_length=10)),
                ('made_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('movement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suggestions', to='wallet.pspmovement')),
                ('psp', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='suggestions', to='wallet.psp')),
                ('row', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suggestions', to='wallet.settlementrow')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='TableMapping',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(help_text="Fingerprint of the column headings", max_length=64)),
                ('name', models.CharField(help_text="File it was created for", max_length=160)),
                ('mapping', models.JSONField()),
                ('made_at', models.DateTimeField()),
                ('files', models.PositiveIntegerField(default=0, help_text="Files read with this mapping")),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('psp', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='table_mappings', to='wallet.psp')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('wallet_minor', models.BigIntegerField(null=True)),
                ('trading_account_id', models.BigIntegerField()),
                ('trading_account_label', models.CharField(max_length=80)),
                ('direction', models.CharField(choices=[('to_trading', 'Wallet to trading account'), ('to_wallet', 'Trading account to wallet')], max_length=12)),
                ('reference', models.CharField(max_length=40, unique=True)),
                ('request_key', models.CharField(max_length=80)),
                ('state', models.CharField(choices=[('sending', "Sending"), ('unknown', "Status unknown on the platform"), ('settled', 'Done'), ('failed', 'Failed, money returned')], default='sending', max_length=10)),
                ('operation_id', models.BigIntegerField(help_text="The platform's balance operation", null=True, unique=True)),
                ('failure', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='clients.client')),
                ('journal', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transfer', to='wallet.journal')),
                ('quote', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transfer', to='wallet.quote')),
                ('requested_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reservation', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transfer_reserved', to='wallet.journal')),
                ('wallet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.account')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='UnverifiedRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateField()),
                ('maximum_minor', models.BigIntegerField(help_text="Maximum total deposits, in minor units of the brand's base currency; 0: none")),
                ('kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('card', 'Cards'), ('wallet', 'E-wallet'), ('bank', 'Bank transfer'), ('crypto', 'Crypto'), ('cashier', 'Local methods')], max_length=8), blank=True, default=list, help_text="Allowed types of payment method; empty: all", size=None)),
                ('own_name_only', models.BooleanField(default=True, help_text="Only accounts in the client's own name")),
                ('low_risk_only', models.BooleanField(default=True, help_text='Not for clients rated medium or high risk')),
                ('needs_profile', models.BooleanField(default=True, help_text="Personal details must be complete first")),
                ('days', models.PositiveSmallIntegerField(help_text="Days from the first deposit; then the relationship ends and the money is returned", null=True)),
                ('source', models.CharField(help_text="Legal source", max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='unverified_rules', to='crm.brand')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['brand_id', '-valid_from', '-id'],
                'permissions': [('manage_unverifiedrule', 'May write what clients may do before they are verified')],
            },
        ),
        migrations.CreateModel(
            name='UnverifiedTerm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('running', 'Running'), ('verified', 'Verified in time'), ('ended', "Expired: refund due")], default='running', max_length=8)),
                ('started_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='unverified_term', to='clients.client')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='terms', to='wallet.unverifiedrule')),
            ],
            options={
                'ordering': ['ends_at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='WaitingTable',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64)),
                ('file_name', models.CharField(max_length=160)),
                ('sealed_content', models.BinaryField()),
                ('uploaded_at', models.DateTimeField()),
                ('psp', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='waiting_tables', to='wallet.psp')),
                ('uploaded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='WebhookCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('verdict', models.CharField(choices=[('accepted', 'Accepted'), ('duplicate', "Duplicate"), ('wrong_signature', "Invalid signature"), ('no_signature', "Missing signature"), ('stale', "Signature expired"), ('future', "Timestamp in the future"), ('other_merchant', "Wrong merchant"), ('malformed', 'Unreadable'), ('unchecked', "Not verified, retry requested")], max_length=16)),
                ('received', models.BigIntegerField(default=0)),
                ('kept', models.IntegerField(default=0)),
                ('last_at', models.DateTimeField()),
                ('psp', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='webhook_counts', to='wallet.psp')),
            ],
            options={
                'ordering': ['-day', 'verdict'],
            },
        ),
        migrations.CreateModel(
            name='WebhookMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('received_at', models.DateTimeField()),
                ('headers', models.JSONField(default=dict)),
                ('body', models.BinaryField()),
                ('item', models.PositiveSmallIntegerField(default=0)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('verdict', models.CharField(choices=[('accepted', 'Accepted'), ('duplicate', "Duplicate"), ('wrong_signature', "Invalid signature"), ('no_signature', "Missing signature"), ('stale', "Signature expired"), ('future', "Timestamp in the future"), ('other_merchant', "Wrong merchant"), ('malformed', 'Unreadable'), ('unchecked', "Not verified, retry requested")], max_length=16)),
                ('event_id', models.CharField(blank=True, max_length=120)),
                ('event_type', models.CharField(blank=True, max_length=80)),
                ('reference', models.CharField(blank=True, max_length=100)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Applied'), ('ignored', "No action needed"), ('unmatched', 'Unknown payment'), ('failed', 'Failed'), ('refused', 'Refused')], default='waiting', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, help_text="What was done, or why nothing was", max_length=300)),
                ('processed_at', models.DateTimeField(null=True)),
                ('psp', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='webhooks', to='wallet.psp')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Withdrawal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('reference', models.CharField(max_length=40, unique=True)),
                ('request_key', models.CharField(max_length=80)),
                ('request_reference', models.CharField(default='', help_text="Reference of the first part, shared by all parts", max_length=40)),
                ('part', models.PositiveSmallIntegerField(default=1)),
                ('request_minor', models.BigIntegerField(default=0, help_text="Amount of the whole request; used for limits")),
                ('request_hash', models.CharField(blank=True, help_text="Identifies a request that was sent twice", max_length=32)),
                ('purpose', models.CharField(choices=[('withdrawal', 'Withdrawal'), ('refund', "Deposit refund")], default='withdrawal', max_length=10)),
                ('way', models.CharField(choices=[('payout', 'Payout'), ('refund', "Return to source")], default='payout', max_length=6)),
                ('return_minor', models.BigIntegerField(default=0, help_text="Portion that returns deposits to their source")),
                ('fee_minor', models.BigIntegerField(default=0, help_text="Fee paid by the client, deducted from the amount")),
                ('from_suspense', models.BooleanField(default=False, help_text="Returns a held deposit that was never credited")),
                ('state', models.CharField(choices=[('requested', 'Pending approval'), ('awaiting_second_approval', 'Awaiting second approval'), ('approved', 'Approved'), ('sending', "Sending"), ('sent', 'Sent to the PSP'), ('unknown', "Status unknown at the PSP"), ('settled', 'Paid'), ('rejected', 'Rejected'), ('cancelled', 'Cancelled by the client'), ('failed', 'Failed, money returned'), ('came_back', "Paid, then returned")], default='requested', max_length=24)),
                ('sealed_destination', models.BinaryField(help_text="Destination, encrypted with the client's key")),
                ('destination_label', models.CharField(help_text="Masked for display", max_length=80)),
                ('destination_hash', models.CharField(help_text='Identifies the same payout account', max_length=32)),
                ('base_amount', wallet.models.payments.BaseAmountField(decimal_places=2, help_text="In the brand's base currency at the day's rate; used for limits", max_digits=20)),
                ('needs_second', models.BooleanField(default=False, help_text='Above the four-eyes limit when it was requested')),
                ('approved_automatically', models.BooleanField(default=False)),
                ('reason', models.CharField(blank=True, help_text="Reason for the rejection or failure", max_length=300)),
                ('psp_reference', models.CharField(blank=True, max_length=100)),
                ('claim_url', models.CharField(blank=True, help_text="Link where the client claims the money; for the client only", max_length=300)),
                ('claim_until', models.DateTimeField(null=True)),
                ('claim_state', models.CharField(blank=True, choices=[('waiting', "Awaiting claim"), ('claimed', "Claimed, in transit"), ('over', 'Not claimed in time')], max_length=8)),
                ('requested_at', models.DateTimeField()),
                ('reviewed_at', models.DateTimeField(null=True)),
                ('approved_at', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('next_look_up_at', models.DateTimeField(null=True)),
                ('look_ups', models.PositiveSmallIntegerField(default=0)),
                ('finished_at', models.DateTimeField(null=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('approved_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='withdrawals', to='clients.client')),
                ('journal', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal', to='wallet.journal')),
                ('method', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.paymentmethod')),
                ('psp', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='withdrawals', to='wallet.psp')),
                ('rejected_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reservation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal_reserved', to='wallet.journal')),
                ('reviewed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source_deposit', models.ForeignKey(help_text="Deposit that is refunded", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='wallet.deposit')),
                ('wallet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.account')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('approve_withdrawal', 'May approve and reject withdrawals'), ('refund_deposit', 'May ask for a deposit to be given back'), ('request_withdrawal_for_client', "May request a withdrawal on a client's behalf")],
            },
        ),
        migrations.AddField(
            model_name='payoutfinding',
            name='withdrawal',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='wallet.withdrawal'),
        ),
        migrations.CreateModel(
            name='WithdrawalCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=30)),
                ('outcome', models.CharField(choices=[('pass', 'Passed'), ('review', "Needs review"), ('stop', 'Not possible')], max_length=8)),
                ('reason', models.CharField(max_length=300)),
                ('checked_at', models.DateTimeField()),
                ('withdrawal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='checks', to='wallet.withdrawal')),
            ],
            options={
                'ordering': ['withdrawal_id', 'id'],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='balance',
            trigger=pgtrigger.compiler.Trigger(name='balance_is_sound', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF NEW.credits_posted >= NEW.debits_posted + NEW.debits_pending\n  AND least(NEW.version, NEW.debits_posted, NEW.credits_pending, NEW.debits_pending) >= 0\n  AND (current_setting('keelson.ledger', true) = 'posting' OR TG_OP = 'INSERT')\nTHEN RETURN NULL; END IF;\nIF NEW.credits_posted < NEW.debits_posted + NEW.debits_pending THEN\n  RAISE EXCEPTION '%: account %', 'client_money_never_goes_below_zero_after_holds', NEW.account_id USING ERRCODE = 'check_violation', CONSTRAINT = 'client_money_never_goes_below_zero_after_holds';\nEND IF;\nIF least(NEW.version, NEW.debits_posted, NEW.credits_pending, NEW.debits_pending) < 0 THEN\n  RAISE EXCEPTION '%: account %', 'balance_counters_are_not_negative', NEW.account_id USING ERRCODE = 'check_violation', CONSTRAINT = 'balance_counters_are_not_negative';\nEND IF;\nRAISE EXCEPTION 'balance is written by ledger_post only';\n", hash='6ada0d1959f9dfc31b1814fc63055f02bc18f4b2', operation='INSERT OR UPDATE', pgid='pgtrigger_balance_is_sound_ede32', table='wallet_balance', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='balance',
            trigger=pgtrigger.compiler.Trigger(name='balance_no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'a balance is never deleted';", hash='6e29a03bb960a39707fa29a04c18a0e038db7e02', operation='DELETE', pgid='pgtrigger_balance_no_delete_7d3c0', table='wallet_balance', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='balance',
            trigger=pgtrigger.compiler.Trigger(name='balance_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'a balance is never deleted';", hash='9eaa235cdc44b8283a95305952e8c34efb99bbc3', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_balance_no_truncate_029c7', table='wallet_balance', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='bonusplan',
            constraint=models.UniqueConstraint(fields=('brand', 'name'), name='each_bonus_plan_of_a_brand_once'),
        ),
        migrations.AddConstraint(
            model_name='bonusproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='bonus_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='bonusproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'approved')), fields=('loss',), name='a_lost_bonus_is_decided_once'),
        ),
        migrations.AddConstraint(
            model_name='bonusproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='bonus_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='bonusproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='bonus_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='bonusproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='bonus_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='bonusproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='bonus_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='bonusproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('loss',), name='one_bonus_proposal_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='bonusrule',
            constraint=models.CheckConstraint(condition=models.Q(('deposit_minimum_minor__gte', 0), ('four_eyes_minor__gte', 0), ('maximum_minor__gt', 0)), name='bonus_rule_limits_are_sane'),
        ),
        migrations.AddConstraint(
            model_name='bonusrule',
            constraint=models.CheckConstraint(condition=models.Q(('trigger', 'by_hand'), models.Q(('percent__gt', 0), ('percent__lte', 200)), _connector='OR'), name='bonus_on_deposit_has_a_percentage'),
        ),
        migrations.AddConstraint(
            model_name='bonusrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lots_per_hundred__gt', 0), ('lots_per_hundred__isnull', False), ('release_by', 'lots')), models.Q(('release_by', 'days'), ('release_days__gt', 0), ('release_days__isnull', False)), ('release_by', 'never'), _connector='OR'), name='bonus_rule_says_how_it_is_released'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bonusrule',
            trigger=pgtrigger.compiler.Trigger(name='bonusrule_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'bonusrule is append-only: write a new row instead';", hash='363c21ef267dce06a69224545852a57f17125a43', operation='UPDATE OR DELETE', pgid='pgtrigger_bonusrule_no_change_60bb9', table='wallet_bonusrule', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bonusrule',
            trigger=pgtrigger.compiler.Trigger(name='bonusrule_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'bonusrule is append-only: write a new row instead';", hash='3b06d952a1dbd652e218099f3045e0434c022041', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_bonusrule_no_truncate_51183', table='wallet_bonusrule', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='breaknote',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('body', ''), _negated=True), models.Q(('file_path', ''), _negated=True), _connector='OR'), name='break_note_says_something'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='breaknote',
            trigger=pgtrigger.compiler.Trigger(name='breaknote_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'breaknote is append-only: write a new row instead';", hash='60d7df249eb8699e53b067f4abc14711393f6c2f', operation='UPDATE OR DELETE', pgid='pgtrigger_breaknote_no_change_5ce85', table='wallet_breaknote', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='breaknote',
            trigger=pgtrigger.compiler.Trigger(name='breaknote_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'breaknote is append-only: write a new row instead';", hash='d98c55b8f414a60ca1f326aa0789aabd82f6b097', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_breaknote_no_truncate_b289e', table='wallet_breaknote', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='checkpoint',
            constraint=models.UniqueConstraint(fields=('account', 'at'), name='one_checkpoint_per_account_and_instant'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='checkpoint',
            trigger=pgtrigger.compiler.Trigger(name='checkpoint_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'checkpoint is append-only: write a new row instead';", hash='c8bae461d99ab77d99e557ab4872f9603d35ab60', operation='UPDATE OR DELETE', pgid='pgtrigger_checkpoint_no_change_bac4f', table='wallet_checkpoint', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='checkpoint',
            trigger=pgtrigger.compiler.Trigger(name='checkpoint_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'checkpoint is append-only: write a new row instead';", hash='df02586e54fabade4926e12d7f317f9705f1ddb7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_checkpoint_no_truncate_78fb3', table='wallet_checkpoint', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='clientmoneyday',
            constraint=models.UniqueConstraint(fields=('brand', 'day', 'currency', 'version'), name='one_client_money_day_per_version'),
        ),
        migrations.AddConstraint(
            model_name='clientmoneyday',
            constraint=models.CheckConstraint(condition=models.Q(('requirement_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('wallets_minor'), '+', models.F('trading_minor')), '+', models.F('debit_minor')), '+', models.F('unallocated_minor')))), name='requirement_is_the_sum_of_what_is_owed'),
        ),
        migrations.AddConstraint(
            model_name='clientmoneyday',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('resource_minor', django.db.models.expressions.CombinedExpression(models.F('bank_minor'), '+', models.F('transit_minor'))), ('transit_counts', True)), models.Q(('resource_minor', models.F('bank_minor')), ('transit_counts', False)), _connector='OR'), name='resource_is_the_bank_and_what_counts_of_transit'),
        ),
        migrations.AddConstraint(
            model_name='clientmoneyday',
            constraint=models.CheckConstraint(condition=models.Q(('difference_minor', django.db.models.expressions.CombinedExpression(models.F('resource_minor'), '-', models.F('requirement_minor')))), name='difference_is_resource_less_requirement'),
        ),
        migrations.AddConstraint(
            model_name='clientmoneyday',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cover', 'short'), ('difference_minor__lt', 0)), models.Q(models.Q(('cover', 'short'), _negated=True), ('difference_minor__gte', 0)), _connector='OR'), name='short_client_money_is_called_short'),
        ),
        migrations.AddConstraint(
            model_name='clientmoneyday',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('bank_statement_minor__isnull', True), ('statement_on__isnull', True)), models.Q(('bank_statement_minor__isnull', False), ('statement_on__isnull', False)), _connector='OR'), name='statement_balance_has_its_day'),
        ),
        migrations.AddConstraint(
            model_name='clientmoneyday',
            constraint=models.CheckConstraint(condition=models.Q(('version', 1), models.Q(('reason', ''), _negated=True), _connector='OR'), name='client_money_computed_again_says_why'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clientmoneyday',
            trigger=pgtrigger.compiler.Trigger(name='client_money_day_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'client_money_day is append-only: write a new row instead';", hash='ed8b7bb7343f6c4deb81798cc3fd9e3e17a430d4', operation='UPDATE OR DELETE', pgid='pgtrigger_client_money_day_no_change_c3263', table='wallet_clientmoneyday', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clientmoneyday',
            trigger=pgtrigger.compiler.Trigger(name='client_money_day_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'client_money_day is append-only: write a new row instead';", hash='502b85264cbe7162d227f8e2feb4cf457ca7463f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_client_money_day_no_truncate_513ff', table='wallet_clientmoneyday', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='bonusgrant',
            index=models.Index(fields=['client', '-id'], name='bonuses_by_client'),
        ),
        migrations.AddIndex(
            model_name='bonusgrant',
            index=models.Index(fields=['brand', '-id'], name='bonuses_by_brand'),
        ),
        migrations.AddIndex(
            model_name='bonusgrant',
            index=models.Index(condition=models.Q(('state', 'active')), fields=['client', 'id'], name='bonuses_held'),
        ),
        migrations.AddIndex(
            model_name='bonusgrant',
            index=models.Index(condition=models.Q(('state', 'active')), fields=['release_at'], name='bonuses_to_release'),
        ),
        migrations.AddIndex(
            model_name='bonusgrant',
            index=models.Index(condition=models.Q(('state', 'active')), fields=['expires_at'], name='bonuses_to_expire'),
        ),
        migrations.AddConstraint(
            model_name='bonusgrant',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='bonus_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='bonusgrant',
            constraint=models.CheckConstraint(condition=models.Q(('burned_minor__gte', 0), ('released_minor__gte', 0), ('amount_minor__gte', django.db.models.expressions.CombinedExpression(models.F('released_minor'), '+', models.F('burned_minor')))), name='bonus_gives_no_more_than_it_has'),
        ),
        migrations.AddConstraint(
            model_name='bonusgrant',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), ('requested_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='bonus_approver_is_not_requester'),
        ),
        migrations.AddConstraint(
            model_name='bonusgrant',
            constraint=models.UniqueConstraint(fields=('client', 'request_key'), name='one_bonus_per_request'),
        ),
        migrations.AddConstraint(
            model_name='bonusgrant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'active'), ('amount_minor__gt', django.db.models.expressions.CombinedExpression(models.F('released_minor'), '+', models.F('burned_minor')))), models.Q(('state__in', ['released', 'burned', 'expired']), ('amount_minor', django.db.models.expressions.CombinedExpression(models.F('released_minor'), '+', models.F('burned_minor')))), models.Q(('burned_minor', 0), ('released_minor', 0), ('state__in', ('pending', 'rejected', 'withdrawn'))), _connector='OR'), name='bonus_is_active_while_something_is_held'),
        ),
        migrations.AddConstraint(
            model_name='bonusgrant',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('pending', 'rejected', 'withdrawn')), ('granted_at__isnull', False), _connector='OR'), name='held_bonus_was_granted'),
        ),
        migrations.AddConstraint(
            model_name='bonusgrant',
            constraint=models.CheckConstraint(condition=models.Q(('needs_second', False), ('state__in', ('pending', 'rejected', 'withdrawn')), ('decided_by__isnull', False), _connector='OR'), name='bonus_above_the_limit_had_four_eyes'),
        ),
        migrations.AddConstraint(
            model_name='feeinvoice',
            constraint=models.UniqueConstraint(fields=('brand', 'series', 'number'), name='each_invoice_number_once'),
        ),
        migrations.AddConstraint(
            model_name='feeinvoice',
            constraint=models.UniqueConstraint(fields=('client', 'first_day'), name='one_fee_invoice_per_client_and_month'),
        ),
        migrations.AddConstraint(
            model_name='feeinvoice',
            constraint=models.CheckConstraint(condition=models.Q(('first_day__lte', models.F('last_day')), ('number__gte', 1)), name='invoice_is_in_order'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feeinvoice',
            trigger=pgtrigger.compiler.Trigger(name='fee_invoice_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'fee_invoice is append-only: write a new row instead';", hash='e9bcc4b18588be9846f54fc12be33a29abbb995d', operation='UPDATE OR DELETE', pgid='pgtrigger_fee_invoice_no_change_cd050', table='wallet_feeinvoice', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feeinvoice',
            trigger=pgtrigger.compiler.Trigger(name='fee_invoice_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'fee_invoice is append-only: write a new row instead';", hash='35cc275fcca2a07103b32df33c8b8ad084a09256', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_fee_invoice_no_truncate_a76ed', table='wallet_feeinvoice', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feeinvoice',
            trigger=pgtrigger.compiler.Trigger(name='invoice_numbers_have_no_gaps', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.number <> 1 + COALESCE((SELECT max(i.number) FROM wallet_feeinvoice i WHERE i.brand_id = NEW.brand_id AND i.series = NEW.series), 0) THEN RAISE EXCEPTION 'invoice numbers follow each other without a gap' USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_numbers_have_no_gaps'; END IF; RETURN NEW;", hash='9537348965c979e3678ad289ab9ff37c888f46a5', operation='INSERT', pgid='pgtrigger_invoice_numbers_have_no_gaps_04b0c', table='wallet_feeinvoice', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='issueddocument',
            index=models.Index(fields=['client', '-id'], name='issued_by_client'),
        ),
        migrations.AddIndex(
            model_name='issueddocument',
            index=models.Index(fields=['brand', '-id'], name='issued_by_brand'),
        ),
        migrations.AddIndex(
            model_name='issueddocument',
            index=models.Index(fields=['content_hash'], name='issued_by_figures', opclasses=['text_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='issueddocument',
            index=models.Index(fields=['sha256'], name='issued_by_file', opclasses=['text_pattern_ops']),
        ),
        migrations.AddConstraint(
            model_name='issueddocument',
            constraint=models.UniqueConstraint(fields=('brand', 'kind', 'subject', 'language', 'ending', 'content_hash'), name='the_same_figures_are_one_document'),
        ),
        migrations.AddConstraint(
            model_name='issueddocument',
            constraint=models.CheckConstraint(condition=models.Q(('content_hash__regex', '^[0-9a-f]{64}$'), ('sha256__regex', '^[0-9a-f]{64}$')), name='document_has_both_hashes'),
        ),
        migrations.AddConstraint(
            model_name='issueddocument',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('client__isnull', False), ('kind__in', ('statement', 'receipt', 'fee_invoice', 'certificate'))), models.Q(models.Q(('kind__in', ('statement', 'receipt', 'fee_invoice', 'certificate')), _negated=True), ('client__isnull', True)), _connector='OR'), name='document_is_a_client_s_or_the_house_s'),
        ),
        migrations.AddConstraint(
            model_name='issueddocument',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('first_day__isnull', True), ('last_day__isnull', True)), models.Q(('first_day__isnull', False), ('first_day__lte', models.F('last_day')), ('last_day__isnull', False)), _connector='OR'), name='document_period_is_in_order'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='issueddocument',
            trigger=pgtrigger.compiler.Trigger(name='issued_document_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'issued_document is append-only: write a new row instead';", hash='45da6209cf762775fbaffda708d3cdb845f22f36', operation='UPDATE OR DELETE', pgid='pgtrigger_issued_document_no_change_ef886', table='wallet_issueddocument', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='issueddocument',
            trigger=pgtrigger.compiler.Trigger(name='issued_document_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'issued_document is append-only: write a new row instead';", hash='0b7e45c4f979c65c2411f6aa30281f811f9055a3', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_issued_document_no_truncate_6d075', table='wallet_issueddocument', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='journal',
            index=models.Index(condition=models.Q(('expires_at__isnull', False)), fields=['expires_at'], name='reservations_that_expire'),
        ),
        migrations.AddConstraint(
            model_name='journal',
            constraint=models.UniqueConstraint(fields=('idempotency_key',), name='each_key_is_posted_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='journal',
            trigger=pgtrigger.compiler.Trigger(name='journal_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'journal is append-only: write a new row instead';", hash='af115e6647e8456d0b3bed3f9990d7f292b35c3c', operation='UPDATE OR DELETE', pgid='pgtrigger_journal_no_change_9ee2f', table='wallet_journal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='journal',
            trigger=pgtrigger.compiler.Trigger(name='journal_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'journal is append-only: write a new row instead';", hash='f98876bb650d14f59c2aabc1ea5ab1dc155e42fc', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_journal_no_truncate_4a054', table='wallet_journal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='journal',
            trigger=pgtrigger.compiler.Trigger(name='journal_is_sound', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF current_setting('keelson.ledger', true) IS DISTINCT FROM 'posting' THEN\n  RAISE EXCEPTION 'journal is written by ledger_post only';\nEND IF;\n-- As most are.\nIF NEW.phase = 'posted' AND NEW.resolves_id IS NULL AND NEW.expires_at IS NULL AND NEW.fx_rate IS NULL\n  AND NEW.fx_rate_on IS NULL THEN RETURN NEW; END IF;\nIF NOT NEW.phase = ANY (CASE WHEN NEW.resolves_id IS NULL THEN '{posted,pending}'::text[] ELSE '{post,void}'::text[] END) THEN\n  RAISE EXCEPTION '%: journal %', 'resolving_journal_names_what_it_resolves', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'resolving_journal_names_what_it_resolves';\nEND IF;\nIF NOT (NEW.fx_rate IS NULL AND NEW.fx_rate_on IS NULL OR coalesce(NEW.fx_rate > 0, false) AND NEW.fx_rate_on IS NOT NULL) THEN\n  RAISE EXCEPTION '%: journal %', 'journal_rate_has_its_day', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_rate_has_its_day';\nEND IF;\nIF NEW.expires_at IS NOT NULL AND NEW.phase <> 'pending' THEN\n  RAISE EXCEPTION '%: journal %', 'only_a_reservation_expires', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'only_a_reservation_expires';\nEND IF;\nRETURN NEW;\n", hash='2430150327117984ad3a3fa15f4dca9932bdba19', operation='INSERT', pgid='pgtrigger_journal_is_sound_e46c7', table='wallet_journal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='journal',
            trigger=pgtrigger.compiler.Trigger(name='journal_sums_to_zero', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\nIF (SELECT min(currency) = max(currency) AND min(layer) = max(layer) AND sum(amount_minor) = 0\n      AND bool_and(amount_minor <> 0 AND (available_after IS NULL OR available_after >= 0))\n    FROM wallet_posting WHERE journal_id = NEW.id)\nTHEN RETURN NULL; END IF;\nIF NOT EXISTS (SELECT 1 FROM wallet_posting WHERE journal_id = NEW.id) THEN\n  RAISE EXCEPTION '%: journal % has none', 'journal_has_postings', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_has_postings';\nEND IF;\nIF EXISTS (SELECT 1 FROM wallet_posting WHERE journal_id = NEW.id AND amount_minor = 0) THEN\n  RAISE EXCEPTION '%: journal %', 'posting_moves_something', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_moves_something';\nEND IF;\nIF EXISTS (SELECT 1 FROM wallet_posting WHERE journal_id = NEW.id AND available_after < 0) THEN\n  RAISE EXCEPTION '%: journal %', 'no_posting_overdraws_a_bounded_account', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'no_posting_overdraws_a_bounded_account';\nEND IF;\nIF EXISTS (SELECT 1 FROM wallet_posting WHERE journal_id = NEW.id GROUP BY currency, layer HAVING sum(amount_minor) <> 0) THEN\n  RAISE EXCEPTION '%: journal % does not sum to zero per currency', 'journal_sums_to_zero_per_currency', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_sums_to_zero_per_currency';\nEND IF;\nRETURN NULL;\n", hash='1640489406fae20d6f3eb1993e23d5ec0859b909', operation='INSERT', pgid='pgtrigger_journal_sums_to_zero_a7357', table='wallet_journal', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='bonusloss',
            constraint=models.UniqueConstraint(fields=('dispute', 'dispute_round', 'grant'), name='a_chargeback_takes_from_a_bonus_once'),
        ),
        migrations.AddConstraint(
            model_name='bonusloss',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='lost_bonus_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='bonusloss',
            constraint=models.CheckConstraint(condition=models.Q(('dispute_round__gt', 0)), name='lost_bonus_says_which_time'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bonusloss',
            trigger=pgtrigger.compiler.Trigger(name='bonusloss_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'bonusloss is append-only: write a new row instead';", hash='c382983f3673a7e86297d660867708063e713ed7', operation='UPDATE OR DELETE', pgid='pgtrigger_bonusloss_no_change_dfd76', table='wallet_bonusloss', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bonusloss',
            trigger=pgtrigger.compiler.Trigger(name='bonusloss_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'bonusloss is append-only: write a new row instead';", hash='2c7713ef1d78de9172b3ddce1bb9a982565089f7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_bonusloss_no_truncate_c4a03', table='wallet_bonusloss', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='ledgerseal',
            constraint=models.CheckConstraint(condition=models.Q(('journal_count__gt', 0)), name='ledger_seal_is_never_empty'),
        ),
        migrations.AddConstraint(
            model_name='ledgerseal',
            constraint=models.CheckConstraint(condition=models.Q(('first_journal_id__lte', models.F('last_journal_id'))), name='ledger_seal_runs_forward'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgerseal',
            trigger=pgtrigger.compiler.Trigger(name='ledger_seal_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'ledger_seal is append-only: write a new row instead';", hash='e615b2fff51ac398dcdb77b8c0354e868b9e1318', operation='UPDATE OR DELETE', pgid='pgtrigger_ledger_seal_no_change_8e846', table='wallet_ledgerseal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgerseal',
            trigger=pgtrigger.compiler.Trigger(name='ledger_seal_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'ledger_seal is append-only: write a new row instead';", hash='cf1d387e9b7cf4d1791ed854d25222d009e3a55c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_ledger_seal_no_truncate_e915a', table='wallet_ledgerseal', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='manualjournal',
            index=models.Index(fields=['brand', 'state', '-id'], name='manual_journals_by_state'),
        ),
        migrations.AddConstraint(
            model_name='manualjournal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='manual_journal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='manualjournal',
            constraint=models.UniqueConstraint(fields=('requested_by', 'request_key'), name='one_manual_journal_per_request'),
        ),
        migrations.AddConstraint(
            model_name='manualjournal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('journal__isnull', False), ('state', 'approved')), models.Q(models.Q(('state', 'approved'), _negated=True), ('journal__isnull', True)), _connector='OR'), name='approved_manual_journal_is_posted'),
        ),
        migrations.AddConstraint(
            model_name='manualjournal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rate__isnull', True), ('rate_on__isnull', True)), models.Q(('rate__gt', 0), ('rate__isnull', False), ('rate_on__isnull', False)), _connector='OR'), name='manual_rate_has_its_day'),
        ),
        migrations.AddConstraint(
            model_name='manualjournal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='manual_journal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='manualjournal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='manual_journal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='manualjournal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='manual_journal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='manualjournal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='manual_journal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='manualjournal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('reverses',), name='one_reversal_of_a_journal_waits'),
        ),
        migrations.AddConstraint(
            model_name='manualjournalfile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('file_path', ''), _negated=True), ('file_bytes__gt', 0)), name='journal_file_has_a_content'),
        ),
        migrations.AddConstraint(
            model_name='manualjournalfile',
            constraint=models.UniqueConstraint(fields=('manual', 'file_sha256'), name='a_journal_file_is_attached_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='manualjournalfile',
            trigger=pgtrigger.compiler.Trigger(name='manualjournalfile_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'manualjournalfile is append-only: write a new row instead';", hash='25beb28169f1b9672c6fc8e635889e76bb802637', operation='UPDATE OR DELETE', pgid='pgtrigger_manualjournalfile_no_change_a82e0', table='wallet_manualjournalfile', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='manualjournalfile',
            trigger=pgtrigger.compiler.Trigger(name='manualjournalfile_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'manualjournalfile is append-only: write a new row instead';", hash='3a1fa8c2b1fff8dd147762e48aae37c73521ebc3', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_manualjournalfile_no_truncate_597f9', table='wallet_manualjournalfile', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='manualline',
            constraint=models.UniqueConstraint(fields=('manual', 'line'), name='each_manual_line_once'),
        ),
        migrations.AddConstraint(
            model_name='manualline',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor', 0), _negated=True), name='manual_line_moves_something'),
        ),
        migrations.AddConstraint(
            model_name='bonusrestoration',
            constraint=models.UniqueConstraint(fields=('finding', 'grant'), name='a_finding_restores_a_bonus_once'),
        ),
        migrations.AddConstraint(
            model_name='bonusrestoration',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='restored_bonus_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='bonusrestoration',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finding__isnull', False), ('loss__isnull', True), ('proposal__isnull', True)), models.Q(('finding__isnull', True), ('loss__isnull', False)), _connector='OR'), name='restored_bonus_has_one_cause'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bonusrestoration',
            trigger=pgtrigger.compiler.Trigger(name='bonusrestoration_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'bonusrestoration is append-only: write a new row instead';", hash='e4c225e82cdb4b825fb9eaf5b4de545e3144dc1d', operation='UPDATE OR DELETE', pgid='pgtrigger_bonusrestoration_no_change_89cc0', table='wallet_bonusrestoration', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bonusrestoration',
            trigger=pgtrigger.compiler.Trigger(name='bonusrestoration_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'bonusrestoration is append-only: write a new row instead';", hash='2b1101b11e96063a10be1f520a345e03b0a2182f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_bonusrestoration_no_truncate_1eb62', table='wallet_bonusrestoration', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bonusrestoration',
            trigger=pgtrigger.compiler.Trigger(name='given_again_as_it_was_taken', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."loss_id" IS NOT NULL)', func="\nIF NOT EXISTS (SELECT 1 FROM wallet_bonusloss l JOIN wallet_dispute d ON d.id = l.dispute_id\n  WHERE l.id = NEW.loss_id AND l.grant_id = NEW.grant_id AND l.amount_minor = NEW.amount_minor\n    AND d.state = 'won' AND d.taken_minor = 0) OR (NEW.proposal_id IS NOT NULL AND NOT EXISTS (\n  SELECT 1 FROM wallet_bonusproposal p WHERE p.id = NEW.proposal_id AND p.loss_id = NEW.loss_id\n    AND p.state = 'approved' AND p.restores)) THEN\n  RAISE EXCEPTION 'a won dispute restores what it took, while its money is back'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_won_dispute_restores_what_it_took';\nEND IF;\nRETURN NEW;\n", hash='f3dcf4e67cdc7e1300889648bca8349bf5878078', operation='INSERT', pgid='pgtrigger_given_again_as_it_was_taken_3c5ba', table='wallet_bonusrestoration', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='period',
            index=models.Index(condition=models.Q(('state', 'open'), _negated=True), fields=['brand', '-last_day'], name='closed_periods'),
        ),
        migrations.AddConstraint(
            model_name='period',
            constraint=models.UniqueConstraint(fields=('brand', 'first_day'), name='each_period_of_a_brand_once'),
        ),
        migrations.AddConstraint(
            model_name='period',
            constraint=models.CheckConstraint(condition=models.Q(('first_day__lte', models.F('last_day'))), name='period_runs_forward'),
        ),
        migrations.AddConstraint(
            model_name='period',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'closed'), _negated=True), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), ('closings__gt', 0)), _connector='OR'), name='closed_period_names_who_closed_it'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='period',
            trigger=pgtrigger.compiler.Trigger(name='periods_close_in_order', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF EXISTS (SELECT 1 FROM wallet_period p WHERE p.brand_id = NEW.brand_id AND p.id <> NEW.id AND daterange(p.first_day, p.last_day, '[]') && daterange(NEW.first_day, NEW.last_day, '[]')) THEN RAISE EXCEPTION 'periods of a brand do not overlap' USING ERRCODE = 'check_violation'; END IF; IF (NEW.state <> 'open' AND EXISTS (SELECT 1 FROM wallet_period p WHERE p.brand_id = NEW.brand_id AND p.last_day < NEW.first_day AND p.state = 'open')) OR (NEW.state = 'open' AND EXISTS (SELECT 1 FROM wallet_period p WHERE p.brand_id = NEW.brand_id AND p.first_day > NEW.last_day AND p.state <> 'open')) THEN RAISE EXCEPTION 'periods are closed in order and opened again from the last one' USING ERRCODE = 'check_violation'; END IF; RETURN NEW;", hash='191796748ee7e3c64a9f7919c7514e28eaf5072b', operation='INSERT OR UPDATE', pgid='pgtrigger_periods_close_in_order_9a083', table='wallet_period', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='period',
            trigger=pgtrigger.compiler.Trigger(name='signed_by_two_before_it_is_closed', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF OLD.state = 'open' AND NEW.state <> 'open' AND NOT EXISTS (SELECT 1 FROM wallet_monthsignoff s WHERE s.period_id = NEW.id AND s.closing = OLD.closings + 1 AND s.withdrawn_at IS NULL GROUP BY s.figures_hash HAVING count(DISTINCT s.signed_by_id) >= 2) THEN RAISE EXCEPTION 'a month is signed by two people before it is closed' USING ERRCODE = 'check_violation'; END IF; RETURN NEW;", hash='e49453890d61b37e2b570267cae529521f25017b', operation='UPDATE', pgid='pgtrigger_signed_by_two_before_it_is_closed_c1a6b', table='wallet_period', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='monthsignoff',
            constraint=models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('period', 'closing', 'figures_hash', 'signed_by'), name='nobody_signs_a_month_twice'),
        ),
        migrations.AddConstraint(
            model_name='monthsignoff',
            constraint=models.CheckConstraint(condition=models.Q(('closing__gt', 0)), name='sign_off_names_its_closing'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='monthsignoff',
            trigger=pgtrigger.compiler.Trigger(name='sign_off_keeps_what_was_signed', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' THEN IF OLD.withdrawn_at IS NULL AND (NEW.period_id, NEW.closing, NEW.figures_hash, NEW.checks, NEW.note, NEW.signed_by_id, NEW.signed_at) IS NOT DISTINCT FROM (OLD.period_id, OLD.closing, OLD.figures_hash, OLD.checks, OLD.note, OLD.signed_by_id, OLD.signed_at) THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'a signature is withdrawn, never changed';", hash='568d63dd9c313efc3b00ce2729eef9f5cd00edb2', operation='UPDATE OR DELETE', pgid='pgtrigger_sign_off_keeps_what_was_signed_88cfb', table='wallet_monthsignoff', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='closingbalance',
            constraint=models.UniqueConstraint(fields=('period', 'closing', 'account'), name='one_closing_balance_per_account_and_closing'),
        ),
        migrations.AddConstraint(
            model_name='closingbalance',
            constraint=models.CheckConstraint(condition=models.Q(('closing_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('opening_minor'), '+', models.F('credits_minor')), '-', models.F('debits_minor')))), name='closing_is_opening_and_turnover'),
        ),
        migrations.AddConstraint(
            model_name='closingbalance',
            constraint=models.CheckConstraint(condition=models.Q(('credits_minor__gte', 0), ('debits_minor__gte', 0)), name='turnover_is_not_negative'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closingbalance',
            trigger=pgtrigger.compiler.Trigger(name='closing_balance_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'closing_balance is append-only: write a new row instead';", hash='1dcac0ea185959bcf01097be382c73b9cba6808c', operation='UPDATE OR DELETE', pgid='pgtrigger_closing_balance_no_change_1b015', table='wallet_closingbalance', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closingbalance',
            trigger=pgtrigger.compiler.Trigger(name='closing_balance_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'closing_balance is append-only: write a new row instead';", hash='4f36fef96780df9db115c168d03359ac35782ef5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_closing_balance_no_truncate_9ea36', table='wallet_closingbalance', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='periodreopening',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='period_reopening_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='periodreopening',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='period_reopening_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='periodreopening',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='period_reopening_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='periodreopening',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='period_reopening_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='periodreopening',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='period_reopening_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='periodreopening',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('period',), name='one_wish_to_reopen_at_a_time'),
        ),
        migrations.AddIndex(
            model_name='posting',
            index=models.Index(condition=models.Q(('version__isnull', True)), fields=['account', 'posted_at', 'journal', 'line'], name='history_of_house_accounts'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.UniqueConstraint(condition=models.Q(('version__isnull', False)), fields=('account', 'version'), name='each_account_version_exists_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='posting',
            trigger=pgtrigger.compiler.Trigger(name='posting_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'posting is append-only: write a new row instead';", hash='eb66ec3048c9df0813124e91c1847e5cfaab32e9', operation='UPDATE OR DELETE', pgid='pgtrigger_posting_no_change_80024', table='wallet_posting', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='posting',
            trigger=pgtrigger.compiler.Trigger(name='posting_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'posting is append-only: write a new row instead';", hash='76f813af375b8b65d9f21415e0233c220aea7f2a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_posting_no_truncate_4020e', table='wallet_posting', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='posting',
            trigger=pgtrigger.compiler.Trigger(name='posting_by_ledger_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF current_setting('keelson.ledger', true) IS DISTINCT FROM 'posting' THEN RAISE EXCEPTION 'posting is written by ledger_post only'; END IF; RETURN NULL;", hash='8d54d74f095b32864943999307b8145922ce6db7', level='STATEMENT', operation='INSERT', pgid='pgtrigger_posting_by_ledger_only_afb2c', table='wallet_posting', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='paymentmethod',
            index=models.Index(fields=['position', 'id'], name='methods_in_order'),
        ),
        migrations.AddConstraint(
            model_name='paymentmethod',
            constraint=models.UniqueConstraint(fields=('psp', 'code'), name='each_method_of_a_psp_once'),
        ),
        migrations.AddConstraint(
            model_name='paymentmethod',
            constraint=models.CheckConstraint(condition=models.Q(('deposit_maximum_minor__gte', models.F('deposit_minimum_minor')), ('deposit_minimum_minor__gt', 0), ('payout_maximum_minor__gte', models.F('payout_minimum_minor')), ('payout_minimum_minor__gt', 0)), name='method_limits_are_in_order'),
        ),
        migrations.AddConstraint(
            model_name='paymentmethod',
            constraint=models.CheckConstraint(condition=models.Q(('deposit_fee_basis_points__lte', 2000), ('payout_fee_basis_points__lte', 2000), ('deposit_fee_fixed_minor__gte', 0), ('payout_fee_fixed_minor__gte', 0)), name='method_fees_are_sane'),
        ),
        migrations.AddConstraint(
            model_name='matchgroup',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('converted_minor__isnull', True), ('currency', models.F('books_currency')), ('rows_minor', django.db.models.expressions.CombinedExpression(models.F('books_minor'), '+', models.F('adjustment_minor')))), models.Q(models.Q(('currency', models.F('books_currency')), _negated=True), ('adjustment__isnull', False), ('converted_minor__isnull', False), ('rows_minor', django.db.models.expressions.CombinedExpression(models.F('converted_minor'), '+', models.F('adjustment_minor')))), _connector='OR'), name='group_agrees_in_sum_and_currency'),
        ),
        migrations.AddConstraint(
            model_name='matchgroup',
            constraint=models.CheckConstraint(condition=models.Q(('adjustment_minor', 0), ('adjustment__isnull', False), _connector='OR'), name='accepted_difference_is_posted'),
        ),
        migrations.AddConstraint(
            model_name='matchgroup',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('undone_at__isnull', True), ('undone_reason', '')), models.Q(('undone_at__isnull', False), models.Q(('undone_reason', ''), _negated=True)), _connector='OR'), name='undone_group_says_why'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='matchgroup',
            trigger=pgtrigger.compiler.Trigger(name='group_adds_up', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func='PERFORM recon_check_group(NEW.id); RETURN NULL;', hash='7d331da803f6f2f600b6aa9f6ab788e034d5982a', operation='INSERT OR UPDATE', pgid='pgtrigger_group_adds_up_f89f3', table='wallet_matchgroup', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='dispute',
            index=models.Index(fields=['brand', '-id'], name='disputes_by_brand'),
        ),
        migrations.AddIndex(
            model_name='dispute',
            index=models.Index(fields=['client', '-id'], name='disputes_by_client'),
        ),
        migrations.AddIndex(
            model_name='dispute',
            index=models.Index(condition=models.Q(('state__in', ('inquiry', 'needs_response', 'submitted'))), fields=['evidence_due_at'], name='disputes_to_answer'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.UniqueConstraint(fields=('psp', 'psp_dispute_id'), name='each_dispute_of_a_psp_once'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='dispute_is_about_something'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(('taken_minor', 0), models.Q(('chargeback__isnull', False), ('taken_minor__gt', 0)), _connector='OR'), name='taken_money_has_a_journal'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('state__in', ('inquiry', 'needs_response', 'submitted'))), models.Q(models.Q(('state__in', ('inquiry', 'needs_response', 'submitted')), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='decided_dispute_says_when'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'submitted'), _negated=True), models.Q(('submitted_at__isnull', False), models.Q(('evidence_key', ''), _negated=True)), _connector='OR'), name='submitted_dispute_has_its_evidence'),
        ),
        migrations.AddIndex(
            model_name='deposit',
            index=models.Index(fields=['client', '-id'], name='deposits_by_client'),
        ),
        migrations.AddIndex(
            model_name='deposit',
            index=models.Index(fields=['brand', '-id'], name='deposits_by_brand'),
        ),
        migrations.AddIndex(
            model_name='deposit',
            index=models.Index(fields=['brand', 'state', '-id'], name='deposits_by_state'),
        ),
        migrations.AddIndex(
            model_name='deposit',
            index=models.Index(fields=['psp', '-id'], name='deposits_by_psp'),
        ),
        migrations.AddIndex(
            model_name='deposit',
            index=models.Index(condition=models.Q(('state', 'held')), fields=['held_at', 'id'], name='deposits_held'),
        ),
        migrations.AddIndex(
            model_name='deposit',
            index=models.Index(condition=models.Q(('settled_at__isnull', False)), fields=['client', 'settled_at'], name='deposits_settled'),
        ),
        migrations.AddIndex(
            model_name='deposit',
            index=models.Index(condition=models.Q(('fee_minor__gt', 0)), fields=['brand', 'settled_at'], name='deposits_with_fees'),
        ),
        migrations.AddIndex(
            model_name='deposit',
            index=models.Index(condition=models.Q(('next_look_up_at__isnull', False)), fields=['next_look_up_at'], name='deposits_to_look_up'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='deposit_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.UniqueConstraint(fields=('client', 'request_key'), name='one_deposit_per_request'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.UniqueConstraint(condition=models.Q(('is_first', True)), fields=('client',), name='one_first_deposit_per_client'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.UniqueConstraint(condition=models.Q(('psp_reference', ''), _negated=True), fields=('psp', 'psp_reference'), name='one_deposit_per_psp_payment'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('journal__isnull', False), ('settled_at__isnull', False), ('state__in', ('settled', 'refunded', 'charged_back', 'cb_reversed'))), models.Q(models.Q(('state__in', ('settled', 'refunded', 'charged_back', 'cb_reversed')), _negated=True), ('settled_at__isnull', True)), _connector='OR'), name='deposit_is_settled_when_it_has_a_journal_and_a_time'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(('is_first', False), ('settled_at__isnull', False), _connector='OR'), name='first_deposit_is_settled'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(('refunded_minor', 0), models.Q(('received_minor__gte', models.F('refunded_minor')), ('received_minor__isnull', False), ('refunded_minor__gt', 0)), _connector='OR'), name='deposit_never_gives_back_more_than_came'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(('settled_at__isnull', True), models.Q(('credited_minor__gt', 0), ('credited_minor__isnull', False), ('received_minor__gte', models.F('fee_minor')), ('received_minor__isnull', False)), _connector='OR'), name='settled_deposit_says_what_the_wallet_got'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(('charged_back_minor', 0), models.Q(('charged_back_minor__gt', 0), ('received_minor__gte', models.F('charged_back_minor')), ('received_minor__isnull', False)), _connector='OR'), name='no_more_is_charged_back_than_came'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(('fee_fixed_minor__gte', 0), ('fee_minor__gte', 0)), name='deposit_fee_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'held'), _negated=True), models.Q(('held_at__isnull', False), ('hold_reasons__len__gt', 0)), _connector='OR'), name='held_deposit_says_why_and_since_when'),
        ),
        migrations.AddIndex(
            model_name='bankorder',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['psp', 'currency', 'id'], name='bank_orders_to_send'),
        ),
        migrations.AddIndex(
            model_name='bankorder',
            index=models.Index(models.OrderBy(models.F('psp')), models.OrderBy(models.F('id'), descending=True), name='bank_orders_by_psp'),
        ),
        migrations.AddConstraint(
            model_name='bankorder',
            constraint=models.UniqueConstraint(fields=('psp', 'reference'), name='one_bank_order_per_reference'),
        ),
        migrations.AddConstraint(
            model_name='bankorder',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='bank_order_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='bankorder',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('batch__isnull', True), ('state', 'waiting')), ('state__in', ['settled', 'returned']), ('batch__isnull', False), _connector='OR'), name='bank_order_waits_or_is_in_a_file'),
        ),
        migrations.AddConstraint(
            model_name='bankfile',
            constraint=models.UniqueConstraint(fields=('psp', 'sha256'), name='a_bank_file_is_taken_in_once'),
        ),
        migrations.AddIndex(
            model_name='bankentry',
            index=models.Index(fields=['psp', '-id'], name='bank_entries_by_psp'),
        ),
        migrations.AddIndex(
            model_name='bankentry',
            index=models.Index(fields=['state', '-id'], name='bank_entries_by_state'),
        ),
        migrations.AddConstraint(
            model_name='bankentry',
            constraint=models.UniqueConstraint(fields=('psp', 'fingerprint'), name='a_bank_entry_is_booked_once'),
        ),
        migrations.AddConstraint(
            model_name='bankentry',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor', 0), _negated=True), name='bank_entry_moves_something'),
        ),
        migrations.AddConstraint(
            model_name='bankentry',
            constraint=models.CheckConstraint(condition=models.Q(('booked_on__gte', datetime.date(2000, 1, 1)), ('booked_on__lt', datetime.date(2100, 1, 1)), models.Q(('value_on__isnull', True), models.Q(('value_on__gte', datetime.date(2000, 1, 1)), ('value_on__lt', datetime.date(2100, 1, 1))), _connector='OR')), name='bank_entry_days_are_of_this_century'),
        ),
        migrations.AddConstraint(
            model_name='bankentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['matched', 'assigned']), _negated=True), ('deposit__isnull', False), _connector='OR'), name='matched_bank_entry_has_its_deposit'),
        ),
        migrations.AddConstraint(
            model_name='bankentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'assigned'), _negated=True), models.Q(('assigned_by__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='assigned_bank_entry_says_who_and_why'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankentry',
            trigger=pgtrigger.compiler.Trigger(name='bankentry_no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'bankentry never goes away: a match may point at it';", hash='1ea640eb1d9ff4ea286f487da6e0feacaedac100', level='STATEMENT', operation='DELETE', pgid='pgtrigger_bankentry_no_delete_11c81', table='wallet_bankentry', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='bankbatch',
            constraint=models.CheckConstraint(condition=models.Q(('orders_count__gt', 0), ('total_minor__gt', 0)), name='bank_batch_pays_something'),
        ),
        migrations.AddConstraint(
            model_name='bankbatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', True), ('sent_by__isnull', True)), models.Q(('sent_at__isnull', False), ('sent_by__isnull', False)), _connector='OR'), name='sent_bank_batch_says_who_and_when'),
        ),
        migrations.AddIndex(
            model_name='account',
            index=models.Index(fields=['is_bounded', 'id'], name='accounts_house_first'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.UniqueConstraint(fields=('brand', 'kind', 'currency', 'client', 'psp', 'subject'), name='one_account_per_owner_kind_and_currency', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.UniqueConstraint(fields=('id', 'currency'), name='account_id_with_its_currency'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('client__isnull', False), ('is_bounded', True), ('kind', 'client_wallet')), models.Q(('kind', 'client_wallet'), _negated=True), _connector='OR'), name='client_wallet_is_bounded_and_has_a_client'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('client__isnull', False), ('is_bounded', True), ('kind', 'bonus')), models.Q(('kind', 'bonus'), _negated=True), _connector='OR'), name='client_credit_is_bounded_and_has_a_client'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'psp_clearing'), ('psp__isnull', False)), models.Q(('kind', 'psp_clearing'), _negated=True), _connector='OR'), name='psp_clearing_has_a_psp'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'psp_reserve'), ('psp__isnull', False)), models.Q(('kind', 'psp_reserve'), _negated=True), _connector='OR'), name='psp_reserve_has_a_psp'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='account_keeps_what_it_is', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'an account never changes: open another one';", hash='77bed4dbd6a41f6524dae9bddfac19e51f8d9ebf', operation='UPDATE', pgid='pgtrigger_account_keeps_what_it_is_dfaa1', table='wallet_account', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='account_no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'an account never goes away';", hash='8cae3d5125e1c9dbcd28af698d11c977bda9471f', operation='DELETE', pgid='pgtrigger_account_no_delete_21005', table='wallet_account', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='account_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'an account never goes away';", hash='3d58909e66d8a6121ed284909b20daf420ad7186', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_account_no_truncate_b374b', table='wallet_account', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='bounded_account_gets_a_balance', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."is_bounded")', func='INSERT INTO wallet_balance (account_id) VALUES (NEW.id); RETURN NULL;', hash='875b7e7a448b4c92c6fff24f7157be4e97b38083', operation='INSERT', pgid='pgtrigger_bounded_account_gets_a_balance_ec1b6', table='wallet_account', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='pspaddresschange',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='psp_address_change_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='pspaddresschange',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='psp_address_change_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='pspaddresschange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='psp_address_change_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='pspaddresschange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='psp_address_change_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='pspaddresschange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='psp_address_change_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='pspaddresschange',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('psp',), name='one_address_change_of_a_psp_waits'),
        ),
        migrations.AddIndex(
            model_name='pspcall',
            index=models.Index(fields=['psp', '-id'], name='calls_by_psp'),
        ),
        migrations.AddIndex(
            model_name='pspcall',
            index=models.Index(condition=models.Q(('reference', ''), _negated=True), fields=['reference', 'id'], name='calls_by_reference'),
        ),
        migrations.AddConstraint(
            model_name='pspcost',
            constraint=models.UniqueConstraint(fields=('psp', 'type', 'currency', 'valid_from'), name='one_cost_term_per_kind_and_day'),
        ),
        migrations.AddConstraint(
            model_name='pspcost',
            constraint=models.CheckConstraint(condition=models.Q(('basis_points__gte', 0), ('fixed_minor__gte', 0), ('tolerance_minor__gte', 0)), name='cost_terms_are_not_negative'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pspcost',
            trigger=pgtrigger.compiler.Trigger(name='cost_terms_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'cost terms never change: write later ones';", hash='68f66bc814c24412498a636de03afb51025c8bda', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_cost_terms_never_change_f8cbd', table='wallet_pspcost', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pspcost',
            trigger=pgtrigger.compiler.Trigger(name='cost_terms_in_force_stay', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN (OLD.valid_from <= (now() AT TIME ZONE 'UTC')::date)", func="RAISE EXCEPTION 'cost terms whose day has come stay';", hash='e98e1b2769593fb2e387fb669b7bad3320a1a152', operation='DELETE', pgid='pgtrigger_cost_terms_in_force_stay_90e5d', table='wallet_pspcost', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='pspcostproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='cost_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='pspcostproposal',
            constraint=models.CheckConstraint(condition=models.Q(('basis_points__gte', 0), ('fixed_minor__gte', 0), ('tolerance_minor__gte', 0)), name='proposed_costs_are_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='pspcostproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False), ('state', 'approved')), _connector='OR'), name='terms_taken_back_say_who_and_when'),
        ),
        migrations.AddConstraint(
            model_name='pspcostproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='cost_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='pspcostproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='cost_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='pspcostproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='cost_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='pspcostproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='cost_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='pspcostproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('psp', 'type', 'currency', 'valid_from'), name='one_cost_proposal_per_kind_and_day_waits'),
        ),
        migrations.AddIndex(
            model_name='pspmovement',
            index=models.Index(fields=['psp', 'occurred_at'], name='psp_movements_by_time'),
        ),
        migrations.AddIndex(
            model_name='pspmovement',
            index=models.Index(fields=['psp', 'reference'], name='psp_movements_by_reference'),
        ),
        migrations.AddIndex(
            model_name='pspmovement',
            index=models.Index(condition=models.Q(('common_reference', ''), _negated=True), fields=['psp', 'common_reference'], name='psp_movements_by_common_ref'),
        ),
        migrations.AddConstraint(
            model_name='pspmovement',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor', 0), _negated=True), name='psp_movement_moves_something'),
        ),
        migrations.AddConstraint(
            model_name='pspmovement',
            constraint=models.UniqueConstraint(fields=('psp', 'psp_reference', 'kind'), name='each_psp_movement_is_booked_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pspmovement',
            trigger=pgtrigger.compiler.Trigger(name='pspmovement_no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pspmovement never goes away: a match may point at it';", hash='556ff420677dc13f599d1f84936028b2d92e0bd9', level='STATEMENT', operation='DELETE', pgid='pgtrigger_pspmovement_no_delete_3b1d8', table='wallet_pspmovement', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='breakposting',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='break_posting_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='breakposting',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('journal__isnull', False), ('state', 'approved')), models.Q(models.Q(('state', 'approved'), _negated=True), ('journal__isnull', True)), _connector='OR'), name='approved_break_posting_is_posted'),
        ),
        migrations.AddConstraint(
            model_name='breakposting',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount_minor', 0), _negated=True), models.Q(('books_currency', ''), _negated=True), _connector='OR'), name='break_posting_moves_something'),
        ),
        migrations.AddConstraint(
            model_name='breakposting',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('books_currency', ''), ('books_minor__isnull', True), ('converted_minor__isnull', True), ('rate__isnull', True), ('rate_on__isnull', True)), models.Q(models.Q(('books_currency', ''), _negated=True), models.Q(('books_currency', models.F('currency')), _negated=True), ('books_minor__isnull', False), ('converted_minor__isnull', False), ('rate__gt', 0), ('rate__isnull', False), ('rate_on__isnull', False)), _connector='OR'), name='posting_between_currencies_names_its_rate'),
        ),
        migrations.AddConstraint(
            model_name='breakposting',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('entry__isnull', False), ('way', 'own_bank')), models.Q(models.Q(('way', 'own_bank'), _negated=True), ('entry__isnull', True)), _connector='OR'), name='only_what_reached_our_bank_names_its_entry'),
        ),
        migrations.AddConstraint(
            model_name='breakposting',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='break_posting_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='breakposting',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='break_posting_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='breakposting',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='break_posting_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='breakposting',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='break_posting_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='breakposting',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('one',), name='one_posting_of_a_break_waits'),
        ),
        migrations.AddConstraint(
            model_name='breakposting',
            constraint=models.UniqueConstraint(condition=models.Q(('entry__isnull', False), ('state__in', ['pending', 'approved'])), fields=('entry',), name='a_bank_entry_is_one_payout_to_our_bank'),
        ),
        migrations.AddIndex(
            model_name='quote',
            index=models.Index(fields=['client', '-id'], name='quotes_by_client'),
        ),
        migrations.AddIndex(
            model_name='quote',
            index=models.Index(fields=['given_currency', 'got_currency', '-rate_on'], name='quotes_by_pair'),
        ),
        migrations.AddConstraint(
            model_name='quote',
            constraint=models.CheckConstraint(condition=models.Q(('given_minor__gt', 0), ('got_minor__gt', 0)), name='quote_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='quote',
            constraint=models.CheckConstraint(condition=models.Q(('given_currency', models.F('got_currency')), _negated=True), name='quote_is_of_two_currencies'),
        ),
        migrations.AddConstraint(
            model_name='quote',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='quote_lives_a_while'),
        ),
        migrations.AddConstraint(
            model_name='quote',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('purpose', 'exchange'), ('trading_account_id__isnull', True)), models.Q(models.Q(('purpose', 'exchange'), _negated=True), ('trading_account_id__isnull', False)), _connector='OR'), name='quote_of_a_transfer_names_its_account'),
        ),
        migrations.AddConstraint(
            model_name='quote',
            constraint=models.CheckConstraint(condition=models.Q(('markup_basis_points__gt', 0), models.Q(('given_currency', 'USD'), ('got_currency', 'USC')), models.Q(('given_currency', 'USC'), ('got_currency', 'USD')), models.Q(('given_currency', 'EUR'), ('got_currency', 'EUC')), models.Q(('given_currency', 'EUC'), ('got_currency', 'EUR')), models.Q(('given_currency', 'GBP'), ('got_currency', 'GBC')), models.Q(('given_currency', 'GBC'), ('got_currency', 'GBP')), _connector='OR'), name='quote_between_two_monies_has_a_markup'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='quote',
            trigger=pgtrigger.compiler.Trigger(name='quoted_rate_is_sound', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF NEW.rate_on NOT BETWEEN (NEW.created_at AT TIME ZONE 'UTC')::date - 14 AND (NEW.created_at AT TIME ZONE 'UTC')::date THEN\n  RAISE EXCEPTION 'quoted_rate_is_fresh: a rate of % can''t be promised on %', NEW.rate_on, NEW.created_at\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'quoted_rate_is_fresh';\nEND IF;\nIF EXISTS (\n  SELECT FROM wallet_quote WHERE rate_on > NEW.rate_on\n    AND (given_currency, got_currency) IN ((NEW.given_currency, NEW.got_currency), (NEW.got_currency, NEW.given_currency))\n) THEN\n  RAISE EXCEPTION 'quoted_rate_is_never_older: a rate of a later day than % was promised for % and %',\n    NEW.rate_on, NEW.given_currency, NEW.got_currency\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'quoted_rate_is_never_older';\nEND IF;\nRETURN NEW;\n", hash='3bec8e3b5d29bcf73120849bfe88a69112acdd24', operation='INSERT', pgid='pgtrigger_quoted_rate_is_sound_72d3a', table='wallet_quote', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='exchange',
            index=models.Index(fields=['client', '-id'], name='exchanges_by_client'),
        ),
        migrations.AddIndex(
            model_name='exchange',
            index=models.Index(fields=['brand', '-id'], name='exchanges_by_brand'),
        ),
        migrations.AddConstraint(
            model_name='exchange',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0), ('got_minor__gt', 0)), name='exchange_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='exchange',
            constraint=models.CheckConstraint(condition=models.Q(('wallet', models.F('target')), _negated=True), name='exchange_is_between_two_wallets'),
        ),
        migrations.AddConstraint(
            model_name='exchange',
            constraint=models.UniqueConstraint(fields=('client', 'request_key'), name='one_exchange_per_request'),
        ),
        migrations.AddConstraint(
            model_name='rateentry',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='rate_entry_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='rateentry',
            constraint=models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='entered_rate_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='rateentry',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='rate_entry_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='rateentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='rate_entry_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='rateentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='rate_entry_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='rateentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='rate_entry_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='rateentry',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('currency', 'on'), name='one_rate_of_a_currency_and_day_waits'),
        ),
        migrations.AddConstraint(
            model_name='settlementimport',
            constraint=models.UniqueConstraint(fields=('psp', 'sha256'), name='the_same_report_is_imported_once'),
        ),
        migrations.AddConstraint(
            model_name='settlementimport',
            constraint=models.CheckConstraint(condition=models.Q(('first_day__lte', models.F('last_day'))), name='report_period_is_in_order'),
        ),
        migrations.AddConstraint(
            model_name='settlementimport',
            constraint=models.CheckConstraint(condition=models.Q(('first_day__gte', datetime.date(2000, 1, 1)), ('last_day__lt', datetime.date(2100, 1, 1))), name='report_days_are_of_this_century'),
        ),
        migrations.AddConstraint(
            model_name='settlementimport',
            constraint=models.CheckConstraint(condition=models.Q(('covers__contained_by', ['payment', 'payout', 'refund', 'chargeback', 'chargeback_reversed'])), name='report_covers_kinds_of_movements'),
        ),
        migrations.AddConstraint(
            model_name='reporttoconfirm',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('psp', 'sha256'), name='a_report_waits_for_its_end_once'),
        ),
        migrations.AddConstraint(
            model_name='reporttoconfirm',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'waiting')), models.Q(models.Q(('state', 'waiting'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='decided_report_says_by_whom'),
        ),
        migrations.AddConstraint(
            model_name='reporttoconfirm',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('bank_file__isnull', True), ('is_statement', False), ('report__isnull', False), ('state', 'confirmed')), models.Q(('bank_file__isnull', False), ('is_statement', True), ('report__isnull', True), ('state', 'confirmed')), models.Q(models.Q(('state', 'confirmed'), _negated=True), ('bank_file__isnull', True), ('report__isnull', True)), _connector='OR'), name='confirmed_report_is_imported'),
        ),
        migrations.AddIndex(
            model_name='announcedreport',
            index=models.Index(fields=['psp', '-id'], name='announced_reports_by_psp'),
        ),
        migrations.AddIndex(
            model_name='announcedreport',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['due_at', 'id'], name='announced_reports_due'),
        ),
        migrations.AddConstraint(
            model_name='announcedreport',
            constraint=models.UniqueConstraint(fields=('psp', 'name'), name='a_report_is_announced_once'),
        ),
        migrations.AddConstraint(
            model_name='announcedreport',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('due_at__isnull', False), ('state', 'waiting')), models.Q(models.Q(('state', 'waiting'), _negated=True), ('due_at__isnull', True)), _connector='OR'), name='a_report_that_waits_is_due'),
        ),
        migrations.AddConstraint(
            model_name='announcedreport',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('report__isnull', False), ('state', 'imported')), models.Q(models.Q(('state', 'imported'), _negated=True), ('report__isnull', True)), _connector='OR'), name='an_imported_report_is_there'),
        ),
        migrations.AddConstraint(
            model_name='announcedreport',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('day__isnull', False), ('state__in', ('missing', 'came'))), models.Q(models.Q(('state__in', ('missing', 'came')), _negated=True), ('day__isnull', True)), _connector='OR'), name='a_missing_report_is_of_a_day'),
        ),
        migrations.AddIndex(
            model_name='settlementrow',
            index=models.Index(fields=['psp_reference'], name='settlement_rows_by_reference'),
        ),
        migrations.AddIndex(
            model_name='settlementrow',
            index=models.Index(condition=models.Q(('merchant_reference', ''), _negated=True), fields=['merchant_reference'], name='settlement_rows_by_our_ref'),
        ),
        migrations.AddIndex(
            model_name='settlementrow',
            index=models.Index(condition=models.Q(('type', 'merchant_payout')), fields=['report', 'line'], name='payout_rows_by_report'),
        ),
        migrations.AddIndex(
            model_name='settlementrow',
            index=models.Index(condition=models.Q(('type', 'reserve')), fields=['report', 'line'], name='reserve_rows_by_report'),
        ),
        migrations.AddConstraint(
            model_name='settlementrow',
            constraint=models.UniqueConstraint(fields=('report', 'line'), name='each_report_line_once'),
        ),
        migrations.AddConstraint(
            model_name='settlementrow',
            constraint=models.CheckConstraint(condition=models.Q(('net_minor', django.db.models.expressions.CombinedExpression(models.F('gross_minor'), '-', models.F('fee_minor')))), name='row_net_is_gross_less_fee'),
        ),
        migrations.AddConstraint(
            model_name='settlementrow',
            constraint=models.CheckConstraint(condition=models.Q(('rate__isnull', True), ('rate__gt', 0), _connector='OR'), name='row_rate_is_above_zero'),
        ),
        migrations.AddConstraint(
            model_name='settlementrow',
            constraint=models.CheckConstraint(condition=models.Q(('booked_at__gte', datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)), ('booked_at__lt', datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)), models.Q(('value_at__isnull', True), models.Q(('value_at__gte', datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)), ('value_at__lt', datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), _connector='OR')), name='row_times_are_of_this_century'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='settlementrow',
            trigger=pgtrigger.compiler.Trigger(name='settlementrow_no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'settlementrow never goes away: a match may point at it';", hash='509c08b4aa62a5206990258ab442f2e46c469d3c', level='STATEMENT', operation='DELETE', pgid='pgtrigger_settlementrow_no_delete_4de20', table='wallet_settlementrow', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='settlementrow',
            trigger=pgtrigger.compiler.Trigger(name='settlementrow_keeps_what_it_says', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'what a report says never changes';", hash='910007dbe67c8673cedde0a0fff9b8c2677caf95', level='STATEMENT', operation='UPDATE OF "report_id", "line", "type", "psp_reference", "merchant_reference", "original_reference", "client_reference", "entry_reference", "batch", "booked_at", "value_at", "currency", "gross_minor", "fee_minor", "net_minor", "paid_currency", "paid_minor", "rate"', pgid='pgtrigger_settlementrow_keeps_what_it_says_6da53', table='wallet_settlementrow', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='reserveitem',
            index=models.Index(fields=['psp', 'currency'], name='reserves_by_psp'),
        ),
        migrations.AddIndex(
            model_name='reserveitem',
            index=models.Index(fields=['-at', '-id'], name='reserves_in_time'),
        ),
        migrations.AddConstraint(
            model_name='reserveitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount_minor__lt', 0), ('due_on__isnull', False)), models.Q(('amount_minor__gte', 0), ('due_on__isnull', True)), _connector='OR'), name='what_is_held_back_has_a_due_day'),
        ),
        migrations.AddConstraint(
            model_name='notthesame',
            constraint=models.UniqueConstraint(fields=('row', 'movement', 'entry'), name='two_are_told_apart_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='notthesame',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('entry__isnull', True), ('movement__isnull', False)), models.Q(('entry__isnull', False), ('movement__isnull', True)), _connector='OR'), name='told_apart_from_one_thing'),
        ),
        migrations.AddIndex(
            model_name='match',
            index=models.Index(condition=models.Q(('group__isnull', False)), fields=['group'], name='match_lines_by_group'),
        ),
        migrations.AddConstraint(
            model_name='match',
            constraint=models.UniqueConstraint(condition=models.Q(('leg', 'psp'), ('row__isnull', False)), fields=('row',), name='a_row_is_consumed_once'),
        ),
        migrations.AddConstraint(
            model_name='match',
            constraint=models.UniqueConstraint(condition=models.Q(('leg', 'bank'), ('row__isnull', False)), fields=('row',), name='a_payout_row_reaches_one_entry'),
        ),
        migrations.AddConstraint(
            model_name='match',
            constraint=models.UniqueConstraint(condition=models.Q(('movement__isnull', False)), fields=('movement',), name='a_movement_is_consumed_once'),
        ),
        migrations.AddConstraint(
            model_name='match',
            constraint=models.UniqueConstraint(condition=models.Q(('entry__isnull', False)), fields=('entry',), name='a_bank_entry_is_consumed_once'),
        ),
        migrations.AddConstraint(
            model_name='match',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('entry__isnull', True), ('group__isnull', True), ('leg', 'psp'), ('movement__isnull', False), ('row__isnull', False)), models.Q(('entry__isnull', True), ('group__isnull', False), ('leg', 'psp'), ('movement__isnull', True), ('row__isnull', False)), models.Q(('entry__isnull', True), ('group__isnull', False), ('leg', 'psp'), ('movement__isnull', False), ('row__isnull', True)), models.Q(('entry__isnull', False), ('group__isnull', True), ('leg', 'bank'), ('movement__isnull', True), ('row__isnull', False)), models.Q(('entry__isnull', True), ('group__isnull', False), ('leg', 'bank'), ('movement__isnull', True), ('row__isnull', False)), models.Q(('entry__isnull', False), ('group__isnull', False), ('leg', 'bank'), ('movement__isnull', True), ('row__isnull', True)), _connector='OR'), name='match_has_both_sides_or_a_group'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='match',
            trigger=pgtrigger.compiler.Trigger(name='pairs_agree', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE wrong bigint; entries bigint; lines bigint; first_row bigint; last_row bigint; first_movement bigint; last_movement bigint;', func="\nSELECT min(row_id), max(row_id), min(movement_id), max(movement_id), count(entry_id), count(*)\n  INTO first_row, last_row, first_movement, last_movement, entries, lines FROM fresh;\n-- Of the new lines nothing is known but their number: left to itself the planner walks from many of them one by one.\nPERFORM set_config('enable_nestloop', CASE WHEN lines > 1000 THEN 'off' ELSE 'on' END, true);\nEXECUTE $sql$ SELECT count(*) FROM fresh f JOIN wallet_settlementrow r ON r.id = f.row_id AND r.id BETWEEN $1 AND $2\n  JOIN wallet_pspmovement m ON m.id = f.movement_id AND m.id BETWEEN $3 AND $4\n  WHERE m.kind <> r.type OR NOT CASE WHEN m.currency = r.currency THEN m.amount_minor = r.gross_minor\n    ELSE recon_rate_explains(r.gross_minor, r.currency, m.amount_minor, m.currency, r.rate) END\n$sql$ INTO wrong USING first_row, last_row, first_movement, last_movement;\nPERFORM set_config('enable_nestloop', 'on', true);\nIF wrong = 0 AND entries > 0 THEN\n  SELECT count(*) INTO wrong\n    FROM fresh f JOIN wallet_settlementrow r ON r.id = f.row_id JOIN wallet_bankentry e ON e.id = f.entry_id\n    WHERE e.currency <> r.currency OR e.amount_minor <> -r.gross_minor;\nEND IF;\nIF wrong > 0 THEN\n  RAISE EXCEPTION 'a match agrees in kind, currency and amount'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'match_agrees_in_currency_and_amount';\nEND IF;\nRETURN NULL;\n", hash='ab2adf36690f75fc23da953e539f421bd591d019', level='STATEMENT', operation='INSERT', pgid='pgtrigger_pairs_agree_cdd44', referencing='REFERENCING NEW TABLE AS fresh ', table='wallet_match', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='match',
            trigger=pgtrigger.compiler.Trigger(name='match_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'a match never changes: undo it and make another one';", hash='84e965605923b4c03608e82168c0c75f4d269ba2', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_match_never_changes_b7a81', table='wallet_match', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='match',
            trigger=pgtrigger.compiler.Trigger(name='lines_add_up', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM recon_check_group(g.id) FROM (SELECT DISTINCT group_id AS id FROM fresh WHERE group_id IS NOT NULL) g; RETURN NULL;', hash='4c0a0e11fab7913d75e578d3c0e16c616046b04d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_lines_add_up_ae0d4', referencing='REFERENCING NEW TABLE AS fresh ', table='wallet_match', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='match',
            trigger=pgtrigger.compiler.Trigger(name='lines_left_add_up', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM recon_check_group(g.id) FROM (SELECT DISTINCT group_id AS id FROM gone WHERE group_id IS NOT NULL) g; RETURN NULL;', hash='f1b1efd0d90322db1320578cc07811fa1e50978c', level='STATEMENT', operation='DELETE', pgid='pgtrigger_lines_left_add_up_7774b', referencing='REFERENCING OLD TABLE AS gone ', table='wallet_match', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='break',
            index=models.Index(fields=['state', 'id'], name='breaks_by_state'),
        ),
        migrations.AddIndex(
            model_name='break',
            index=models.Index(fields=['brand', 'state', '-id'], name='breaks_by_brand'),
        ),
        migrations.AddIndex(
            model_name='break',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['psp', 'kind'], name='breaks_open_by_psp'),
        ),
        migrations.AddConstraint(
            model_name='break',
            constraint=models.CheckConstraint(condition=models.Q(('row__isnull', False), ('movement__isnull', False), ('entry__isnull', False), models.Q(('subject', ''), _negated=True), _connector='OR'), name='break_points_at_something'),
        ),
        migrations.AddConstraint(
            model_name='break',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'open'), models.Q(('resolved_at__isnull', False), models.Q(models.Q(('resolution', ''), _negated=True), models.Q(('resolution_code', ''), _negated=True), _connector='OR')), _connector='OR'), name='resolved_break_says_how_and_when'),
        ),
        migrations.AddConstraint(
            model_name='break',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('leg', 'psp'), _negated=True), ('psp__isnull', False), _connector='OR'), name='break_of_a_psp_says_of_which'),
        ),
        migrations.AddConstraint(
            model_name='break',
            constraint=models.UniqueConstraint(condition=models.Q(('row__isnull', False), ('state', 'open'), models.Q(('kind', 'fee'), _negated=True)), fields=('row', 'leg'), name='an_open_row_has_one_break'),
        ),
        migrations.AddConstraint(
            model_name='break',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'fee'), ('state', 'open')), fields=('row',), name='one_open_fee_break_per_row'),
        ),
        migrations.AddConstraint(
            model_name='break',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', ('amount', 'currency', 'wrong_client', 'missing_there', 'timing')), ('state', 'open')), fields=('movement',), name='an_open_movement_has_one_break'),
        ),
        migrations.AddConstraint(
            model_name='break',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open'), models.Q(('subject', ''), _negated=True)), fields=('leg', 'subject'), name='an_open_subject_has_one_break'),
        ),
        migrations.AddConstraint(
            model_name='sourcerun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('psp__isnull', True), ('server__isnull', False), ('source', 'platform')), models.Q(models.Q(('source', 'platform'), _negated=True), ('psp__isnull', False), ('server__isnull', True)), _connector='OR'), name='source_run_names_its_source'),
        ),
        migrations.AddConstraint(
            model_name='sourcerun',
            constraint=models.UniqueConstraint(fields=('brand', 'source', 'psp', 'server', 'day'), name='one_run_per_source_and_day', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='sourcerun',
            constraint=models.CheckConstraint(condition=models.Q(('finished_at__gte', models.F('started_at'))), name='source_run_ends_after_it_began'),
        ),
        migrations.AddIndex(
            model_name='suggestion',
            index=models.Index(fields=['psp', 'state', '-id'], name='suggestions_by_psp'),
        ),
        migrations.AddConstraint(
            model_name='suggestion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('row', 'movement'), name='one_open_suggestion_per_pair'),
        ),
        migrations.AddConstraint(
            model_name='suggestion',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'void']), ('decided_by__isnull', False), _connector='OR'), name='decided_suggestion_says_by_whom'),
        ),
        migrations.AddConstraint(
            model_name='tablemapping',
            constraint=models.UniqueConstraint(fields=('psp', 'fingerprint'), name='one_mapping_per_account_and_shape'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(fields=['client', '-id'], name='transfers_by_client'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(fields=['brand', '-id'], name='transfers_by_brand'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('state__in', ['sending', 'unknown'])), fields=['id'], name='transfers_open'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='transfer_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.UniqueConstraint(fields=('client', 'request_key'), name='one_transfer_per_request'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('direction', 'to_trading'), _negated=True), ('reservation__isnull', False), _connector='OR'), name='transfer_to_trading_reserves_first'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'settled'), _negated=True), models.Q(('finished_at__isnull', False), ('journal__isnull', False)), _connector='OR'), name='settled_transfer_has_a_journal'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('quote__isnull', True), ('wallet_minor__isnull', True)), models.Q(('quote__isnull', False), ('wallet_minor__gt', 0), ('wallet_minor__isnull', False)), _connector='OR'), name='transfer_between_currencies_has_a_quote'),
        ),
        migrations.AddIndex(
            model_name='unverifiedrule',
            index=models.Index(fields=['brand', '-valid_from', '-id'], name='unverified_rules_by_day'),
        ),
        migrations.AddConstraint(
            model_name='unverifiedrule',
            constraint=models.CheckConstraint(condition=models.Q(('maximum_minor__gte', 0), models.Q(('source', ''), _negated=True)), name='unverified_rule_names_its_source'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unverifiedrule',
            trigger=pgtrigger.compiler.Trigger(name='unverifiedrule_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'unverifiedrule is append-only: write a new row instead';", hash='33dcb2bc5b2cca1536425ad485e8489c7a159c9e', operation='UPDATE OR DELETE', pgid='pgtrigger_unverifiedrule_no_change_0bdcf', table='wallet_unverifiedrule', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unverifiedrule',
            trigger=pgtrigger.compiler.Trigger(name='unverifiedrule_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'unverifiedrule is append-only: write a new row instead';", hash='9d62daa29905ff969801db8b653ffbd83aa53262', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_unverifiedrule_no_truncate_e91da', table='wallet_unverifiedrule', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='unverifiedterm',
            index=models.Index(condition=models.Q(('state', 'running')), fields=['ends_at', 'id'], name='terms_running'),
        ),
        migrations.AddConstraint(
            model_name='unverifiedterm',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('started_at'))), name='term_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='unverifiedterm',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='finished_term_says_when'),
        ),
        migrations.AddConstraint(
            model_name='waitingtable',
            constraint=models.UniqueConstraint(fields=('psp', 'sha256'), name='a_table_waits_once'),
        ),
        migrations.AddConstraint(
            model_name='webhookcount',
            constraint=models.UniqueConstraint(fields=('psp', 'day', 'verdict'), name='one_webhook_count_per_psp_day_and_verdict'),
        ),
        migrations.AddConstraint(
            model_name='webhookcount',
            constraint=models.CheckConstraint(condition=models.Q(('kept__gte', 0), ('kept__lte', models.F('received'))), name='only_what_came_is_kept'),
        ),
        migrations.AddIndex(
            model_name='webhookmessage',
            index=models.Index(fields=['psp', '-id'], name='webhooks_by_psp'),
        ),
        migrations.AddIndex(
            model_name='webhookmessage',
            index=models.Index(condition=models.Q(('reference', ''), _negated=True), fields=['reference', 'id'], name='webhooks_by_reference'),
        ),
        migrations.AddIndex(
            model_name='webhookmessage',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['due_at', 'id'], name='webhooks_due'),
        ),
        migrations.AddIndex(
            model_name='webhookmessage',
            index=models.Index(condition=models.Q(('verdict__in', ['accepted', 'duplicate']), _negated=True), fields=['psp', 'verdict', 'received_at'], name='webhooks_refused'),
        ),
        migrations.AddConstraint(
            model_name='webhookmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('verdict', 'accepted')), fields=('psp', 'event_id'), name='each_psp_event_is_accepted_once'),
        ),
        migrations.AddConstraint(
            model_name='webhookmessage',
            constraint=models.CheckConstraint(condition=models.Q(('verdict', 'accepted'), ('state', 'refused'), ('state', 'ignored'), _connector='OR'), name='only_an_accepted_webhook_is_acted_on'),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(fields=['client', '-id'], name='withdrawals_by_client'),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(fields=['brand', 'state', '-id'], name='withdrawals_by_state'),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(fields=['brand', '-id'], name='withdrawals_by_brand'),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(fields=['destination_hash'], name='withdrawals_by_destination'),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(condition=models.Q(('fee_minor__gt', 0)), fields=['brand', 'finished_at'], name='withdrawals_with_fees'),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(condition=models.Q(('claim_state', 'waiting')), fields=['claim_until'], name='refunds_to_be_claimed'),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(condition=models.Q(('next_look_up_at__isnull', False)), fields=['next_look_up_at'], name='withdrawals_to_look_up'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='withdrawal_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.UniqueConstraint(fields=('client', 'request_key', 'part'), name='one_withdrawal_per_request'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.UniqueConstraint(fields=('request_reference', 'part'), name='each_part_of_a_request_once'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('part__gte', 1), ('request_minor__gte', models.F('amount_minor')), models.Q(('request_reference', ''), _negated=True)), name='part_is_within_its_request'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('fee_minor', 0), ('source_deposit__isnull', False), ('way', 'refund')), models.Q(('source_deposit__isnull', True), ('way', 'payout')), _connector='OR'), name='refund_names_its_deposit_and_costs_nothing'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('fee_minor__gte', 0), ('fee_minor__lt', models.F('amount_minor'))), name='withdrawal_fee_is_below_the_amount'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('return_minor__gte', 0), ('return_minor__lte', models.F('amount_minor'))), name='return_to_source_is_within_the_part'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('claim_state', ''), ('claim_url', '')), models.Q(models.Q(('claim_url', ''), _negated=True), ('claim_until__isnull', False), ('way', 'refund')), _connector='OR'), name='claim_says_where_and_until_when'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('from_suspense', False), ('purpose', 'refund'), _connector='OR'), name='only_a_refund_leaves_suspense'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), ('requested_by__isnull', True), models.Q(('approved_by', models.F('requested_by')), _negated=True), _connector='OR'), name='approver_is_not_requester'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('reviewed_by__isnull', True), ('requested_by__isnull', True), models.Q(('reviewed_by', models.F('requested_by')), _negated=True), _connector='OR'), name='reviewer_is_not_requester'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('reviewed_by__isnull', True), ('approved_by__isnull', True), models.Q(('approved_by', models.F('reviewed_by')), _negated=True), _connector='OR'), name='approver_is_not_reviewer'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('needs_second', False), models.Q(('state__in', ['approved', 'sending', 'sent', 'unknown', 'settled', 'failed', 'came_back']), _negated=True), models.Q(('approved_by__isnull', False), ('reviewed_by__isnull', False)), _connector='OR'), name='withdrawal_above_the_limit_had_four_eyes'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['approved', 'sending', 'sent', 'unknown', 'settled', 'failed', 'came_back']), _negated=True), ('approved_by__isnull', False), models.Q(('approved_automatically', True), ('needs_second', False)), _connector='OR'), name='withdrawal_approved_has_approver'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['settled', 'rejected', 'cancelled', 'failed', 'came_back']), _negated=True), models.Q(('finished_at__isnull', False), ('journal__isnull', False)), _connector='OR'), name='finished_withdrawal_resolved_its_reservation'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reviewed_at__isnull', False), ('reviewed_by__isnull', False)), models.Q(('state', 'awaiting_second_approval'), _negated=True), _connector='OR'), name='second_approval_follows_a_first'),
        ),
        migrations.AddConstraint(
            model_name='payoutfinding',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='payout_finding_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='payoutfinding',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'came_back'), ('state', 'approved')), fields=('withdrawal',), name='a_payout_comes_back_once'),
        ),
        migrations.AddConstraint(
            model_name='payoutfinding',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='payout_finding_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='payoutfinding',
            constraint=models.CheckConstraint(condition=models.Q(('fee_returned_minor__gte', 0), models.Q(('kind', 'came_back'), models.Q(('fee_returned_minor', 0), ('restores_bonus', False)), _connector='OR')), name='only_what_came_back_returns_fee_or_bonus'),
        ),
        migrations.AddConstraint(
            model_name='payoutfinding',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'not_paid'), models.Q(('psp_reference', ''), _negated=True), _connector='OR'), name='moved_money_has_a_number'),
        ),
        migrations.AddConstraint(
            model_name='payoutfinding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), ('journal__isnull', False), _connector='OR'), name='approved_finding_is_booked'),
        ),
        migrations.AddConstraint(
            model_name='payoutfinding',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='payout_finding_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='payoutfinding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='payout_finding_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='payoutfinding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='payout_finding_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='payoutfinding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='payout_finding_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='payoutfinding',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('withdrawal',), name='one_payout_finding_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='withdrawalcheck',
            constraint=models.UniqueConstraint(fields=('withdrawal', 'name'), name='each_check_speaks_once'),
        ),
        migrations.CreateModel(
            name='WalletFacts',
            fields=[
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='%(app_label)s_facts', serialize=False, to='clients.client')),
                ('deposits_count', models.IntegerField(db_default=0)),
                ('last_deposit_at', models.DateTimeField(null=True)),
                ('last_withdrawal_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['deposits_count'], name='facts_by_deposits_count'), models.Index(fields=['last_deposit_at'], name='facts_by_last_deposit'), models.Index(fields=['last_withdrawal_at'], name='facts_by_last_withdrawal')],
            },
        ),
        migrations.CreateModel(
            name='OpeningPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('business_on', models.DateField(help_text='Day of the balances')),
                ('line_count', models.PositiveSmallIntegerField()),
                ('total_minor', models.BigIntegerField()),
                ('data_import', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.dataimport')),
            ],
            options={
                'ordering': ['data_import_id', 'number'],
            },
        ),
        migrations.CreateModel(
            name='OpeningLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('amount_minor', models.BigIntegerField()),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('data_import', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.dataimport')),
                ('part', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='wallet.openingpart')),
            ],
            options={
                'ordering': ['data_import_id', 'line'],
            },
        ),
        migrations.CreateModel(
            name='OpeningBalances',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('reference', models.CharField(max_length=40, unique=True)),
                ('line_count', models.PositiveIntegerField()),
                ('client_count', models.PositiveIntegerField()),
                ('digest', models.CharField(max_length=64)),
                ('posted_at', models.DateTimeField(help_text='When the last line was posted', null=True)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('data_import', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.dataimport')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['brand', '-id'], name='opening_balances_by_brand'), models.Index(condition=models.Q(('posted_at__isnull', True), ('state', 'approved')), fields=['decided_at'], name='opening_balances_to_post')],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='opening_balances_has_a_reason'), models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='opening_balances_is_decided_by_somebody_else'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='opening_balances_is_withdrawn_by_its_maker'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='opening_balances_is_rejected_with_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='opening_balances_is_decided_by_a_person'), models.CheckConstraint(condition=models.Q(('posted_at__isnull', True), ('state', 'approved'), _connector='OR'), name='only_approved_opening_balances_are_posted'), models.CheckConstraint(condition=models.Q(('client_count__gt', 0), ('line_count__gt', 0)), name='opening_balances_have_lines')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='openingbalances',
            trigger=pgtrigger.compiler.Trigger(name='opening_balances_keep_what_was_proposed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF (NEW.brand_id, NEW.data_import_id, NEW.reference, NEW.line_count, NEW.client_count, NEW.digest)\n  IS DISTINCT FROM (OLD.brand_id, OLD.data_import_id, OLD.reference, OLD.line_count, OLD.client_count, OLD.digest)\n  OR OLD.posted_at IS NOT NULL\nTHEN RAISE EXCEPTION 'opening balances never change once they are proposed'; END IF;\nRETURN NEW;\n", hash='6f016daa253d54622d7a82f2b09984a23d58d6c6', operation='UPDATE', pgid='pgtrigger_opening_balances_keep_what_was_proposed_da641', table='wallet_openingbalances', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='openingbalances',
            trigger=pgtrigger.compiler.Trigger(name='a_wallet_has_one_opening_balance', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" = \'approved\' AND OLD."state" = \'pending\')', func="\nPERFORM pg_advisory_xact_lock(hashtext('keelson.opening_balances'), NEW.brand_id::int);\nIF EXISTS (\n  SELECT 1 FROM wallet_openingline l\n  JOIN wallet_openingline other ON other.client_id = l.client_id AND other.currency = l.currency\n    AND other.data_import_id <> l.data_import_id\n  JOIN wallet_openingbalances o ON o.data_import_id = other.data_import_id AND o.state = 'approved'\n  WHERE l.data_import_id = NEW.data_import_id)\nTHEN\n  RAISE EXCEPTION '%: import %', 'a_wallet_has_one_opening_balance', NEW.data_import_id USING ERRCODE = 'check_violation', CONSTRAINT = 'a_wallet_has_one_opening_balance';\nEND IF;\nRETURN NEW;\n", hash='c2ddcd3bb7902373c54afe3f5754fef5275ddf96', operation='UPDATE', pgid='pgtrigger_a_wallet_has_one_opening_balance_a7fef', table='wallet_openingbalances', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='openingbalances',
            trigger=pgtrigger.compiler.Trigger(name='opening_balances_no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'opening balances are never deleted';", hash='aa30575053366717fa43290ec3ba1428ef8ec708', operation='DELETE', pgid='pgtrigger_opening_balances_no_delete_10a7d', table='wallet_openingbalances', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='openingpart',
            constraint=models.UniqueConstraint(fields=('data_import', 'number'), name='opening_parts_are_numbered'),
        ),
        migrations.AddConstraint(
            model_name='openingpart',
            constraint=models.CheckConstraint(condition=models.Q(('line_count__gt', 0), ('total_minor__gt', 0)), name='opening_part_has_lines'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='openingpart',
            trigger=pgtrigger.compiler.Trigger(name='openingpart_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'openingpart is append-only: write a new row instead';", hash='fa057668374a6fa9a30812b070210a11db667fc1', operation='UPDATE OR DELETE', pgid='pgtrigger_openingpart_no_change_e5337', table='wallet_openingpart', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='openingpart',
            trigger=pgtrigger.compiler.Trigger(name='openingpart_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'openingpart is append-only: write a new row instead';", hash='210c2ef6a0840b9e81a458531ede9c647be4145a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_openingpart_no_truncate_c206d', table='wallet_openingpart', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='openingpart',
            trigger=pgtrigger.compiler.Trigger(name='opening_part_is_frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (SELECT 1 FROM wallet_openingbalances o WHERE o.data_import_id = NEW.data_import_id) THEN\n  RAISE EXCEPTION 'the lines of proposed opening balances never change';\nEND IF;\nRETURN NEW;\n", hash='e33eee20cbe22cc65ee7503089e705d89c1c4825', operation='INSERT', pgid='pgtrigger_opening_part_is_frozen_7c34d', table='wallet_openingpart', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='openingline',
            constraint=models.UniqueConstraint(fields=('data_import', 'line'), name='each_opening_line_once'),
        ),
        migrations.AddConstraint(
            model_name='openingline',
            constraint=models.UniqueConstraint(fields=('client', 'currency', 'data_import'), name='one_opening_balance_per_wallet_and_file'),
        ),
        migrations.AddConstraint(
            model_name='openingline',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='opening_balance_is_above_zero'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='openingline',
            trigger=pgtrigger.compiler.Trigger(name='openingline_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'openingline is append-only: write a new row instead';", hash='4378a64e07152f38dc31a79dc943878b39bd5254', operation='UPDATE OR DELETE', pgid='pgtrigger_openingline_no_change_ef881', table='wallet_openingline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='openingline',
            trigger=pgtrigger.compiler.Trigger(name='openingline_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'openingline is append-only: write a new row instead';", hash='698df1b27f6751a5343913e8af4a66476a0e47a1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_openingline_no_truncate_72f02', table='wallet_openingline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='openingline',
            trigger=pgtrigger.compiler.Trigger(name='opening_line_is_frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (SELECT 1 FROM wallet_openingbalances o WHERE o.data_import_id = NEW.data_import_id) THEN\n  RAISE EXCEPTION 'the lines of proposed opening balances never change';\nEND IF;\nRETURN NEW;\n", hash='f3141b742cd5794d30418b9f2aa570b5242c3827', operation='INSERT', pgid='pgtrigger_opening_line_is_frozen_f01e6', table='wallet_openingline', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='deposit',
            name='card_country',
            field=models.CharField(blank=True, db_default='', help_text='ISO 3166-1, of the card’s issuer', max_length=2),
        ),
    ]

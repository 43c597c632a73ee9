
import crm.db.dated
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from decimal import Decimal
from django.conf import settings
from crm.db.migration_operations import sql_files
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('leads', '0001_initial'),
        ('wallet', '0001_initial'),
        ('crm', '0001_initial'),
        ('clients', '0001_initial'),
        ('clients', '0002_sql'),
        ('crm', '0002_sql'),
        ('wallet', '0002_sql'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Partner',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=24)),
                ('name', models.CharField(max_length=120)),
                ('currency', models.CharField(help_text='Currency in which commissions are paid out', max_length=5)),
                ('state', models.CharField(choices=[('pending', 'Pending approval'), ('active', 'Active'), ('blocked', 'Blocked'), ('closed', 'Closed')], default='pending', max_length=8)),
                ('joined_at', models.DateTimeField()),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='partners', to='crm.brand')),
                ('client', models.OneToOneField(blank=True, help_text="The partner's own client record, if they also trade", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='as_partner', to='clients.client')),
                ('manager', models.ForeignKey(blank=True, help_text='Responsible IB manager', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='managed_partners', to=settings.AUTH_USER_MODEL)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='partner', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('access_partner', 'May see this partner and the network below'), ('manage_partners', 'May create partners, move them in the tree and assign clients'), ('propose_plan', 'May write and propose commission plans'), ('approve_plan', 'May activate a plan somebody else proposed'), ('run_commissions', 'May recalculate commissions'), ('settle_commissions', 'May close a commission period and settle it')],
            },
        ),
        migrations.CreateModel(
            name='CommissionDispute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('deal_id', models.BigIntegerField(null=True)),
                ('accrual_id', models.BigIntegerField(help_text='The line it was opened on', null=True)),
                ('state', models.CharField(choices=[('open', 'In dispute'), ('resolved', 'Resolved')], default='open', max_length=8)),
                ('reason', models.CharField(max_length=300)),
                ('opened_at', models.DateTimeField()),
                ('answer', models.CharField(blank=True, max_length=300)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('adjustment_id', models.BigIntegerField(help_text='The line that adjusts the commission', null=True)),
                ('opened_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resolved_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('work', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.workitem')),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='commission_disputes', to='ib.partner')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CommissionRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('event', 'After a sync'), ('correction', 'After a corrected deal'), ('nightly', 'Nightly'), ('replay', 'Replay'), ('ranks', 'After ranks changed'), ('monthly', 'After the end of a month'), ('sales', 'After a challenge was sold'), ('clawback', 'Clawback'), ('restored', 'Restored'), ('adjusted', 'Adjustment after a dispute')], max_length=10)),
                ('from_at', models.DateTimeField(help_text="Start of the deals' closing time (inclusive)", null=True)),
                ('to_at', models.DateTimeField(help_text="End of the deals' closing time (exclusive)", null=True)),
                ('deals', models.PositiveIntegerField(default=0)),
                ('accrued', models.PositiveIntegerField(default=0)),
                ('excluded', models.PositiveIntegerField(default=0)),
                ('corrected', models.PositiveIntegerField(default=0)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='commission_runs', to='crm.brand')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CreditNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('series', models.PositiveSmallIntegerField(help_text='Year of issue')),
                ('number', models.PositiveIntegerField(help_text='1, 2, 3 … per brand and year, without gaps')),
                ('currency', models.CharField(max_length=5)),
                ('net', models.DecimalField(decimal_places=8, max_digits=20)),
                ('vat', models.DecimalField(decimal_places=8, max_digits=20)),
                ('total', models.DecimalField(decimal_places=8, max_digits=20)),
                ('vat_rate', models.DecimalField(decimal_places=2, default=0, help_text='Per cent, included', max_digits=5)),
                ('local_vat', models.DecimalField(decimal_places=8, help_text='In the currency and by the rate of its invoice', max_digits=20, null=True)),
                ('issued_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='ib.partner')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CreditNoteFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.BinaryField()),
                ('sha256', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField()),
                ('note', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='file', to='ib.creditnote')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='DisputeMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_partner', models.BooleanField()),
                ('text', models.CharField(max_length=1000)),
                ('at', models.DateTimeField()),
                ('author', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('dispute', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='ib.commissiondispute')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='HistoricalPartner',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('code', models.SlugField(max_length=24)),
                ('name', models.CharField(max_length=120)),
                ('currency', models.CharField(help_text='Currency in which commissions are paid out', max_length=5)),
                ('state', models.CharField(choices=[('pending', 'Pending approval'), ('active', 'Active'), ('blocked', 'Blocked'), ('closed', 'Closed')], default='pending', max_length=8)),
                ('joined_at', models.DateTimeField()),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(blank=True, db_constraint=False, help_text="The partner's own client record, if they also trade", null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clients.client')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('manager', models.ForeignKey(blank=True, db_constraint=False, help_text='Responsible IB manager', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical partner',
                'verbose_name_plural': 'historical partners',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='PartnerScreening',
            fields=[
                ('partner', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='screening', serialize=False, to='ib.partner')),
                ('name', models.CharField(help_text='As it was compared', max_length=120)),
                ('screened_at', models.DateTimeField()),
                ('matcher_version', models.CharField(max_length=20)),
                ('lists', models.JSONField(default=list)),
                ('matches', models.JSONField(default=list)),
            ],
            options={
                'ordering': ['partner_id'],
            },
        ),
        migrations.CreateModel(
            name='PartnerApplication',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('website', 'Website'), ('portal', 'Client portal'), ('invite', 'Invited by a partner')], max_length=8)),
                ('kind', models.CharField(choices=[('person', 'Individual'), ('company', 'Company')], max_length=8)),
                ('country', models.CharField(max_length=2)),
                ('website', models.URLField(blank=True)),
                ('channels', models.CharField(max_length=500)),
                ('clients_per_month', models.CharField(choices=[('few', 'Up to 5'), ('some', '6 to 20'), ('many', '21 to 100'), ('more', 'More than 100')], max_length=8)),
                ('licence', models.CharField(blank=True, max_length=120)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('submitted_at', models.DateTimeField()),
                ('partner', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='application', to='ib.partner')),
                ('wording', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.textwording')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='AgreementFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.BinaryField()),
                ('sha256', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField()),
                ('application', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='file', to='ib.partnerapplication')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PartnerLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('parent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links_down', to='ib.partner')),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links_up', to='ib.partner')),
            ],
            options={
                'ordering': ['partner_id', 'starts_at'],
            },
        ),
        migrations.CreateModel(
            name='PartnerSpell',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='spells', to='ib.partner')),
            ],
            options={
                'ordering': ['partner_id', 'starts_at'],
            },
        ),
        migrations.CreateModel(
            name='Payout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('request_key', models.CharField(help_text='Idempotency key from the form: prevents a double payout', max_length=80)),
                ('amount', models.DecimalField(decimal_places=8, max_digits=20)),
                ('currency', models.CharField(max_length=5)),
                ('paid_at', models.DateTimeField()),
                ('destination', models.CharField(default='wallet', help_text='wallet, account:<id> or bank:<PSP and method>', max_length=60)),
                ('reference', models.CharField(blank=True, help_text='Reference of the transfer or withdrawal that moved the money on from the wallet', max_length=20)),
                ('journal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='commission_payout', to='wallet.journal')),
                ('paid_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payouts', to='ib.partner')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PayoutInstruction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('destination', models.CharField(help_text='wallet, account:<id> or bank:<PSP and method>', max_length=60)),
                ('currency', models.CharField(blank=True, max_length=5)),
                ('sealed_details', models.BinaryField(help_text="Bank details, encrypted with the client's key", null=True)),
                ('label', models.CharField(blank=True, help_text='As people read it, masked', max_length=80)),
                ('chosen_at', models.DateTimeField()),
                ('chosen_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='payout_instructions', to='ib.partner')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PayoutRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('request_key', models.CharField(help_text='Idempotency key from the form, and of its payout', max_length=80)),
                ('amount', models.DecimalField(decimal_places=8, max_digits=20)),
                ('currency', models.CharField(max_length=5)),
                ('destination', models.CharField(help_text='wallet, account:<id> or bank:<PSP and method>', max_length=60)),
                ('sealed_details', models.BinaryField(help_text="Bank details, encrypted with the client's key", null=True)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='payout_requests', to='ib.partner')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='AutomaticPayout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=5)),
                ('due_at', models.DateTimeField()),
                ('amount', models.DecimalField(decimal_places=8, max_digits=20)),
                ('destination', models.CharField(max_length=60)),
                ('state', models.CharField(choices=[('paid', 'Paid'), ('waiting', 'Awaiting second approval'), ('refused', 'Refused'), ('closed', 'Closed')], max_length=8)),
                ('refusal', models.CharField(blank=True, help_text="Why it wasn't paid", max_length=300)),
                ('tries', models.PositiveSmallIntegerField(default=1)),
                ('tried_at', models.DateTimeField()),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='automatic_payouts', to='ib.partner')),
                ('payout', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='automatic', to='ib.payout')),
                ('request', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='automatic', to='ib.payoutrequest')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Plan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('entry_lots', models.DecimalField(decimal_places=2, help_text='In the last 30 days', max_digits=12, null=True)),
                ('entry_clients', models.PositiveIntegerField(help_text='Clients who traded in the last 30 days', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='commission_plans', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'name'],
            },
        ),
        migrations.CreateModel(
            name='PartnerRank',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tier', models.PositiveSmallIntegerField(help_text='0: none')),
                ('lots', models.DecimalField(decimal_places=8, max_digits=18)),
                ('missed', models.PositiveSmallIntegerField(default=0)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ranks', to='ib.partner')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ranks', to='ib.plan')),
            ],
            options={
                'ordering': ['partner_id', 'starts_at'],
            },
        ),
        migrations.CreateModel(
            name='PartnerApproval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('percent', models.DecimalField(decimal_places=2, default=100, max_digits=5)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approvals', to='ib.partner')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.plan')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PlanVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('pending', 'Awaiting second approval'), ('active', 'Active'), ('rejected', 'Rejected')], default='draft', max_length=8)),
                ('starts_at', models.DateTimeField(help_text='Applies to trades closed from this time on')),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('currency', models.CharField(help_text='Rate currency', max_length=5)),
                ('min_hold_seconds', models.PositiveIntegerField(default=180, help_text='No commission on shorter trades')),
                ('account_groups', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, help_text='Eligible platform groups, e.g. real\\standard*. Leave empty for all', size=None)),
                ('is_pool', models.BooleanField(default=True, help_text="The rate of a symbol group is shared: all levels together can't exceed it")),
                ('clawback_days', models.PositiveSmallIntegerField(default=90, help_text='Days of commissions clawed back after a reversed deposit; 0 for none')),
                ('network', models.CharField(choices=[('introducer', "By the plan of the client's own partner"), ('own', 'By this plan, at the level they hold above the client'), ('difference', 'By this plan, less what the partners below earn')], default='introducer', help_text='Pay for clients of sub-partners', max_length=10)),
                ('min_pips', models.DecimalField(decimal_places=1, default=0, help_text='No commission where the price moved less', max_digits=8)),
                ('excluded_symbols', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), blank=True, default=list, help_text='No commission on these, e.g. BTC*', size=None)),
                ('excluded_countries', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), blank=True, default=list, help_text='No commission on clients from these', size=None)),
                ('excluded_accounts', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, help_text='No commission on these platform groups', size=None)),
                ('excluded_shared', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('device', 'Same device'), ('ip_prefix', 'Same network')], max_length=10), blank=True, default=list, help_text='No commission on clients with whom the partner shares these', size=None)),
                ('excluded_trades', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('hedged', 'Hedged by the same client'), ('mirrored', 'Hedged by another client of the same partner'), ('bonus_funded', 'Opened mostly with bonus credit')], max_length=20), blank=True, default=list, help_text='No commission on trades that are one of these', size=None)),
                ('cap_day', models.DecimalField(blank=True, decimal_places=8, max_digits=16, null=True)),
                ('cap_month', models.DecimalField(blank=True, decimal_places=8, max_digits=16, null=True)),
                ('cap_revenue', models.DecimalField(blank=True, decimal_places=2, help_text='Per cent', max_digits=5, null=True)),
                ('is_capped_together', models.BooleanField(default=False)),
                ('cap_upline', models.DecimalField(blank=True, decimal_places=2, help_text='Per cent', max_digits=5, null=True)),
                ('markup_pips', models.DecimalField(decimal_places=3, default=0, max_digits=8)),
                ('passed_percent', models.DecimalField(decimal_places=2, default=0, help_text='Part of the rebates of level 1 that goes to the client', max_digits=5)),
                ('passed_per_lot', models.DecimalField(decimal_places=8, default=0, help_text="Money per lot of level 1's rebate per lot that goes to the client, in place of a percentage", max_digits=16)),
                ('tier_basis', models.CharField(choices=[('own', "Trades of the partner's own clients"), ('network', "Trades of all clients in the partner's network")], default='own', max_length=8)),
                ('tier_months', models.PositiveSmallIntegerField(default=1, help_text='Full months whose volume counts')),
                ('tier_grace', models.PositiveSmallIntegerField(default=0, help_text='Months below a rank before it is lost')),
                ('note', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision_reason', models.CharField(blank=True, max_length=300)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='ib.plan')),
            ],
            options={
                'ordering': ['plan_id', '-number'],
            },
        ),
        migrations.CreateModel(
            name='PlanTier',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1)])),
                ('name', models.CharField(max_length=40)),
                ('lots', models.DecimalField(decimal_places=2, max_digits=12)),
                ('factor', models.DecimalField(decimal_places=4, max_digits=7)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tiers', to='ib.planversion')),
            ],
            options={
                'ordering': ['version_id', 'number'],
            },
        ),
        migrations.CreateModel(
            name='PlanRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.CharField(choices=[('fx_majors', 'FX majors'), ('fx_minors', 'FX minors'), ('fx_exotics', 'FX exotics'), ('metals', 'Metals'), ('indices', 'Indices'), ('energies', 'Energies'), ('crypto', 'Crypto'), ('shares', 'Shares'), ('other', 'Other')], max_length=12)),
                ('amount_per_lot', models.DecimalField(decimal_places=8, max_digits=16, validators=[django.core.validators.MinValueValidator(0)])),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rates', to='ib.planversion')),
            ],
            options={
                'ordering': ['version_id', 'group'],
            },
        ),
        migrations.CreateModel(
            name='PlanOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.CharField(choices=[('fx_majors', 'FX majors'), ('fx_minors', 'FX minors'), ('fx_exotics', 'FX exotics'), ('metals', 'Metals'), ('indices', 'Indices'), ('energies', 'Energies'), ('crypto', 'Crypto'), ('shares', 'Shares'), ('other', 'Other')], max_length=12)),
                ('level', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1)])),
                ('amount_per_lot', models.DecimalField(decimal_places=8, max_digits=16, validators=[django.core.validators.MinValueValidator(0)])),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='ib.planversion')),
            ],
            options={
                'ordering': ['version_id', 'group', 'level'],
            },
        ),
        migrations.CreateModel(
            name='PlanLevel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1)])),
                ('share', models.DecimalField(decimal_places=8, max_digits=9, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(Decimal('1'))])),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='levels', to='ib.planversion')),
            ],
            options={
                'ordering': ['version_id', 'level'],
            },
        ),
        migrations.CreateModel(
            name='PlanCpa',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('countries', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), blank=True, default=list, help_text='Empty: all others', size=None)),
                ('amount', models.DecimalField(decimal_places=8, max_digits=16, validators=[django.core.validators.MinValueValidator(0)])),
                ('min_deposit', models.DecimalField(decimal_places=2, default=0, max_digits=16)),
                ('min_lots', models.DecimalField(decimal_places=2, default=0, max_digits=12)),
                ('within_days', models.PositiveSmallIntegerField(default=90)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cpa', to='ib.planversion')),
            ],
            options={
                'ordering': ['version_id', 'id'],
            },
        ),
        migrations.CreateModel(
            name='PlanComponent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('component', models.CharField(choices=[('lot', 'Rebate per lot'), ('pip', 'Rebate in pips'), ('point', 'Rebate in points'), ('spread', 'Share of the spread mark-up'), ('commission', "Share of the platform's commission"), ('loss', "Share of the client's net loss"), ('revenue', 'Share of net revenue'), ('net_result', 'Share of net revenue with client losses'), ('pot', 'Part of a monthly pot, by lots'), ('sale', 'CPA per challenge sold'), ('sale_share', 'Share of a challenge’s fee')], max_length=10)),
                ('group', models.CharField(blank=True, choices=[('fx_majors', 'FX majors'), ('fx_minors', 'FX minors'), ('fx_exotics', 'FX exotics'), ('metals', 'Metals'), ('indices', 'Indices'), ('energies', 'Energies'), ('crypto', 'Crypto'), ('shares', 'Shares'), ('other', 'Other')], help_text='Empty for all', max_length=12)),
                ('accounts', models.CharField(blank=True, help_text='Platform group, e.g. real\\raw*. Empty for all', max_length=64)),
                ('value', models.DecimalField(decimal_places=8, max_digits=16, validators=[django.core.validators.MinValueValidator(0)])),
                ('cap', models.DecimalField(blank=True, decimal_places=8, max_digits=16, null=True)),
                ('markup', models.DecimalField(blank=True, decimal_places=3, help_text='Mark-up on the spread, in pips', max_digits=8, null=True)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='components', to='ib.planversion')),
            ],
            options={
                'ordering': ['version_id', 'component', 'group', 'accounts'],
            },
        ),
        migrations.CreateModel(
            name='CappedDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('zone', models.CharField(help_text="The brand's time zone, whose days these are", max_length=40)),
                ('amount', models.DecimalField(decimal_places=8, help_text="Earned, less what goes beyond the day's cap", max_digits=20)),
                ('low', models.DecimalField(decimal_places=8, help_text='The least that the sum was in between, 0 at most', max_digits=20)),
                ('high', models.DecimalField(decimal_places=8, help_text='The most that the sum was in between', max_digits=20)),
                ('revenue', models.DecimalField(decimal_places=8, help_text='What the broker earned on the trades', max_digits=20)),
                ('partner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.partner')),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.planversion')),
            ],
            options={
                'ordering': ['partner_id', 'version_id', 'day'],
            },
        ),
        migrations.CreateModel(
            name='ReferralLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=24, unique=True)),
                ('campaign', models.CharField(blank=True, max_length=80)),
                ('landing', models.CharField(blank=True, help_text="Path on this site. Leave empty for the brand's registration page", max_length=200)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='referral_links', to='ib.partner')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ReferralDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('sub_id', models.CharField(blank=True, help_text="The partner's own name for where the link was placed", max_length=60)),
                ('country', models.CharField(blank=True, max_length=2)),
                ('utm_source', models.CharField(blank=True, db_default='', max_length=60)),
                ('utm_medium', models.CharField(blank=True, db_default='', max_length=60)),
                ('utm_campaign', models.CharField(blank=True, db_default='', max_length=60)),
                ('clicks', models.PositiveIntegerField(default=0)),
                ('registrations', models.PositiveIntegerField(default=0)),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='days', to='ib.referrallink')),
            ],
            options={
                'ordering': ['-day'],
            },
        ),
        migrations.CreateModel(
            name='RatioProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account_groups', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                ('link_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None)),
                ('platforms', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('mt5', 'MetaTrader 5'), ('mt4', 'MetaTrader 4'), ('ctrader', 'cTrader'), ('matchtrader', 'Match-Trader'), ('sirix', 'Sirix')], max_length=12), blank=True, default=list, size=None)),
                ('priority', models.PositiveSmallIntegerField(default=100)),
                ('client_names', models.CharField(blank=True, choices=[('full', 'Full name'), ('short', 'First name and initial'), ('number', 'Client number only')], db_default='', default='', max_length=8)),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('percent', models.DecimalField(decimal_places=2, max_digits=5)),
                ('client', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.partner')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.plan')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('link', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.referrallink')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PartnerPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account_groups', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                ('link_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None)),
                ('platforms', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('mt5', 'MetaTrader 5'), ('mt4', 'MetaTrader 4'), ('ctrader', 'cTrader'), ('matchtrader', 'Match-Trader'), ('sirix', 'Sirix')], max_length=12), blank=True, default=list, size=None)),
                ('priority', models.PositiveSmallIntegerField(default=100)),
                ('client_names', models.CharField(blank=True, choices=[('full', 'Full name'), ('short', 'First name and initial'), ('number', 'Client number only')], db_default='', default='', max_length=8)),
                ('percent', models.DecimalField(decimal_places=2, default=100, help_text="Personal ratio: what it pays of the plan's rates", max_digits=5)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('client', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='partner_plans', to='clients.client')),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='plans', to='ib.partner')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='partners', to='ib.plan')),
                ('link', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='plans', to='ib.referrallink')),
            ],
            options={
                'ordering': ['partner_id', 'starts_at'],
            },
        ),
        migrations.CreateModel(
            name='Attribution',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('method', models.CharField(choices=[('link', 'Referral link'), ('manual', 'Assigned by staff'), ('import', 'Imported')], max_length=8)),
                ('sub_id', models.CharField(blank=True, help_text="The partner's own name for where the link was placed", max_length=60)),
                ('click_id', models.CharField(blank=True, help_text="The click in the partner's own system", max_length=200)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='clients.client')),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='ib.partner')),
                ('link', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='ib.referrallink')),
            ],
            options={
                'ordering': ['-starts_at'],
            },
        ),
        migrations.CreateModel(
            name='ReferralVerdict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('kind', models.CharField(choices=[('fraud', "Take the client's commissions back"), ('lifted', "Restore the client's commissions")], max_length=8)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Replay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('from_at', models.DateTimeField(help_text="Start of the deals' closing time (inclusive)")),
                ('to_at', models.DateTimeField(help_text="End of the deals' closing time (exclusive)")),
                ('reason', models.CharField(max_length=200)),
                ('state', models.CharField(choices=[('running', 'Running'), ('ready', 'Differences found'), ('same', 'No differences'), ('applied', 'Applied'), ('discarded', 'Discarded'), ('failed', 'Failed')], default='running', max_length=10)),
                ('asked_at', models.DateTimeField()),
                ('starts', models.PositiveSmallIntegerField(default=1, help_text='Number of jobs started for it')),
                ('reached_at', models.DateTimeField()),
                ('moved_at', models.DateTimeField(help_text='When a piece of it was last finished')),
                ('deal_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('lines_count', models.PositiveIntegerField(default=0)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('ended_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='replays', to='crm.brand')),
                ('client', models.ForeignKey(help_text='Only deals of this client', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('ended_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('job', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='crm.job')),
                ('partner', models.ForeignKey(help_text="Only deals of this partner's network", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.partner')),
                ('run', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replay', to='ib.commissionrun')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ReplayLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('deal_id', models.BigIntegerField()),
                ('ticket', models.BigIntegerField(help_text='Deal number on the platform')),
                ('closed_at', models.DateTimeField()),
                ('level', models.PositiveSmallIntegerField()),
                ('component', models.CharField(choices=[('lot', 'Rebate per lot'), ('pip', 'Rebate in pips'), ('point', 'Rebate in points'), ('spread', 'Share of the spread mark-up'), ('commission', "Share of the platform's commission"), ('loss', "Share of the client's net loss"), ('cpa', 'CPA per qualified client'), ('revenue', 'Share of net revenue'), ('net_result', 'Share of net revenue with client losses'), ('pot', 'Part of a monthly pot, by lots'), ('sale', 'CPA per challenge sold'), ('sale_share', 'Share of a challenge’s fee')], max_length=10)),
                ('symbol', models.CharField(max_length=32)),
                ('currency', models.CharField(max_length=5)),
                ('before', models.DecimalField(decimal_places=8, max_digits=20)),
                ('after', models.DecimalField(decimal_places=8, max_digits=20)),
                ('difference', models.DecimalField(decimal_places=8, max_digits=20)),
                ('cause', models.CharField(choices=[('deal_late', 'Deal not calculated before'), ('deal_deleted', 'Deal deleted on the platform'), ('deal_edited', 'Deal changed on the platform'), ('opening', 'Opening of the position became known or changed'), ('introducer', 'Client referred by another partner'), ('tree', 'Partner moved in the network'), ('status', "Partner's status changed"), ('agreement', 'Another agreement'), ('version', 'Another plan version'), ('rate', "Plan's rate"), ('mapping', 'Symbol mapping corrected'), ('account', 'Account group corrected'), ('rank', "Partner's rank changed"), ('fx', 'Exchange rate of the day'), ('country', "Client's country changed"), ('exclusion', 'Excluded, or no longer excluded'), ('cpa', 'Client qualified with another trade'), ('revenue', 'Net revenue of the month'), ('pot', "Lots that share the month's pot"), ('sale', 'Challenge sold, or its fee returned'), ('below', 'Commission of partners below'), ('currency', "Partner's payout currency changed"), ('cap', 'Cap of the day or month'), ('clawed_back', 'Already clawed back'), ('rounding', 'Rounding'), ('unexplained', 'Not explained')], max_length=12)),
                ('reason_before', models.CharField(blank=True, help_text='Why nothing was paid; none: no line yet', max_length=20)),
                ('reason_after', models.CharField(blank=True, max_length=20)),
                ('is_settled', models.BooleanField(help_text="The deal's own period is settled: the difference goes into the open one")),
                ('client', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('partner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.partner')),
                ('replay', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='ib.replay')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ReplayProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('replay', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='ib.replay')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ReversedPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(blank=True, help_text='Reference of the dispute or refund', max_length=200)),
                ('source', models.CharField(help_text='Reference used in the accruals', max_length=40, unique=True)),
                ('since', models.DateTimeField(help_text='When the deposit arrived; later trades are funded by it')),
                ('amount', models.DecimalField(decimal_places=8, help_text='Full amount of the deposit', max_digits=28)),
                ('currency', models.CharField(max_length=5)),
                ('base', models.DecimalField(decimal_places=8, max_digits=28)),
                ('paid_in', models.DecimalField(decimal_places=8, max_digits=28)),
                ('taken', models.DecimalField(decimal_places=8, max_digits=28, null=True)),
                ('taken_at', models.DateTimeField(null=True)),
                ('restored', models.DecimalField(decimal_places=8, max_digits=28, null=True)),
                ('restored_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('deposit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.deposit')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='SelfBillingInvoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('series', models.PositiveSmallIntegerField(help_text='Year of issue')),
                ('number', models.PositiveIntegerField(help_text='1, 2, 3 … per brand and year, without gaps')),
                ('currency', models.CharField(max_length=5)),
                ('net', models.DecimalField(decimal_places=8, max_digits=20)),
                ('vat', models.DecimalField(decimal_places=8, max_digits=20)),
                ('total', models.DecimalField(decimal_places=8, max_digits=20)),
                ('vat_treatment', models.CharField(choices=[('none', 'No invoices'), ('exempt', 'Exempt from VAT'), ('reverse', 'Reverse charge'), ('standard', 'VAT included')], max_length=8)),
                ('vat_rate', models.DecimalField(decimal_places=2, default=0, help_text='Per cent, included', max_digits=5)),
                ('supplier_name', models.CharField(max_length=160)),
                ('supplier_address', models.CharField(max_length=300)),
                ('supplier_vat_id', models.CharField(blank=True, max_length=20)),
                ('recipient_name', models.CharField(max_length=160)),
                ('recipient_address', models.CharField(blank=True, max_length=300)),
                ('recipient_tax_number', models.CharField(blank=True, max_length=40)),
                ('local_currency', models.CharField(blank=True, help_text="The brand's, where the invoice is in another one", max_length=5)),
                ('local_rate', models.DecimalField(decimal_places=10, help_text='ECB reference rate', max_digits=20, null=True)),
                ('local_on', models.DateField(help_text='Day of the rate', null=True)),
                ('local_vat', models.DecimalField(decimal_places=8, max_digits=20, null=True)),
                ('issued_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='ib.partner')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='InvoiceFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.BinaryField()),
                ('sha256', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField()),
                ('invoice', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='file', to='ib.selfbillinginvoice')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='creditnote',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='ib.selfbillinginvoice'),
        ),
        migrations.CreateModel(
            name='Settlement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=5)),
                ('cycle', models.CharField(choices=[('instant', 'Continuously'), ('daily', 'Daily'), ('weekly', 'Weekly'), ('monthly', 'Monthly')], default='monthly', max_length=8)),
                ('name', models.CharField(help_text="The cycle in the brand's time zone, e.g. 2026-11 or 2026-W47", max_length=24)),
                ('cut_at', models.DateTimeField(help_text='End of the cycle')),
                ('to_id', models.BigIntegerField(help_text='Last accrual that was there')),
                ('to_at', models.DateTimeField(help_text='Trades closed before this, the hold deducted')),
                ('trades', models.PositiveIntegerField(help_text='Paid accrual rows')),
                ('lots', models.DecimalField(decimal_places=8, max_digits=18)),
                ('accrued', models.DecimalField(decimal_places=8, max_digits=20)),
                ('carried_in', models.DecimalField(decimal_places=8, max_digits=20)),
                ('amount', models.DecimalField(decimal_places=8, max_digits=20)),
                ('carried_out', models.DecimalField(decimal_places=8, max_digits=20)),
                ('written_off', models.DecimalField(decimal_places=8, default=0, max_digits=20)),
                ('state', models.CharField(choices=[('paid', 'Credited'), ('carried', 'Carried forward'), ('small', 'Below the minimum')], max_length=8)),
                ('settled_at', models.DateTimeField()),
                ('journal', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='commission_settlement', to='wallet.journal')),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='settlements', to='ib.partner')),
                ('previous', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='next', to='ib.settlement')),
                ('settled_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='selfbillinginvoice',
            name='settlement',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='invoice', to='ib.settlement'),
        ),
        migrations.CreateModel(
            name='InvoiceCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=8, max_digits=20)),
                ('invoice', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='ib.selfbillinginvoice')),
                ('settlement', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.settlement')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='HeldLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('accrual_id', models.BigIntegerField(unique=True)),
                ('deal_id', models.BigIntegerField()),
                ('currency', models.CharField(max_length=5)),
                ('amount', models.DecimalField(decimal_places=8, max_digits=20)),
                ('lots', models.DecimalField(decimal_places=8, max_digits=18)),
                ('trades', models.PositiveSmallIntegerField()),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.partner')),
                ('passed', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='held_lines', to='ib.settlement')),
                ('taken', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='taken_lines', to='ib.settlement')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AddField(
            model_name='creditnote',
            name='settlement',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='ib.settlement'),
        ),
        migrations.CreateModel(
            name='ClientRebate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=5)),
                ('trades', models.PositiveIntegerField()),
                ('accrued', models.DecimalField(decimal_places=8, max_digits=20)),
                ('carried_in', models.DecimalField(decimal_places=8, max_digits=20)),
                ('amount', models.DecimalField(decimal_places=8, max_digits=20)),
                ('carried_out', models.DecimalField(decimal_places=8, max_digits=20)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('journal', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='client_rebate', to='wallet.journal')),
                ('previous', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='next', to='ib.clientrebate')),
                ('settlement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='client_rebates', to='ib.settlement')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SettlementPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text="The month in the brand's time zone, e.g. 2026-11", max_length=24)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('closed', 'Settled')], default='open', max_length=8)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='commission_periods', to='crm.brand')),
                ('closed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-starts_at'],
            },
        ),
        migrations.AddField(
            model_name='settlement',
            name='period',
            field=models.ForeignKey(help_text='Accounting period in which it was cut', on_delete=django.db.models.deletion.PROTECT, related_name='settlements', to='ib.settlementperiod'),
        ),
        migrations.CreateModel(
            name='PartnerDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('currency', models.CharField(max_length=5)),
                ('amount', models.DecimalField(decimal_places=8, default=0, max_digits=20)),
                ('lots', models.DecimalField(decimal_places=8, default=0, max_digits=18)),
                ('trades', models.PositiveIntegerField(default=0, help_text='Paid rows')),
                ('unpaid', models.IntegerField(default=0, help_text='Unpaid rows; a correction may bring fewer')),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='days', to='ib.partner')),
                ('period', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='days', to='ib.settlementperiod')),
            ],
            options={
                'ordering': ['partner_id', 'day'],
            },
        ),
        migrations.CreateModel(
            name='Accrual',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('original', 'First calculation'), ('delta', 'Correction'), ('clawback', 'Clawback'), ('restored', 'Restored'), ('capped', 'Cap'), ('adjusted', 'Adjustment'), ('passed', 'Passed on')], max_length=8)),
                ('state', models.CharField(choices=[('accrued', 'Earned'), ('excluded', 'Not paid'), ('reversed', 'Clawed back'), ('capped', 'Capped'), ('passed', 'Passed on')], max_length=8)),
                ('reason', models.CharField(blank=True, choices=[('', 'Paid by the plan'), ('held_too_short', "Closed before the plan's minimum holding time"), ('hold_unknown', "The opening of the position isn't known yet"), ('symbol_not_mapped', "The symbol isn't assigned to a symbol group"), ('no_rate', 'The plan has no rate for this symbol group'), ('account_group', "The account's group isn't covered by the plan"), ('self_trade', 'Partners earn no commission on their own trading'), ('partner_not_active', "The partner wasn't active when the position was closed"), ('no_plan', "The client's partner had no plan when the position was closed"), ('beyond_levels', 'The plan pays no commission at this level'), ('no_fx', 'No exchange rate for the day of the trade'), ('no_difference', 'A partner below earns as much or more per trade'), ('too_few_pips', "The price moved less than the plan's minimum"), ('symbol_excluded', 'The plan pays no commission on this symbol'), ('country_excluded', 'The plan pays no commission on clients from this country'), ('shared_device', 'The partner and the client had signed in with the same device or network'), ('hedged', 'The client held an opposite position on the symbol at the same time'), ('mirrored', 'Another client of the partner opened an opposite position on the symbol at the same time'), ('bonus_funded', 'More bonus credit than balance when the position was opened'), ('nothing_charged', 'The platform charged the client no commission'), ('no_revenue', 'The broker earned nothing from the client in the month'), ('nothing_closed', 'No volume was closed'), ('fee_returned', 'The fee of the challenge was refunded or charged back'), ('recalculated', 'Difference found in a recalculation'), ('deal_changed', 'The platform changed or removed the deal'), ('cap_day', 'More than the plan pays per day'), ('cap_month', 'More than the plan pays per month'), ('cap_revenue', "More than the plan's part of what the broker earned on these trades in the month"), ('cap_upline', "The plan's part of what the broker earned on this trade went to the levels below"), ('deposit_reversed', "The client's deposit was charged back or refunded"), ('client_forfeited', 'The referral no longer qualifies'), ('client_reinstated', 'The referral qualifies again'), ('deposit_restored', "The chargeback of the client's deposit was reversed"), ('dispute', 'Agreed after a dispute'), ('passed_on', 'Passed on to the client by the plan')], max_length=20)),
                ('level', models.PositiveSmallIntegerField()),
                ('deal_id', models.BigIntegerField(help_text="Below zero: not a deal but a client's month (`RevenueMonth`) or a challenge (`ChallengeSale`)")),
                ('ticket', models.BigIntegerField(help_text='Deal number on the platform')),
                ('closed_at', models.DateTimeField(help_text='When the position was closed (execution time of the deal)')),
                ('account_id', models.BigIntegerField()),
                ('symbol', models.CharField(max_length=32)),
                ('symbol_group', models.CharField(blank=True, choices=[('fx_majors', 'FX majors'), ('fx_minors', 'FX minors'), ('fx_exotics', 'FX exotics'), ('metals', 'Metals'), ('indices', 'Indices'), ('energies', 'Energies'), ('crypto', 'Crypto'), ('shares', 'Shares'), ('other', 'Other')], max_length=12)),
                ('lots', models.DecimalField(decimal_places=8, help_text='Closed volume', max_digits=18)),
                ('held_seconds', models.IntegerField(null=True)),
                ('component', models.CharField(choices=[('lot', 'Rebate per lot'), ('pip', 'Rebate in pips'), ('point', 'Rebate in points'), ('spread', 'Share of the spread mark-up'), ('commission', "Share of the platform's commission"), ('loss', "Share of the client's net loss"), ('cpa', 'CPA per qualified client'), ('revenue', 'Share of net revenue'), ('net_result', 'Share of net revenue with client losses'), ('pot', 'Part of a monthly pot, by lots'), ('sale', 'CPA per challenge sold'), ('sale_share', 'Share of a challenge’s fee')], default='lot', max_length=10)),
                ('basis', models.DecimalField(decimal_places=8, help_text='What the rate applies to; empty: the lots', max_digits=20, null=True)),
                ('basis_currency', models.CharField(blank=True, max_length=8)),
                ('basis_fx', models.DecimalField(decimal_places=10, max_digits=20, null=True)),
                ('rate', models.DecimalField(decimal_places=8, help_text='Per lot, in pips, or a share', max_digits=16, null=True)),
                ('cap', models.DecimalField(decimal_places=8, help_text="The most that all levels get; empty: it didn't matter", max_digits=16, null=True)),
                ('below', models.DecimalField(decimal_places=8, help_text='Earned below, taken off a difference payout', max_digits=20, null=True)),
                ('share', models.DecimalField(decimal_places=8, help_text='Share of the level; 1 for fixed amounts', max_digits=9, null=True)),
                ('is_override', models.BooleanField(default=False)),
                ('tier', models.PositiveSmallIntegerField(help_text='The rank that the rate is paid by; empty: none', null=True)),
                ('ratio', models.DecimalField(decimal_places=2, help_text='Personal ratio in per cent that the rate is paid by; empty: none', max_digits=5, null=True)),
                ('passed_percent', models.DecimalField(decimal_places=2, help_text='Part that goes to the client, in per cent; empty: none', max_digits=5, null=True)),
                ('passed_per_lot', models.DecimalField(decimal_places=8, help_text="Part that goes to the client per lot, in the plan's currency; empty: none", max_digits=16, null=True)),
                ('revenue', models.DecimalField(decimal_places=8, help_text="What the broker earned on the trade, in the plan's currency; empty: the plan doesn't ask", max_digits=20, null=True)),
                ('rate_currency', models.CharField(blank=True, max_length=5)),
                ('rate_amount', models.DecimalField(decimal_places=8, default=0, help_text="In the plan's currency", max_digits=20)),
                ('fx_rate', models.DecimalField(decimal_places=10, max_digits=20, null=True)),
                ('fx_on', models.DateField(help_text='Day of the reference rate', null=True)),
                ('currency', models.CharField(max_length=5)),
                ('amount', models.DecimalField(decimal_places=8, max_digits=20)),
                ('source', models.CharField(blank=True, help_text='Cause of a correction, e.g. deposit:17', max_length=40)),
                ('created_at', models.DateTimeField()),
                ('client', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('corrects', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.accrual')),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.commissionrun')),
                ('introducer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.partner')),
                ('partner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.partner')),
                ('version', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.planversion')),
                ('period', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.settlementperiod')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SettlementTerms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('cycle', models.CharField(choices=[('instant', 'Continuously'), ('daily', 'Daily'), ('weekly', 'Weekly'), ('monthly', 'Monthly')], default='monthly', max_length=8)),
                ('minimum', models.DecimalField(decimal_places=8, default=0, help_text='Smaller sums are carried', max_digits=20)),
                ('hold_days', models.PositiveSmallIntegerField(default=0, help_text='Days that a trade waits after it was closed')),
                ('approval_above', models.DecimalField(decimal_places=8, help_text='Payouts above this amount need a second approval', max_digits=20, null=True)),
                ('payout_schedule', models.CharField(choices=[('request', "On the partner's request"), ('settled', 'After each settlement'), ('weekly', 'Weekly'), ('monthly', 'Monthly')], default='request', help_text='Of automatic payouts', max_length=8)),
                ('payout_day', models.PositiveSmallIntegerField(default=1, help_text='Weekly: 1 is Monday, 7 Sunday. Monthly: the day of the month, 28 at most')),
                ('negative', models.CharField(choices=[('carried', 'Carried to the next settlement'), ('written', 'Written off')], default='carried', max_length=10)),
                ('legal_name', models.CharField(blank=True, max_length=160)),
                ('address', models.CharField(blank=True, max_length=300)),
                ('vat_id', models.CharField(blank=True, max_length=20)),
                ('vat_treatment', models.CharField(choices=[('none', 'No invoices'), ('exempt', 'Exempt from VAT'), ('reverse', 'Reverse charge'), ('standard', 'VAT included')], default='none', max_length=8)),
                ('vat_rate', models.DecimalField(decimal_places=2, default=0, help_text='Per cent, included', max_digits=5)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='settlement_terms', to='ib.partner')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='settlement',
            name='terms',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.settlementterms'),
        ),
        migrations.CreateModel(
            name='Upline',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.PositiveSmallIntegerField()),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('ancestor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='downline', to='ib.partner')),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='upline', to='ib.partner')),
            ],
            options={
                'ordering': ['partner_id', 'level', 'starts_at'],
            },
        ),
        migrations.CreateModel(
            name='WhatIf',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('percent', models.DecimalField(decimal_places=2, default=100, max_digits=5)),
                ('scope', models.JSONField(default=dict)),
                ('content_hash', models.CharField(help_text='Of the version as it was then', max_length=64)),
                ('from_at', models.DateTimeField()),
                ('to_at', models.DateTimeField()),
                ('currency', models.CharField(max_length=5)),
                ('deals', models.PositiveIntegerField()),
                ('partners', models.PositiveIntegerField()),
                ('before', models.DecimalField(decimal_places=8, max_digits=24)),
                ('after', models.DecimalField(decimal_places=8, max_digits=24)),
                ('charged', models.DecimalField(decimal_places=8, help_text='Commissions charged by the platform', max_digits=24)),
                ('lost', models.DecimalField(decimal_places=8, help_text="Clients' net trading losses", max_digits=24)),
                ('passed_on', models.DecimalField(decimal_places=8, default=0, help_text='Part of `after` that goes to clients', max_digits=24)),
                ('lines', models.JSONField()),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('for_plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.plan')),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='what_ifs', to='ib.planversion')),
                ('partner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='what_ifs', to='ib.partner')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ClientForfeit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cause', models.CharField(choices=[('kyc_revoked', 'Verification revoked'), ('fraud', 'Fraudulent referral')], max_length=12)),
                ('declared_at', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(null=True)),
                ('reached_id', models.BigIntegerField(default=0)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('client', 'cause'), name='one_forfeit_per_client_and_cause'), models.CheckConstraint(condition=models.Q(('lifted_at__isnull', True), ('lifted_at__gte', models.F('declared_at')), _connector='OR'), name='forfeit_is_lifted_after_it_was_declared')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clientforfeit',
            trigger=pgtrigger.compiler.Trigger(name='forfeit_is_lifted_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'DELETE' OR (OLD.client_id, OLD.cause, OLD.declared_at) IS DISTINCT FROM (NEW.client_id, NEW.cause, NEW.declared_at)\n   OR (OLD.lifted_at IS NOT NULL AND OLD.lifted_at IS DISTINCT FROM NEW.lifted_at) OR NEW.reached_id < OLD.reached_id THEN\n  RAISE EXCEPTION 'a forfeit is declared once and lifted once'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'forfeit_is_lifted_once';\nEND IF;\nRETURN NEW;\n", hash='a14a029285155eee8d3e1922ae6da521edc40196', operation='UPDATE OR DELETE', pgid='pgtrigger_forfeit_is_lifted_once_3250c', table='ib_clientforfeit', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='commissionrun',
            index=models.Index(fields=['brand', '-id'], name='commission_runs_by_brand'),
        ),
        migrations.AddConstraint(
            model_name='commissionrun',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'event')), fields=('brand', 'from_at'), name='one_live_commission_run_per_brand_and_day'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='creditnotefile',
            trigger=pgtrigger.compiler.Trigger(name='credit_note_file_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'credit_note_file is append-only: write a new row instead';", hash='4cdd2423e72c0ae152065870e7329a822f55cf02', operation='UPDATE OR DELETE', pgid='pgtrigger_credit_note_file_no_change_78795', table='ib_creditnotefile', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='creditnotefile',
            trigger=pgtrigger.compiler.Trigger(name='credit_note_file_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'credit_note_file is append-only: write a new row instead';", hash='9a9cbc88b8cd6f12bb37c7f1b81d53b39b71b968', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_credit_note_file_no_truncate_23b3d', table='ib_creditnotefile', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='disputemessage',
            constraint=models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='dispute_message_says_something'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='disputemessage',
            trigger=pgtrigger.compiler.Trigger(name='dispute_message_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'dispute_message is append-only: write a new row instead';", hash='cb465d7b08669765947647d48d0b60210f5e25e4', operation='UPDATE OR DELETE', pgid='pgtrigger_dispute_message_no_change_b4a5a', table='ib_disputemessage', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='disputemessage',
            trigger=pgtrigger.compiler.Trigger(name='dispute_message_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'dispute_message is append-only: write a new row instead';", hash='410cc06321f1ed048ab31d598d0c8136c599d2fa', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_dispute_message_no_truncate_e73a8', table='ib_disputemessage', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='partner',
            index=models.Index(fields=['brand', '-id'], name='partners_by_brand'),
        ),
        migrations.AddIndex(
            model_name='partner',
            index=models.Index(fields=['manager', '-id'], name='partners_by_manager'),
        ),
        migrations.AddIndex(
            model_name='partner',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('name'), name='gin_trgm_ops'), django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('code'), name='gin_trgm_ops'), name='partners_by_part_of_name'),
        ),
        migrations.AddConstraint(
            model_name='partner',
            constraint=models.UniqueConstraint(fields=('brand', 'code'), name='partner_code_is_unique_in_its_brand'),
        ),
        migrations.AddIndex(
            model_name='commissiondispute',
            index=models.Index(fields=['partner', '-id'], name='commission_disputes_of_partner'),
        ),
        migrations.AddConstraint(
            model_name='commissiondispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'open'), _negated=True), ('deal_id__isnull', True), ('work__isnull', False), _connector='OR'), name='open_commission_dispute_is_a_work_item'),
        ),
        migrations.AddConstraint(
            model_name='commissiondispute',
            constraint=models.CheckConstraint(condition=models.Q(('adjustment_id__isnull', True), models.Q(('deal_id__isnull', False), ('state', 'resolved')), _connector='OR'), name='only_a_resolved_dispute_has_an_adjustment'),
        ),
        migrations.AddConstraint(
            model_name='commissiondispute',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('partner', 'deal_id'), name='one_open_dispute_per_partner_and_deal', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='commissiondispute',
            constraint=models.CheckConstraint(condition=models.Q(('deal_id__isnull', False), ('accrual_id__isnull', True), _connector='OR'), name='a_disputed_line_names_its_deal'),
        ),
        migrations.AddConstraint(
            model_name='commissiondispute',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='commission_dispute_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='commissiondispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('resolved_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('resolved_at__isnull', False), models.Q(('answer', ''), _negated=True)), _connector='OR'), name='a_resolved_dispute_has_an_answer'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='partnerapplication',
            trigger=pgtrigger.compiler.Trigger(name='partner_application_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND NEW.ip IS NOT DISTINCT FROM NULL AND NEW.website IS NOT DISTINCT FROM '' AND NEW.channels IS NOT DISTINCT FROM '' AND NEW.licence IS NOT DISTINCT FROM '' AND to_jsonb(NEW) - ARRAY['ip', 'website', 'channels', 'licence'] = to_jsonb(OLD) - ARRAY['ip', 'website', 'channels', 'licence'] AND EXISTS (SELECT FROM crm_subjectkey k WHERE k.client_id = (SELECT p.client_id FROM ib_partner p WHERE p.id = OLD.partner_id) AND k.wrapped IS NULL) THEN RETURN NEW; END IF; RAISE EXCEPTION 'partner_application is append-only: write a new row instead';", hash='2fb89f9080fa6758138100c0811eb3ed8c9dee34', operation='UPDATE OR DELETE', pgid='pgtrigger_partner_application_no_change_2623a', table='ib_partnerapplication', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='partnerapplication',
            trigger=pgtrigger.compiler.Trigger(name='partner_application_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'partner_application is append-only: write a new row instead';", hash='8335de3628baa6ef1572974046bcb2910b9c09a3', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_partner_application_no_truncate_e2aa9', table='ib_partnerapplication', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='agreementfile',
            trigger=pgtrigger.compiler.Trigger(name='agreement_file_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND NEW.content IS NOT DISTINCT FROM '\\x'::bytea AND to_jsonb(NEW) - ARRAY['content'] = to_jsonb(OLD) - ARRAY['content'] AND EXISTS (SELECT FROM crm_subjectkey k WHERE k.client_id = (SELECT p.client_id FROM ib_partnerapplication a JOIN ib_partner p ON p.id = a.partner_id WHERE a.id = OLD.application_id) AND k.wrapped IS NULL) THEN RETURN NEW; END IF; RAISE EXCEPTION 'agreement_file is append-only: write a new row instead';", hash='a33062ce2788b85f51e462194980ea8be368e763', operation='UPDATE OR DELETE', pgid='pgtrigger_agreement_file_no_change_4eb4e', table='ib_agreementfile', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='agreementfile',
            trigger=pgtrigger.compiler.Trigger(name='agreement_file_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'agreement_file is append-only: write a new row instead';", hash='6af441fdce967f4a244efd662517815d0c90f2d7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_agreement_file_no_truncate_d92bc', table='ib_agreementfile', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='partnerlink',
            index=models.Index(fields=['parent', 'partner'], name='partner_links_down'),
        ),
        migrations.AddConstraint(
            model_name='partnerlink',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='partner_link_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='partnerlink',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('partner', '='), (crm.db.dated.TsTzRange(models.F('starts_at'), models.F('ends_at'), models.Value('[)')), '&&')], name='a_partner_has_one_parent_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='partnerlink',
            constraint=models.CheckConstraint(condition=models.Q(('partner', models.F('parent')), _negated=True), name='partner_is_not_its_own_parent'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='partnerlink',
            trigger=pgtrigger.compiler.Trigger(name='partner_tree_has_no_cycle', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nPERFORM pg_advisory_xact_lock(hashtext('ib.tree'));\nIF EXISTS (\n  WITH RECURSIVE walk(partner_id, valid) AS (\n    SELECT NEW.parent_id, tstzrange(NEW.starts_at, NEW.ends_at)\n    UNION ALL\n    SELECT l.parent_id, walk.valid * tstzrange(l.starts_at, l.ends_at)\n    FROM walk JOIN ib_partnerlink l ON l.partner_id = walk.partner_id AND l.id <> NEW.id\n    WHERE walk.valid && tstzrange(l.starts_at, l.ends_at) AND walk.partner_id <> NEW.partner_id\n  )\n  SELECT 1 FROM walk WHERE partner_id = NEW.partner_id\n) THEN\n  RAISE EXCEPTION 'a partner cannot stand above itself in the tree'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'partner_tree_has_no_cycle';\nEND IF;\nIF (SELECT count(DISTINCT brand_id) FROM ib_partner WHERE id IN (NEW.partner_id, NEW.parent_id)) > 1 THEN\n  RAISE EXCEPTION 'a partner and its parent belong to one brand'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'partner_tree_stays_in_one_brand';\nEND IF;\nRETURN NULL;\n", hash='297a6aef4bcd0b93412ec6fcafc3abb0a0a2648c', operation='INSERT OR UPDATE', pgid='pgtrigger_partner_tree_has_no_cycle_ea56f', table='ib_partnerlink', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='partnerlink',
            trigger=pgtrigger.compiler.Trigger(name='partner_link_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'DELETE' OR OLD.ends_at IS NOT NULL\n   OR to_jsonb(OLD) - 'ends_at' IS DISTINCT FROM to_jsonb(NEW) - 'ends_at' THEN\n  RAISE EXCEPTION 'the tree of the past: history stays as it was; end this row and write a new one';\nEND IF;\nRETURN NEW;\n", hash='13088810c224e335744d7ce1e7bbf6eafc15146c', operation='UPDATE OR DELETE', pgid='pgtrigger_partner_link_stays_59c42', table='ib_partnerlink', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='partnerspell',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='partner_spell_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='partnerspell',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('partner', '='), (crm.db.dated.TsTzRange(models.F('starts_at'), models.F('ends_at'), models.Value('[)')), '&&')], name='partner_spells_do_not_overlap'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='partnerspell',
            trigger=pgtrigger.compiler.Trigger(name='partner_spell_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'DELETE' OR OLD.ends_at IS NOT NULL\n   OR to_jsonb(OLD) - 'ends_at' IS DISTINCT FROM to_jsonb(NEW) - 'ends_at' THEN\n  RAISE EXCEPTION 'when a partner was active: history stays as it was; end this row and write a new one';\nEND IF;\nRETURN NEW;\n", hash='430dd4cdb078ea001383d0a9de68a5c51228e027', operation='UPDATE OR DELETE', pgid='pgtrigger_partner_spell_stays_88d29', table='ib_partnerspell', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='payout',
            index=models.Index(fields=['partner', '-id'], name='payouts_by_partner'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='payout_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('destination', 'wallet'), ('reference', '')), models.Q(('destination', 'wallet'), ('reference', ''), _connector='OR', _negated=True), _connector='OR'), name='payout_that_went_on_has_its_reference'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.UniqueConstraint(fields=('partner', 'request_key'), name='one_payout_per_request'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='payout_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'payout is append-only: write a new row instead';", hash='9787c72d405ed19901af9457fa72e56d8b3f6e70', operation='UPDATE OR DELETE', pgid='pgtrigger_payout_no_change_acbfa', table='ib_payout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='payout_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'payout is append-only: write a new row instead';", hash='c3b4a871485a109a6861c7a02314993503b3c2a2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_payout_no_truncate_f51b0', table='ib_payout', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='payoutinstruction',
            index=models.Index(fields=['partner', '-id'], name='payout_instructions_by_partner'),
        ),
        migrations.AddConstraint(
            model_name='payoutinstruction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), ('destination', 'wallet'), ('sealed_details__isnull', True)), models.Q(models.Q(('destination', 'wallet'), _negated=True), models.Q(('currency', ''), _negated=True)), _connector='OR'), name='payout_instruction_names_its_currency'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutinstruction',
            trigger=pgtrigger.compiler.Trigger(name='payout_instruction_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'payout_instruction is append-only: write a new row instead';", hash='5f39771c573bcc6a8ca0f39bd57f4ee80d0a68f7', operation='UPDATE OR DELETE', pgid='pgtrigger_payout_instruction_no_change_386fe', table='ib_payoutinstruction', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutinstruction',
            trigger=pgtrigger.compiler.Trigger(name='payout_instruction_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'payout_instruction is append-only: write a new row instead';", hash='d40aecd26a48531f8ed1e42fe4c59e8679a54314', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_payout_instruction_no_truncate_3c316', table='ib_payoutinstruction', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='payoutrequest',
            index=models.Index(fields=['partner', '-id'], name='payout_requests_by_partner'),
        ),
        migrations.AddConstraint(
            model_name='payoutrequest',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='payout_request_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='payoutrequest',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='payout_request_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='payoutrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='payout_request_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='payoutrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='payout_request_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='payoutrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='payout_request_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='payoutrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('partner',), name='one_payout_request_of_a_partner_waits'),
        ),
        migrations.AddConstraint(
            model_name='payoutrequest',
            constraint=models.UniqueConstraint(fields=('partner', 'request_key'), name='one_payout_request_per_key'),
        ),
        migrations.AddConstraint(
            model_name='payoutrequest',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='payout_request_is_positive'),
        ),
        migrations.AddIndex(
            model_name='automaticpayout',
            index=models.Index(fields=['partner', '-id'], name='automatic_payouts_of_partner'),
        ),
        migrations.AddConstraint(
            model_name='automaticpayout',
            constraint=models.UniqueConstraint(fields=('partner', 'currency', 'due_at'), name='each_automatic_payout_once'),
        ),
        migrations.AddConstraint(
            model_name='automaticpayout',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'refused')), fields=('partner', 'currency'), name='one_refused_payout_per_currency'),
        ),
        migrations.AddConstraint(
            model_name='automaticpayout',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='automatic_payout_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='automaticpayout',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('payout__isnull', False), ('request__isnull', True), ('state', 'paid')), models.Q(('payout__isnull', True), ('request__isnull', False), ('state', 'waiting')), models.Q(('payout__isnull', True), ('request__isnull', True), ('state__in', ['refused', 'closed']), models.Q(('refusal', ''), _negated=True)), _connector='OR'), name='automatic_payout_says_how_it_ended'),
        ),
        migrations.AddConstraint(
            model_name='plan',
            constraint=models.UniqueConstraint(fields=('brand', 'name'), name='plan_name_is_unique_in_its_brand'),
        ),
        migrations.AddConstraint(
            model_name='partnerrank',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='partner_rank_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='partnerrank',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('partner', '='), ('plan', '='), (crm.db.dated.TsTzRange(models.F('starts_at'), models.F('ends_at'), models.Value('[)')), '&&')], name='a_partner_has_one_rank_at_a_time'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='partnerrank',
            trigger=pgtrigger.compiler.Trigger(name='partner_rank_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'DELETE' OR OLD.ends_at IS NOT NULL\n   OR to_jsonb(OLD) - 'ends_at' IS DISTINCT FROM to_jsonb(NEW) - 'ends_at' THEN\n  RAISE EXCEPTION 'which rank a partner held: history stays as it was; end this row and write a new one';\nEND IF;\nRETURN NEW;\n", hash='beac1aeae8082464664875137731ffe360f39e27', operation='UPDATE OR DELETE', pgid='pgtrigger_partner_rank_stays_86948', table='ib_partnerrank', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='partnerapproval',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='partner_approval_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='partnerapproval',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='partner_approval_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='partnerapproval',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='partner_approval_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='partnerapproval',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='partner_approval_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='partnerapproval',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='partner_approval_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='partnerapproval',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('partner',), name='one_approval_of_a_partner_waits'),
        ),
        migrations.AddConstraint(
            model_name='partnerapproval',
            constraint=models.CheckConstraint(condition=models.Q(('percent__gt', 0), ('percent__lte', Decimal('200'))), name='approved_ratio_is_within_bounds'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.UniqueConstraint(fields=('plan', 'number'), name='plan_version_number_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='plan_version_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('state', 'active')), expressions=[('plan', '='), (crm.db.dated.TsTzRange(models.F('starts_at'), models.F('ends_at'), models.Value('[)')), '&&')], name='one_active_plan_version_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('min_pips__gte', 0)), name='least_pips_are_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cap_day__isnull', True), ('cap_day__gt', 0), _connector='OR'), models.Q(('cap_month__isnull', True), ('cap_month__gt', 0), _connector='OR')), name='most_per_day_and_month_are_positive'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('is_capped_together', False), ('cap_day__isnull', False), ('cap_month__isnull', False), ('cap_revenue__isnull', False), _connector='OR'), name='what_counts_together_has_a_cap'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('markup_pips__gte', 0), models.Q(('cap_revenue__isnull', True), models.Q(('cap_revenue__gt', 0), ('cap_revenue__lte', 100)), _connector='OR'), models.Q(('cap_upline__isnull', True), models.Q(('cap_upline__gt', 0), ('cap_upline__lte', 100)), _connector='OR')), name='most_of_the_revenue_is_a_percentage'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('passed_percent__gte', 0), ('passed_percent__lte', 100)), name='passed_on_is_a_percentage'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('passed_per_lot', 0), models.Q(('passed_per_lot__gt', 0), ('passed_percent', 0)), _connector='OR'), name='passed_on_is_a_percentage_or_an_amount'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('tier_grace__lte', 12), ('tier_months__gte', 1), ('tier_months__lte', 12)), name='ranks_look_back_a_year_at_most'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_by', models.F('made_by')), _negated=True), ('decided_by__isnull', True), _connector='OR'), name='plan_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['active', 'rejected']), _negated=True), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='decided_plan_version_says_who_and_when'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='planversion',
            trigger=pgtrigger.compiler.Trigger(name='active_plan_version_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'DELETE' THEN\n  IF OLD.state <> 'draft' THEN RAISE EXCEPTION 'only a draft of a plan can be deleted'; END IF;\n  RETURN OLD;\nEND IF;\nIF OLD.state = 'rejected' OR (OLD.state = 'active' AND (OLD.ends_at IS NOT NULL\n   OR to_jsonb(OLD) - 'ends_at' IS DISTINCT FROM to_jsonb(NEW) - 'ends_at')) THEN\n  RAISE EXCEPTION 'an active plan version never changes: write a new version';\nEND IF;\nRETURN NEW;\n", hash='bbc5eb9358b7d2c4bb2b13fb2d5c6cbc5293fcbf', operation='UPDATE OR DELETE', pgid='pgtrigger_active_plan_version_stays_d18d7', table='ib_planversion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='planversion',
            trigger=pgtrigger.compiler.Trigger(name='version_fits_agreements_of_trades', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."ends_at" IS NULL AND NEW."state" = \'active\')', func="\nIF (EXISTS (SELECT 1 FROM ib_plancpa k WHERE k.version_id = NEW.id)\n    OR EXISTS (SELECT 1 FROM ib_plancomponent k WHERE k.version_id = NEW.id AND k.component IN ('revenue', 'net_result', 'pot', 'sale', 'sale_share'))) THEN\n  PERFORM pg_advisory_xact_lock(hashtext('ib.plan'), NEW.plan_id::integer);\n  IF EXISTS (\n    SELECT 1 FROM ib_partnerplan h WHERE h.plan_id = NEW.plan_id AND (h.platforms <> '{}' OR h.account_groups <> '{}')\n      AND tstzrange(h.starts_at, h.ends_at) && tstzrange(NEW.starts_at, NEW.ends_at)\n  ) THEN\n    RAISE EXCEPTION 'what is paid per client cannot be limited to a platform or account type'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'agreement_of_trades_pays_per_trade';\n  END IF;\nEND IF;\nRETURN NULL;\n", hash='5bc4c0eb3b7c7303d34cce84ac03cce3da5787e6', operation='INSERT OR UPDATE', pgid='pgtrigger_version_fits_agreements_of_trades_bc9e3', table='ib_planversion', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='plantier',
            constraint=models.UniqueConstraint(fields=('version', 'number'), name='one_tier_per_number'),
        ),
        migrations.AddConstraint(
            model_name='plantier',
            constraint=models.CheckConstraint(condition=models.Q(('factor__gt', 0), ('lots__gt', 0), ('number__gte', 1)), name='plan_tier_is_reached'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plantier',
            trigger=pgtrigger.compiler.Trigger(name='plan_tiers_stay', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (SELECT 1 FROM ib_planversion v WHERE v.state <> 'draft'\n           AND v.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END,\n                        CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END)) THEN\n  RAISE EXCEPTION 'the rates of a plan version change only while it is a draft';\nEND IF;\nRETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;\n", hash='bfc9d3de5b6a2dd9cf4f05a005f9d2604b002137', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_plan_tiers_stay_46ec7', table='ib_plantier', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='planrate',
            constraint=models.UniqueConstraint(fields=('version', 'group'), name='one_rate_per_symbol_group'),
        ),
        migrations.AddConstraint(
            model_name='planrate',
            constraint=models.CheckConstraint(condition=models.Q(('amount_per_lot__gte', 0)), name='plan_rate_is_not_negative'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='planrate',
            trigger=pgtrigger.compiler.Trigger(name='plan_rates_stay', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (SELECT 1 FROM ib_planversion v WHERE v.state <> 'draft'\n           AND v.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END,\n                        CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END)) THEN\n  RAISE EXCEPTION 'the rates of a plan version change only while it is a draft';\nEND IF;\nRETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;\n", hash='37f6ddfa838b2b4f001e7371473cc10a9aca723f', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_plan_rates_stay_2908d', table='ib_planrate', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='planoverride',
            constraint=models.UniqueConstraint(fields=('version', 'group', 'level'), name='one_override_per_group_and_level'),
        ),
        migrations.AddConstraint(
            model_name='planoverride',
            constraint=models.CheckConstraint(condition=models.Q(('amount_per_lot__gte', 0)), name='plan_override_is_not_negative'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='planoverride',
            trigger=pgtrigger.compiler.Trigger(name='plan_overrides_stay', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (SELECT 1 FROM ib_planversion v WHERE v.state <> 'draft'\n           AND v.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END,\n                        CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END)) THEN\n  RAISE EXCEPTION 'the rates of a plan version change only while it is a draft';\nEND IF;\nRETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;\n", hash='4a082266acc5e5e2e0015e9fbd6a97b35ee65194', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_plan_overrides_stay_9bbc1', table='ib_planoverride', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='planlevel',
            constraint=models.UniqueConstraint(fields=('version', 'level'), name='one_share_per_level'),
        ),
        migrations.AddConstraint(
            model_name='planlevel',
            constraint=models.CheckConstraint(condition=models.Q(('share__gte', 0), ('share__lte', 1)), name='level_share_is_between_0_and_1'),
        ),
        migrations.AddConstraint(
            model_name='planlevel',
            constraint=models.CheckConstraint(condition=models.Q(('level__gte', 1)), name='plan_level_counts_from_one'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='planlevel',
            trigger=pgtrigger.compiler.Trigger(name='plan_levels_stay', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (SELECT 1 FROM ib_planversion v WHERE v.state <> 'draft'\n           AND v.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END,\n                        CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END)) THEN\n  RAISE EXCEPTION 'the rates of a plan version change only while it is a draft';\nEND IF;\nRETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;\n", hash='1376fe39b02796d3879d7212d7ac8da63a508d31', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_plan_levels_stay_0cdb9', table='ib_planlevel', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='plancpa',
            constraint=models.UniqueConstraint(condition=models.Q(('countries', [])), fields=('version',), name='one_cpa_for_all_other_countries'),
        ),
        migrations.AddConstraint(
            model_name='plancpa',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('min_deposit__gte', 0), ('min_lots__gte', 0), ('within_days__gte', 1), ('within_days__lte', 365)), name='plan_cpa_pays_for_something'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plancpa',
            trigger=pgtrigger.compiler.Trigger(name='plan_cpa_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (SELECT 1 FROM ib_planversion v WHERE v.state <> 'draft'\n           AND v.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END,\n                        CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END)) THEN\n  RAISE EXCEPTION 'the rates of a plan version change only while it is a draft';\nEND IF;\nRETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;\n", hash='d94c1156e956eda3e1905e4f26f3254cc6463196', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_plan_cpa_stays_c540a', table='ib_plancpa', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='plancomponent',
            constraint=models.UniqueConstraint(fields=('version', 'component', 'group', 'accounts'), name='one_component_per_group_and_accounts'),
        ),
        migrations.AddConstraint(
            model_name='plancomponent',
            constraint=models.CheckConstraint(condition=models.Q(('value__gte', 0), models.Q(models.Q(('component__in', ('spread', 'commission', 'loss', 'revenue', 'net_result', 'sale_share')), _negated=True), ('value__lte', 1), _connector='OR')), name='plan_component_pays_what_there_is'),
        ),
        migrations.AddConstraint(
            model_name='plancomponent',
            constraint=models.CheckConstraint(condition=models.Q(('cap__isnull', True), ('cap__gt', 0), _connector='OR'), name='plan_component_cap_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='plancomponent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('component', 'spread'), ('markup__gt', 0), ('markup__isnull', False)), models.Q(models.Q(('component', 'spread'), _negated=True), ('markup__isnull', True)), _connector='OR'), name='plan_component_of_a_spread_says_the_markup'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plancomponent',
            trigger=pgtrigger.compiler.Trigger(name='plan_components_stay', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (SELECT 1 FROM ib_planversion v WHERE v.state <> 'draft'\n           AND v.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END,\n                        CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END)) THEN\n  RAISE EXCEPTION 'the rates of a plan version change only while it is a draft';\nEND IF;\nRETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;\n", hash='d09ef1af4cc5ff87269cc55e2338e82e6a9eeb33', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_plan_components_stay_a4d49', table='ib_plancomponent', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='cappedday',
            constraint=models.UniqueConstraint(fields=('partner', 'version', 'day'), name='one_capped_day_per_partner_and_version'),
        ),
        migrations.AddConstraint(
            model_name='cappedday',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gte', models.F('low')), ('amount__lte', models.F('high')), ('high__gte', 0), ('low__lte', 0)), name='capped_day_lies_between_its_ends'),
        ),
        migrations.AddIndex(
            model_name='referrallink',
            index=models.Index(fields=['partner', '-id'], name='referral_links_by_partner'),
        ),
        migrations.AddConstraint(
            model_name='referralday',
            constraint=models.UniqueConstraint(fields=('link', 'day', 'sub_id', 'country', 'utm_source', 'utm_medium', 'utm_campaign'), name='one_row_per_link_day_and_source'),
        ),
        migrations.AddConstraint(
            model_name='ratioproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='ratio_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='ratioproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='ratio_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='ratioproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='ratio_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='ratioproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='ratio_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='ratioproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='ratio_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='ratioproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('partner',), name='one_ratio_proposal_of_a_partner_waits'),
        ),
        migrations.AddConstraint(
            model_name='ratioproposal',
            constraint=models.CheckConstraint(condition=models.Q(('percent__gt', 0), ('percent__lte', Decimal('200'))), name='proposed_ratio_is_within_bounds'),
        ),
        migrations.AddConstraint(
            model_name='ratioproposal',
            constraint=models.CheckConstraint(condition=models.Q(('client_names__in', ['', 'full', 'short', 'number'])), name='proposal_shows_names_in_a_known_way'),
        ),
        migrations.AddConstraint(
            model_name='ratioproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('priority', 100), ('account_groups', []), ('link_ids', []), ('platforms', [])), models.Q(('client', None), ('link', None), ('priority__gte', 1), ('priority__lt', 100), models.Q(('account_groups', []), ('link_ids', []), ('platforms', []), _negated=True)), _connector='OR'), name='proposed_scope_has_its_place'),
        ),
        migrations.AddIndex(
            model_name='partnerplan',
            index=models.Index(fields=['plan', 'ends_at'], name='partners_of_a_plan'),
        ),
        migrations.AddConstraint(
            model_name='partnerplan',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='partner_plan_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='partnerplan',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('client__isnull', True), ('link__isnull', True)), expressions=[('partner', '='), ('priority', '='), (crm.db.dated.TsTzRange(models.F('starts_at'), models.F('ends_at'), models.Value('[)')), '&&')], name='a_partner_has_one_plan_per_priority'),
        ),
        migrations.AddConstraint(
            model_name='partnerplan',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('priority', 100), ('account_groups', []), ('link_ids', []), ('platforms', [])), models.Q(('client', None), ('link', None), ('priority__gte', 1), ('priority__lt', 100), models.Q(('account_groups', []), ('link_ids', []), ('platforms', []), _negated=True)), _connector='OR'), name='agreement_with_a_scope_has_its_place'),
        ),
        migrations.AddConstraint(
            model_name='partnerplan',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('link__isnull', False)), expressions=[('link', '='), (crm.db.dated.TsTzRange(models.F('starts_at'), models.F('ends_at'), models.Value('[)')), '&&')], name='a_link_has_one_plan_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='partnerplan',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('client__isnull', False)), expressions=[('partner', '='), ('client', '='), (crm.db.dated.TsTzRange(models.F('starts_at'), models.F('ends_at'), models.Value('[)')), '&&')], name='a_referred_client_has_one_plan_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='partnerplan',
            constraint=models.CheckConstraint(condition=models.Q(('percent__gt', 0), ('percent__lte', Decimal('200'))), name='personal_ratio_is_within_bounds'),
        ),
        migrations.AddConstraint(
            model_name='partnerplan',
            constraint=models.CheckConstraint(condition=models.Q(('client_names__in', ['', 'full', 'short', 'number'])), name='agreement_shows_names_in_a_known_way'),
        ),
        migrations.AddConstraint(
            model_name='partnerplan',
            constraint=models.CheckConstraint(condition=models.Q(('link__isnull', True), ('client__isnull', True), _connector='OR'), name='special_plan_is_for_a_link_or_a_client'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='partnerplan',
            trigger=pgtrigger.compiler.Trigger(name='partner_plan_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'DELETE' OR OLD.ends_at IS NOT NULL\n   OR to_jsonb(OLD) - 'ends_at' IS DISTINCT FROM to_jsonb(NEW) - 'ends_at' THEN\n  RAISE EXCEPTION 'which plan a partner had: history stays as it was; end this row and write a new one';\nEND IF;\nRETURN NEW;\n", hash='e9012d0b05835e518bf6780cc5c4794a49850ae7', operation='UPDATE OR DELETE', pgid='pgtrigger_partner_plan_stays_b4fbb', table='ib_partnerplan', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='partnerplan',
            trigger=pgtrigger.compiler.Trigger(name='agreement_of_trades_fits_plan', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."account_groups" = \'{}\'::varchar(64)[] AND NEW."platforms" = \'{}\'::varchar(12)[]))', func="\nPERFORM pg_advisory_xact_lock(hashtext('ib.plan'), NEW.plan_id::integer);\nIF EXISTS (\n  SELECT 1 FROM ib_planversion v WHERE v.plan_id = NEW.plan_id AND v.state = 'active'\n    AND tstzrange(v.starts_at, v.ends_at) && tstzrange(NEW.starts_at, NEW.ends_at) AND (EXISTS (SELECT 1 FROM ib_plancpa k WHERE k.version_id = v.id)\n    OR EXISTS (SELECT 1 FROM ib_plancomponent k WHERE k.version_id = v.id AND k.component IN ('revenue', 'net_result', 'pot', 'sale', 'sale_share')))\n) THEN\n  RAISE EXCEPTION 'what is paid per client cannot be limited to a platform or account type'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'agreement_of_trades_pays_per_trade';\nEND IF;\nRETURN NULL;\n", hash='b6c7f96bad890fb2e052977b51d08e5ce7f1a01b', operation='INSERT', pgid='pgtrigger_agreement_of_trades_fits_plan_f59e5', table='ib_partnerplan', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='attribution',
            index=models.Index(fields=['partner', 'ends_at', '-id'], name='clients_of_a_partner'),
        ),
        migrations.AddConstraint(
            model_name='attribution',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='attribution_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='attribution',
            constraint=models.UniqueConstraint(condition=models.Q(('ends_at__isnull', True)), fields=('client',), name='one_open_attribution_per_client'),
        ),
        migrations.AddConstraint(
            model_name='attribution',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('client', '='), (crm.db.dated.TsTzRange(models.F('starts_at'), models.F('ends_at'), models.Value('[)')), '&&')], name='attributions_of_a_client_do_not_overlap'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='attribution',
            trigger=pgtrigger.compiler.Trigger(name='attribution_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'DELETE' OR OLD.ends_at IS NOT NULL\n   OR to_jsonb(OLD) - 'ends_at' IS DISTINCT FROM to_jsonb(NEW) - 'ends_at' THEN\n  RAISE EXCEPTION 'whose client a client was: history stays as it was; end this row and write a new one';\nEND IF;\nRETURN NEW;\n", hash='5539fd0b9b18560196deebe7e774641ae0e4315f', operation='UPDATE OR DELETE', pgid='pgtrigger_attribution_stays_8530e', table='ib_attribution', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='referralverdict',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='referral_verdict_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='referralverdict',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='referral_verdict_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='referralverdict',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='referral_verdict_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='referralverdict',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='referral_verdict_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='referralverdict',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='referral_verdict_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='referralverdict',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('client',), name='one_referral_verdict_of_a_client_waits'),
        ),
        migrations.AddIndex(
            model_name='replay',
            index=models.Index(fields=['brand', '-id'], name='replays_by_brand'),
        ),
        migrations.AddIndex(
            model_name='replay',
            index=models.Index(condition=models.Q(('state', 'running')), fields=['moved_at'], name='replays_that_run'),
        ),
        migrations.AddConstraint(
            model_name='replay',
            constraint=models.CheckConstraint(condition=models.Q(('to_at__gt', models.F('from_at'))), name='replay_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='replay',
            constraint=models.CheckConstraint(condition=models.Q(('reached_at__gte', models.F('from_at')), ('reached_at__lte', models.F('to_at'))), name='replay_reaches_its_own_days'),
        ),
        migrations.AddConstraint(
            model_name='replay',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='replay_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='replay',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('run__isnull', False), ('state', 'applied')), models.Q(models.Q(('state', 'applied'), _negated=True), ('run__isnull', True)), _connector='OR'), name='applied_replay_has_its_run'),
        ),
        migrations.AddIndex(
            model_name='replayline',
            index=models.Index(fields=['replay', '-id'], name='lines_of_a_replay'),
        ),
        migrations.AddConstraint(
            model_name='replayline',
            constraint=models.UniqueConstraint(fields=('replay', 'deal_id', 'partner', 'level', 'component', 'currency'), name='one_replay_line_per_deal_partner_level_and_component'),
        ),
        migrations.AddConstraint(
            model_name='replayline',
            constraint=models.CheckConstraint(condition=models.Q(('difference', django.db.models.expressions.CombinedExpression(models.F('after'), '-', models.F('before')))), name='replay_line_adds_up'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='replayline',
            trigger=pgtrigger.compiler.Trigger(name='replay_line_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'replay_line is append-only: write a new row instead';", hash='b0d3517bf40d7f1b6666b9b72f0be705ebce3f0b', operation='UPDATE OR DELETE', pgid='pgtrigger_replay_line_no_change_c8755', table='ib_replayline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='replayline',
            trigger=pgtrigger.compiler.Trigger(name='replay_line_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'replay_line is append-only: write a new row instead';", hash='b36f10ff943febcd9045f65eb580d12930fa1b90', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_replay_line_no_truncate_9ddd6', table='ib_replayline', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='replayproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='replay_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='replayproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='replay_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='replayproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='replay_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='replayproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='replay_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='replayproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='replay_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='replayproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('replay',), name='one_proposal_of_a_replay_waits'),
        ),
        migrations.AddConstraint(
            model_name='reversedpart',
            constraint=models.UniqueConstraint(fields=('deposit', 'reference'), name='one_reversed_part_per_reference'),
        ),
        migrations.AddConstraint(
            model_name='reversedpart',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('base__gt', 0), ('paid_in__gte', models.F('base'))), name='reversed_part_weighs_at_most_all'),
        ),
        migrations.AddConstraint(
            model_name='reversedpart',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('taken__gt', 0), ('taken__isnull', False), ('taken_at__isnull', False)), models.Q(('taken__isnull', True), ('taken_at__isnull', True)), _connector='OR'), name='taken_part_says_when'),
        ),
        migrations.AddConstraint(
            model_name='reversedpart',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('restored__gt', 0), ('restored__isnull', False), ('restored_at__isnull', False)), models.Q(('restored__isnull', True), ('restored_at__isnull', True)), _connector='OR'), name='restored_part_says_when'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reversedpart',
            trigger=pgtrigger.compiler.Trigger(name='reversed_part_is_heard_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'DELETE' OR to_jsonb(OLD) - ARRAY['taken', 'taken_at', 'restored', 'restored_at']\n     IS DISTINCT FROM to_jsonb(NEW) - ARRAY['taken', 'taken_at', 'restored', 'restored_at']\n   OR (OLD.taken IS NOT NULL AND (OLD.taken, OLD.taken_at) IS DISTINCT FROM (NEW.taken, NEW.taken_at))\n   OR (OLD.restored IS NOT NULL AND (OLD.restored, OLD.restored_at) IS DISTINCT FROM (NEW.restored, NEW.restored_at))\nTHEN\n  RAISE EXCEPTION 'what was heard of a reversal is kept: each half once'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'reversed_part_is_heard_once';\nEND IF;\nRETURN NEW;\n", hash='7a1cacaae9eddcf912061ca03f4bd5b5aa3c87ee', operation='UPDATE OR DELETE', pgid='pgtrigger_reversed_part_is_heard_once_63a54', table='ib_reversedpart', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoicefile',
            trigger=pgtrigger.compiler.Trigger(name='invoice_file_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'invoice_file is append-only: write a new row instead';", hash='3d99c63a12b53c0641d621e884369918a7e7da15', operation='UPDATE OR DELETE', pgid='pgtrigger_invoice_file_no_change_94516', table='ib_invoicefile', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoicefile',
            trigger=pgtrigger.compiler.Trigger(name='invoice_file_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'invoice_file is append-only: write a new row instead';", hash='75084ec55510ec8c1f9defd465b6824ec816ca27', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_invoice_file_no_truncate_c57c9', table='ib_invoicefile', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='selfbillinginvoice',
            constraint=models.UniqueConstraint(fields=('brand', 'series', 'number'), name='each_self_billing_number_once'),
        ),
        migrations.AddConstraint(
            model_name='selfbillinginvoice',
            constraint=models.CheckConstraint(condition=models.Q(('net__gt', 0), ('total', django.db.models.expressions.CombinedExpression(models.F('net'), '+', models.F('vat'))), ('total__gt', 0), ('vat__gte', 0)), name='self_billing_invoice_adds_up'),
        ),
        migrations.AddConstraint(
            model_name='selfbillinginvoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('vat_rate__gt', 0), ('vat_treatment', 'standard')), models.Q(('vat', 0), ('vat_rate', 0), ('vat_treatment__in', ['exempt', 'reverse'])), _connector='OR'), name='self_billing_invoice_states_its_vat'),
        ),
        migrations.AddConstraint(
            model_name='selfbillinginvoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('local_currency', ''), ('local_on__isnull', True), ('local_rate__isnull', True), ('local_vat__isnull', True)), models.Q(models.Q(('local_currency', ''), _negated=True), ('local_on__isnull', False), ('local_rate__gt', 0), ('local_rate__isnull', False)), _connector='OR'), name='self_billing_invoice_says_by_which_rate'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='selfbillinginvoice',
            trigger=pgtrigger.compiler.Trigger(name='self_billing_invoice_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'self_billing_invoice is append-only: write a new row instead';", hash='d377839bd87ffd6e5c4131515971d321fa8e2294', operation='UPDATE OR DELETE', pgid='pgtrigger_self_billing_invoice_no_change_47f6b', table='ib_selfbillinginvoice', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='selfbillinginvoice',
            trigger=pgtrigger.compiler.Trigger(name='self_billing_invoice_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'self_billing_invoice is append-only: write a new row instead';", hash='e4ee39a5d1e301f9934c195cac466614cc02593d', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_self_billing_invoice_no_truncate_71734', table='ib_selfbillinginvoice', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='selfbillinginvoice',
            trigger=pgtrigger.compiler.Trigger(name='self_billing_numbers_have_no_gaps', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF NEW.number <> 1 + coalesce((SELECT max(i.number) FROM ib_selfbillinginvoice i\n                               WHERE i.brand_id = NEW.brand_id AND i.series = NEW.series), 0) THEN\n  RAISE EXCEPTION 'self-billing invoice numbers follow each other without a gap'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'self_billing_numbers_have_no_gaps';\nEND IF;\nIF NOT EXISTS (SELECT 1 FROM ib_settlement s JOIN ib_partner p ON p.id = s.partner_id\n               WHERE s.id = NEW.settlement_id AND s.partner_id = NEW.partner_id AND p.brand_id = NEW.brand_id\n                 AND s.currency = NEW.currency AND s.amount > 0 AND NEW.total = s.amount\n                   + coalesce((SELECT sum(n.total) FROM ib_creditnote n WHERE n.settlement_id = s.id), 0)) THEN\n  RAISE EXCEPTION 'a self-billing invoice is about what its settlement credited, and offset by credit notes'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'self_billing_invoice_is_of_its_settlement';\nEND IF;\nRETURN NEW;\n", hash='271af0f3690c6e763dcbf1d2d41f4a2921b33a29', operation='INSERT', pgid='pgtrigger_self_billing_numbers_have_no_gaps_46db2', table='ib_selfbillinginvoice', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='invoicecorrection',
            constraint=models.UniqueConstraint(fields=('invoice', 'settlement'), name='one_correction_per_invoice_and_settlement'),
        ),
        migrations.AddConstraint(
            model_name='invoicecorrection',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='invoice_correction_is_not_zero'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoicecorrection',
            trigger=pgtrigger.compiler.Trigger(name='invoice_correction_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'invoice_correction is append-only: write a new row instead';", hash='3b4ee328b9d22bba2dc687c2200b6ba0fa22d997', operation='UPDATE OR DELETE', pgid='pgtrigger_invoice_correction_no_change_45481', table='ib_invoicecorrection', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoicecorrection',
            trigger=pgtrigger.compiler.Trigger(name='invoice_correction_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'invoice_correction is append-only: write a new row instead';", hash='5e392665ebd92038f40828dc26e16f68b065376e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_invoice_correction_no_truncate_fdf38', table='ib_invoicecorrection', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='heldline',
            index=models.Index(condition=models.Q(('taken__isnull', True)), fields=['partner', 'currency'], name='held_lines_waiting'),
        ),
        migrations.AddConstraint(
            model_name='heldline',
            constraint=models.CheckConstraint(condition=models.Q(('taken__isnull', True), ('taken__gt', models.F('passed')), _connector='OR'), name='held_line_is_taken_by_a_later_settlement'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='heldline',
            trigger=pgtrigger.compiler.Trigger(name='held_line_is_taken_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'DELETE' OR OLD.taken_id IS NOT NULL OR to_jsonb(OLD) - 'taken_id' IS DISTINCT FROM to_jsonb(NEW) - 'taken_id' THEN\n  RAISE EXCEPTION 'a line that waited for its dispute is settled once'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'held_line_is_taken_once';\nEND IF;\nRETURN NEW;\n", hash='c1646dc001165a6ec2e905bbd82503ed6272907a', operation='UPDATE OR DELETE', pgid='pgtrigger_held_line_is_taken_once_5cecb', table='ib_heldline', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.UniqueConstraint(fields=('brand', 'series', 'number'), name='each_credit_note_number_once'),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.UniqueConstraint(fields=('invoice', 'settlement'), name='one_credit_note_per_invoice_and_settlement'),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.CheckConstraint(condition=models.Q(('net__gt', 0), ('total', django.db.models.expressions.CombinedExpression(models.F('net'), '+', models.F('vat'))), ('total__gt', 0), ('vat__gte', 0)), name='credit_note_adds_up'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='creditnote',
            trigger=pgtrigger.compiler.Trigger(name='credit_note_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'credit_note is append-only: write a new row instead';", hash='7d0066585107133aaf79ad0c707270e15f1b858b', operation='UPDATE OR DELETE', pgid='pgtrigger_credit_note_no_change_76957', table='ib_creditnote', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='creditnote',
            trigger=pgtrigger.compiler.Trigger(name='credit_note_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'credit_note is append-only: write a new row instead';", hash='5062a1ea977bdf4186d276a6cfea3f1d78ab4bd9', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_credit_note_no_truncate_a7746', table='ib_creditnote', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='creditnote',
            trigger=pgtrigger.compiler.Trigger(name='credit_note_corrects_an_invoice', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF NEW.number <> 1 + coalesce((SELECT max(n.number) FROM ib_creditnote n\n                               WHERE n.brand_id = NEW.brand_id AND n.series = NEW.series), 0) THEN\n  RAISE EXCEPTION 'credit note numbers follow each other without a gap'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_note_numbers_have_no_gaps';\nEND IF;\nIF NOT EXISTS (\n  SELECT 1 FROM ib_selfbillinginvoice i JOIN ib_settlement s ON s.id = NEW.settlement_id\n  WHERE i.id = NEW.invoice_id AND i.settlement_id < s.id AND i.brand_id = NEW.brand_id AND i.vat_rate = NEW.vat_rate\n    AND (i.partner_id, i.currency) = (NEW.partner_id, NEW.currency) AND (s.partner_id, s.currency) = (NEW.partner_id, NEW.currency)\n    AND i.total >= NEW.total + coalesce((SELECT sum(n.total) FROM ib_creditnote n WHERE n.invoice_id = i.id), 0)\n) OR EXISTS (SELECT 1 FROM ib_selfbillinginvoice o WHERE o.settlement_id = NEW.settlement_id) THEN\n  RAISE EXCEPTION 'a credit note corrects an earlier invoice of its partner, and never more than that was'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_note_is_of_its_invoice';\nEND IF;\nRETURN NEW;\n", hash='6000aee8252da452883dd626507cc99778709ea6', operation='INSERT', pgid='pgtrigger_credit_note_corrects_an_invoice_c312e', table='ib_creditnote', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='clientrebate',
            index=models.Index(fields=['client', 'currency', '-id'], name='rebates_of_a_client'),
        ),
        migrations.AddConstraint(
            model_name='clientrebate',
            constraint=models.UniqueConstraint(fields=('settlement', 'client'), name='one_rebate_per_settlement_and_client'),
        ),
        migrations.AddConstraint(
            model_name='clientrebate',
            constraint=models.UniqueConstraint(condition=models.Q(('previous__isnull', True)), fields=('client', 'currency'), name='one_first_rebate_per_client_and_currency'),
        ),
        migrations.AddConstraint(
            model_name='clientrebate',
            constraint=models.CheckConstraint(condition=models.Q(('accrued', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('amount'), '+', models.F('carried_out')), '-', models.F('carried_in')))), name='client_rebate_adds_up'),
        ),
        migrations.AddConstraint(
            model_name='clientrebate',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount', 0), ('journal_id__isnull', True)), models.Q(models.Q(('amount', 0), _negated=True), ('journal_id__isnull', False)), _connector='OR'), name='credited_rebate_has_a_journal'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clientrebate',
            trigger=pgtrigger.compiler.Trigger(name='client_rebate_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'client_rebate is append-only: write a new row instead';", hash='75601a85b7ad8931bcdcbdab3e5c7ab40db3a937', operation='UPDATE OR DELETE', pgid='pgtrigger_client_rebate_no_change_3afb2', table='ib_clientrebate', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clientrebate',
            trigger=pgtrigger.compiler.Trigger(name='client_rebate_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'client_rebate is append-only: write a new row instead';", hash='2df5e3c4352fc8a3668eb532e8bfcceeb4aacab5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_client_rebate_no_truncate_1b6e4', table='ib_clientrebate', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='settlementperiod',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='commission_period_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='settlementperiod',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('brand', '='), (crm.db.dated.TsTzRange(models.F('starts_at'), models.F('ends_at'), models.Value('[)')), '&&')], name='commission_periods_do_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='settlementperiod',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'open'), ('closed_at__isnull', False), _connector='OR'), name='settled_period_says_when'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='settlementperiod',
            trigger=pgtrigger.compiler.Trigger(name='settled_period_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" = \'closed\')', func="RAISE EXCEPTION 'a settled period never opens again: late facts go into the next one';", hash='2528d20cd5380c8869ca41bd8813ef659b4af116', operation='UPDATE OR DELETE', pgid='pgtrigger_settled_period_stays_26f3d', table='ib_settlementperiod', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='partnerday',
            constraint=models.UniqueConstraint(fields=('partner', 'day', 'period', 'currency'), name='one_sum_per_partner_day_period_and_currency'),
        ),
        migrations.AddIndex(
            model_name='accrual',
            index=models.Index(fields=['partner', 'period', '-id'], name='accruals_of_a_settlement'),
        ),
        migrations.AddIndex(
            model_name='accrual',
            index=models.Index(fields=['client', '-id'], name='accruals_by_client'),
        ),
        migrations.AddIndex(
            model_name='accrual',
            index=models.Index(fields=['partner', 'closed_at', 'id', 'level'], name='accruals_of_a_day'),
        ),
        migrations.AddIndex(
            model_name='accrual',
            index=models.Index(condition=models.Q(('component', 'cpa')), fields=['client', 'version'], name='cpa_of_a_client'),
        ),
        migrations.AddIndex(
            model_name='accrual',
            index=models.Index(condition=models.Q(('kind', 'original'), _negated=True), fields=['deal_id'], name='corrections_of_a_deal'),
        ),
        migrations.AddIndex(
            model_name='accrual',
            index=models.Index(condition=models.Q(('kind', 'passed')), fields=['partner', '-id'], name='passed_on_by_a_partner'),
        ),
        migrations.AddIndex(
            model_name='accrual',
            index=models.Index(condition=models.Q(('state', 'excluded')), fields=['-id'], name='accruals_excluded'),
        ),
        migrations.AddIndex(
            model_name='accrual',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['closed_at'], name='accruals_by_time', pages_per_range=32),
        ),
        migrations.AddConstraint(
            model_name='accrual',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'original')), fields=('deal_id', 'partner', 'level', 'component'), name='one_accrual_per_deal_partner_level_and_component'),
        ),
        migrations.AddConstraint(
            model_name='accrual',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'delta')), fields=('run', 'deal_id', 'partner', 'level', 'component', 'currency'), name='one_correction_per_run_deal_partner_level_and_component'),
        ),
        migrations.AddConstraint(
            model_name='accrual',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'delta'), models.Q(('source', ''), _negated=True)), fields=('source', 'deal_id', 'partner', 'level', 'component', 'currency'), name='a_replay_adjusts_a_line_once'),
        ),
        migrations.AddConstraint(
            model_name='accrual',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'clawback')), fields=('source', 'corrects'), name='a_clawback_takes_an_accrual_once'),
        ),
        migrations.AddConstraint(
            model_name='accrual',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'restored')), fields=('source', 'corrects'), name='a_clawback_is_given_back_once'),
        ),
        migrations.AddConstraint(
            model_name='accrual',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'adjusted')), fields=('source',), name='a_dispute_adjusts_a_commission_once'),
        ),
        migrations.AddConstraint(
            model_name='accrual',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'excluded'), _negated=True), models.Q(('amount', 0), ('rate_amount', 0), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='excluded_trade_pays_nothing_and_says_why'),
        ),
        migrations.AddConstraint(
            model_name='accrual',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'original'), ('state', 'accrued'), _negated=True), models.Q(models.Q(('amount__gte', 0), ('component', 'loss'), _connector='OR'), ('fx_rate__isnull', False), ('rate__isnull', False), ('reason', ''), ('share__isnull', False), ('version__isnull', False)), _connector='OR'), name='accrual_says_how_it_was_computed'),
        ),
        migrations.AddConstraint(
            model_name='accrual',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('corrects__isnull', True), ('kind', 'original')), models.Q(models.Q(('kind', 'original'), _negated=True), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='correction_says_why'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accrual',
            trigger=pgtrigger.compiler.Trigger(name='accrual_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'accrual is append-only: write a new row instead';", hash='09570745cea9d32bd42c8186fffe6e2c3cbd5423', operation='UPDATE OR DELETE', pgid='pgtrigger_accrual_no_change_e65d4', table='ib_accrual', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accrual',
            trigger=pgtrigger.compiler.Trigger(name='accrual_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'accrual is append-only: write a new row instead';", hash='2f23a3c7ec6a98a5861ec3fd7b59381ae3c097b9', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_accrual_no_truncate_6eb73', table='ib_accrual', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accrual',
            trigger=pgtrigger.compiler.Trigger(name='accrual_points_at_real_rows', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE is_closed boolean; is_lost boolean;', func="\nSELECT bool_or(s.id IS NULL OR s.state <> 'open'),\n  bool_or(p.id IS NULL OR i.id IS NULL OR r.id IS NULL OR c.id IS NULL OR (n.version_id IS NOT NULL AND v.id IS NULL))\nINTO is_closed, is_lost\nFROM (SELECT DISTINCT period_id, partner_id, introducer_id, run_id, version_id, client_id FROM new_rows) n\nLEFT JOIN ib_settlementperiod s ON s.id = n.period_id\nLEFT JOIN ib_partner p ON p.id = n.partner_id\nLEFT JOIN ib_partner i ON i.id = n.introducer_id\nLEFT JOIN ib_commissionrun r ON r.id = n.run_id\nLEFT JOIN ib_planversion v ON v.id = n.version_id\nLEFT JOIN clients_client c ON c.id = n.client_id;\nIF is_closed THEN\n  RAISE EXCEPTION 'a closed commission period takes no accrual'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'accrual_is_in_an_open_period';\nELSIF is_lost THEN\n  RAISE EXCEPTION 'an accrual points at a row that does not exist'\n    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'accrual_points_at_real_rows';\nEND IF;\nRETURN NULL;\n", hash='5b63fa99ca09412d048ec21ed6297d92e8d40812', level='STATEMENT', operation='INSERT', pgid='pgtrigger_accrual_points_at_real_rows_af484', referencing='REFERENCING NEW TABLE AS new_rows ', table='ib_accrual', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='settlementterms',
            index=models.Index(fields=['partner', '-id'], name='settlement_terms_by_partner'),
        ),
        migrations.AddConstraint(
            model_name='settlementterms',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='settlement_terms_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='settlementterms',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='settlement_terms_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='settlementterms',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='settlement_terms_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='settlementterms',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='settlement_terms_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='settlementterms',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='settlement_terms_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='settlementterms',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('partner',), name='one_proposal_of_settlement_terms_waits'),
        ),
        migrations.AddConstraint(
            model_name='settlementterms',
            constraint=models.CheckConstraint(condition=models.Q(('hold_days__lte', 365), ('minimum__gte', 0), models.Q(('approval_above__isnull', True), ('approval_above__gte', 0), _connector='OR')), name='settlement_terms_are_not_below_zero'),
        ),
        migrations.AddConstraint(
            model_name='settlementterms',
            constraint=models.CheckConstraint(condition=models.Q(('payout_day__gte', 1), ('payout_day__lte', 28), models.Q(models.Q(('payout_schedule', 'weekly'), _negated=True), ('payout_day__lte', 7), _connector='OR')), name='payout_day_is_of_its_schedule'),
        ),
        migrations.AddConstraint(
            model_name='settlementterms',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('vat_rate__gt', 0), ('vat_rate__lt', 100), ('vat_treatment', 'standard')), models.Q(models.Q(('vat_treatment', 'standard'), _negated=True), ('vat_rate', 0)), _connector='OR'), name='vat_rate_is_that_of_its_treatment'),
        ),
        migrations.AddConstraint(
            model_name='settlementterms',
            constraint=models.CheckConstraint(condition=models.Q(('vat_treatment__in', ['none', 'exempt']), models.Q(('vat_id', ''), _negated=True), _connector='OR'), name='vat_needs_a_vat_number'),
        ),
        migrations.AddConstraint(
            model_name='settlementterms',
            constraint=models.CheckConstraint(condition=models.Q(('vat_treatment', 'none'), models.Q(('legal_name', ''), ('address', ''), _connector='OR', _negated=True), _connector='OR'), name='an_invoice_has_a_supplier'),
        ),
        migrations.AddIndex(
            model_name='settlement',
            index=models.Index(fields=['partner', '-id'], name='settlements_by_partner'),
        ),
        migrations.AddIndex(
            model_name='settlement',
            index=models.Index(fields=['partner', 'currency', '-id'], name='settlements_by_currency'),
        ),
        migrations.AddConstraint(
            model_name='settlement',
            constraint=models.UniqueConstraint(condition=models.Q(('previous__isnull', True)), fields=('partner', 'currency'), name='one_first_settlement_per_partner_and_currency'),
        ),
        migrations.AddConstraint(
            model_name='settlement',
            constraint=models.CheckConstraint(condition=models.Q(('accrued', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('amount'), '+', models.F('carried_out')), '+', models.F('written_off')), '-', models.F('carried_in')))), name='settlement_adds_up'),
        ),
        migrations.AddConstraint(
            model_name='settlement',
            constraint=models.CheckConstraint(condition=models.Q(('written_off', 0), models.Q(('amount', 0), ('carried_out', 0), ('written_off__lt', 0)), _connector='OR'), name='only_a_negative_balance_is_written_off'),
        ),
        migrations.AddConstraint(
            model_name='settlement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('journal_id__isnull', False), ('state', 'paid')), models.Q(models.Q(('state', 'paid'), _negated=True), ('amount', 0), ('journal_id__isnull', True)), _connector='OR'), name='paid_settlement_has_a_journal'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='settlement',
            trigger=pgtrigger.compiler.Trigger(name='settlement_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'settlement is append-only: write a new row instead';", hash='e247949eb030ed3c998b1cb1516dec1135e848e8', operation='UPDATE OR DELETE', pgid='pgtrigger_settlement_no_change_f92ce', table='ib_settlement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='settlement',
            trigger=pgtrigger.compiler.Trigger(name='settlement_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'settlement is append-only: write a new row instead';", hash='e214ec91937999259ba0055cdb1bbdf0c8b8e006', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_settlement_no_truncate_e198b', table='ib_settlement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='settlement',
            trigger=pgtrigger.compiler.Trigger(name='settlement_follows_the_last', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF NOT EXISTS (\n  SELECT 1 FROM (SELECT 1) one LEFT JOIN LATERAL (\n    SELECT s.* FROM ib_settlement s WHERE s.partner_id = NEW.partner_id AND s.currency = NEW.currency\n    ORDER BY s.id DESC LIMIT 1\n  ) last ON true\n  WHERE last.id IS NOT DISTINCT FROM NEW.previous_id AND coalesce(last.carried_out, 0) = NEW.carried_in\n    AND (last.id IS NULL OR (last.to_id <= NEW.to_id AND last.to_at <= NEW.to_at))\n) THEN\n  RAISE EXCEPTION 'a settlement begins where the last one of its partner and currency ended'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'settlement_follows_the_last';\nEND IF;\nRETURN NEW;\n", hash='b1ee459f849cd1963defb621b8144519680631e1', operation='INSERT', pgid='pgtrigger_settlement_follows_the_last_e979e', table='ib_settlement', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='upline',
            index=models.Index(fields=['ancestor', 'ends_at', 'level', 'partner'], name='downline_of_a_partner'),
        ),
        migrations.AddConstraint(
            model_name='upline',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='upline_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='upline',
            constraint=models.CheckConstraint(condition=models.Q(('level__gte', 1)), name='upline_level_counts_from_one'),
        ),
        migrations.AddConstraint(
            model_name='upline',
            constraint=models.UniqueConstraint(fields=('partner', 'level', 'starts_at'), name='upline_has_one_partner_per_level'),
        ),
        migrations.AddConstraint(
            model_name='whatif',
            constraint=models.CheckConstraint(condition=models.Q(('to_at__gt', models.F('from_at'))), name='what_if_ends_after_it_starts'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='whatif',
            trigger=pgtrigger.compiler.Trigger(name='what_if_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'what_if is append-only: write a new row instead';", hash='3fa7af511a290b10c249d31cc310c693f3857e37', operation='UPDATE OR DELETE', pgid='pgtrigger_what_if_no_change_82d64', table='ib_whatif', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='whatif',
            trigger=pgtrigger.compiler.Trigger(name='what_if_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'what_if is append-only: write a new row instead';", hash='fa42240f297e71153e72cfef87129f6f434055bc', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_what_if_no_truncate_68af1', table='ib_whatif', when='BEFORE')),
        ),
        *sql_files("ib", "erasure"),
        migrations.CreateModel(
            name='RevenueMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(help_text="Its first day, in the brand's time zone")),
                ('decided_at', models.DateTimeField(help_text='Last instant of the referral in it: agreement, tree and status are as of then')),
                ('currency', models.CharField(max_length=5)),
                ('pip_worth', models.DecimalField(decimal_places=8, help_text='Worth of a pip of the closed volume', max_digits=24, null=True)),
                ('charged', models.DecimalField(decimal_places=8, help_text='Commission that the platform charged', max_digits=24, null=True)),
                ('swaps', models.DecimalField(decimal_places=8, help_text='Swaps; what was credited to the client is below zero', max_digits=24, null=True)),
                ('lost', models.DecimalField(decimal_places=8, help_text='What the client lost by trading; gains are below zero', max_digits=24, null=True)),
                ('booked', models.DecimalField(decimal_places=8, help_text='By the ledger: fees that the client was charged, less bonuses', max_digits=24, null=True)),
                ('lots', models.DecimalField(decimal_places=8, default=0, help_text="Closed, in the broker's lots", max_digits=20)),
                ('calculated_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-month', 'client_id'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='accrual',
            name='accrual_says_how_it_was_computed',
        ),
        migrations.AddField(
            model_name='planversion',
            name='carries_negative',
            field=models.BooleanField(default=True),
        ),
        migrations.AddConstraint(
            model_name='accrual',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'original'), ('state', 'accrued'), _negated=True), models.Q(models.Q(('amount__gte', 0), ('component__in', ('loss', 'revenue', 'net_result')), _connector='OR'), ('fx_rate__isnull', False), ('rate__isnull', False), ('reason', ''), ('share__isnull', False), ('version__isnull', False)), _connector='OR'), name='accrual_says_how_it_was_computed'),
        ),
        migrations.AddConstraint(
            model_name='plancomponent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('component__in', ('revenue', 'net_result', 'pot', 'sale', 'sale_share')), _negated=True), models.Q(('accounts', ''), ('group', '')), _connector='OR'), name='monthly_component_is_of_all_accounts'),
        ),
        migrations.AddField(
            model_name='revenuemonth',
            name='client',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client'),
        ),
        migrations.AddField(
            model_name='revenuemonth',
            name='partner',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.partner'),
        ),
        migrations.AddConstraint(
            model_name='revenuemonth',
            constraint=models.UniqueConstraint(fields=('month', 'client', 'partner'), name='one_revenue_month_per_client_and_partner'),
        ),
        migrations.AddConstraint(
            model_name='revenuemonth',
            constraint=models.CheckConstraint(condition=models.Q(('month__day', 1)), name='revenue_month_is_named_by_its_first_day'),
        ),
        migrations.CreateModel(
            name='Postback',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed_secret', models.BinaryField()),
                ('url', models.CharField(help_text='With macros in braces', max_length=1000)),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('lead', 'Lead accepted'), ('registration', 'Registration'), ('kyc_approved', 'Verified'), ('ftd', 'First deposit'), ('active', 'Active')], max_length=12), size=None)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('partner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='postbacks', to='ib.partner')),
                ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='postbacks', to='leads.leadsource')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='PostbackKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed_secret', models.BinaryField()),
                ('code', models.CharField(max_length=32, unique=True)),
                ('refused_on', models.DateField(help_text='The day that refused_count counts', null=True)),
                ('refused_count', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('partner', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='postback_key', to='ib.partner')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='PostbackDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(choices=[('lead', 'Lead accepted'), ('registration', 'Registration'), ('kyc_approved', 'Verified'), ('ftd', 'First deposit'), ('active', 'Active')], max_length=12)),
                ('url', models.CharField(max_length=3000)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('delivered', 'Delivered'), ('failed', 'Failed')], default='waiting', max_length=9)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_at', models.DateTimeField()),
                ('status_code', models.PositiveSmallIntegerField(null=True)),
                ('failure', models.CharField(blank=True, choices=[('refused', 'Answered with an error'), ('redirected', "Answered with a redirect, which isn't followed"), ('timeout', 'No answer in time'), ('unreachable', 'Not reachable, or a private address'), ('oversized', 'The answer was too large'), ('stopped', 'Switched off before it was sent')], max_length=11)),
                ('created_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('postback', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='ib.postback')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['next_at'], name='postbacks_to_send'), models.Index(fields=['postback', '-id'], name='deliveries_of_a_postback')],
                'constraints': [models.UniqueConstraint(fields=('postback', 'client', 'event'), name='a_postback_is_sent_once_per_client_and_step'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'delivered'), _negated=True), models.Q(('done_at__isnull', False), ('failure', '')), _connector='OR'), name='a_delivered_postback_has_no_failure')],
            },
        ),
        migrations.CreateModel(
            name='PostbackReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('received_at', models.DateTimeField()),
                ('query', models.CharField(help_text='As received, without the signature', max_length=2000)),
                ('state', models.CharField(choices=[('received', 'Received'), ('refused', 'Refused'), ('counted', 'Counted'), ('matched', 'Your client'), ('unmatched', 'No client found')], default='received', max_length=9)),
                ('report_id', models.CharField(blank=True, help_text="The network's own id: the same one counts once", max_length=100)),
                ('kind', models.CharField(blank=True, choices=[('click', 'Click'), ('conversion', 'Conversion')], max_length=10)),
                ('click_id', models.CharField(blank=True, max_length=200)),
                ('sub_id', models.CharField(blank=True, max_length=60)),
                ('repeats', models.PositiveIntegerField(default=0)),
                ('client', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('key', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='ib.postbackkey')),
                ('link', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.referrallink')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['key', '-id'], name='reports_of_a_network'), models.Index(condition=models.Q(('click_id', ''), _negated=True), fields=['click_id'], name='reported_clicks')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('report_id', ''), _negated=True), fields=('key', 'report_id'), name='a_report_of_a_network_counts_once')],
            },
        ),
        migrations.CreateModel(
            name='PartnerMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('owner', 'Owner'), ('finance', 'Finance'), ('marketing', 'Marketing'), ('read_only', 'Read-only')], max_length=10)),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('added_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='ib.partner')),
                ('removed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='partner_membership', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['partner', '-id'], name='members_of_a_partner')],
                'constraints': [models.CheckConstraint(condition=models.Q(('role__in', ['owner', 'finance', 'marketing', 'read_only'])), name='partner_member_has_a_role_of_the_catalogue'), models.CheckConstraint(condition=models.Q(('removed_by__isnull', True), ('removed_at__isnull', False), _connector='OR'), name='who_removed_a_partner_member_did_so_at_a_time')],
            },
        ),
        migrations.AlterField(
            model_name='postbackreport',
            name='state',
            field=models.CharField(choices=[('received', 'Received'), ('refused', 'Refused'), ('counted', 'Counted'), ('matched', 'Your client'), ('unmatched', 'No client found'), ('claimed', 'Under review')], default='received', max_length=9),
        ),
        migrations.CreateModel(
            name='AttributionProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.partner')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='attribution_proposal_has_a_reason'), models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='attribution_proposal_is_decided_by_somebody_else'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='attribution_proposal_is_withdrawn_by_its_maker'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='attribution_proposal_is_rejected_with_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='attribution_proposal_is_decided_by_a_person'), models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('client',), name='one_attribution_proposal_of_a_client_waits')],
            },
        ),
        migrations.CreateModel(
            name='ClientClaim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('partner', "Partner's form"), ('network', 'Affiliate network')], max_length=8)),
                ('named', models.CharField(help_text='Who is meant: the masked address, or the click id', max_length=120)),
                ('came_on', models.DateField(null=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('state', models.CharField(choices=[('open', 'Under review'), ('accepted', 'Accepted'), ('rejected', 'Rejected')], default='open', max_length=8)),
                ('opened_at', models.DateTimeField()),
                ('answer', models.CharField(blank=True, max_length=300)),
                ('decided_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(help_text='Empty where none has this address', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='ib.partner')),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.workitem')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['partner', '-id'], name='claims_of_a_partner')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('partner', 'client'), name='one_open_claim_per_partner_and_client'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False), models.Q(('answer', ''), _negated=True)), _connector='OR'), name='a_decided_claim_has_an_answer'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'accepted'), _negated=True), ('client__isnull', False), _connector='OR'), name='an_accepted_claim_names_a_client')],
            },
        ),
        migrations.AddField(
            model_name='plan',
            name='is_for_sub_partners',
            field=models.BooleanField(default=False, help_text='Partners may offer it to sub-partners'),
        ),
        migrations.CreateModel(
            name='SubPartnerOffer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('percent', models.DecimalField(decimal_places=2, default=100, max_digits=5)),
                ('code', models.SlugField(max_length=24, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(help_text='Who invites', on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='ib.partner')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.plan')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='partnerapplication',
            name='offer',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='applications', to='ib.subpartneroffer'),
        ),
        migrations.AddIndex(
            model_name='subpartneroffer',
            index=models.Index(fields=['partner', '-id'], name='offers_by_partner'),
        ),
        migrations.AddConstraint(
            model_name='subpartneroffer',
            constraint=models.CheckConstraint(condition=models.Q(('percent__gt', 0), ('percent__lte', Decimal('200'))), name='offered_ratio_is_within_bounds'),
        ),
        migrations.AddConstraint(
            model_name='subpartneroffer',
            constraint=models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('partner', 'name'), name='open_offers_of_a_partner_have_names_of_their_own'),
        ),
        migrations.CreateModel(
            name='ReferralReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('score', models.PositiveSmallIntegerField()),
                ('reasons', models.JSONField()),
                ('state', models.CharField(choices=[('open', 'Under review'), ('abuse', 'Abuse confirmed'), ('cleared', 'No abuse')], default='open', max_length=8)),
                ('opened_at', models.DateTimeField()),
                ('judged_at', models.DateTimeField()),
                ('answer', models.CharField(blank=True, max_length=300)),
                ('decided_at', models.DateTimeField(null=True)),
                ('released_at', models.DateTimeField(help_text='When payouts were released after confirmed abuse', null=True)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='ib.partner')),
                ('released_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.workitem')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['partner', '-id'], name='referral_reviews_of_a_partner')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('partner',), name='one_open_referral_review_per_partner'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False), models.Q(('answer', ''), _negated=True)), _connector='OR'), name='a_decided_referral_review_has_a_reason'), models.CheckConstraint(condition=models.Q(('score__lte', 100)), name='referral_score_is_at_most_100')],
            },
        ),
        migrations.CreateModel(
            name='Material',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('language', models.CharField(blank=True, help_text='Empty: for all languages', max_length=8)),
                ('alt', models.CharField(help_text="What the picture says, for those who don't see it", max_length=160)),
                ('page', models.CharField(blank=True, help_text='Slug of the landing page; empty: registration', max_length=60)),
                ('content', models.BinaryField()),
                ('content_type', models.CharField(max_length=20)),
                ('sha256', models.CharField(max_length=64)),
                ('width', models.PositiveSmallIntegerField()),
                ('height', models.PositiveSmallIntegerField()),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='materials', to='crm.brand')),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='MaterialDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('views', models.PositiveIntegerField(default=0)),
                ('clicks', models.PositiveIntegerField(default=0)),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='material_days', to='ib.referrallink')),
                ('material', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='days', to='ib.material')),
            ],
            options={
                'ordering': ['-day'],
            },
        ),
        migrations.AddConstraint(
            model_name='material',
            constraint=models.UniqueConstraint(fields=('brand', 'sha256'), name='a_banner_is_uploaded_once_per_brand'),
        ),
        migrations.AddConstraint(
            model_name='material',
            constraint=models.CheckConstraint(condition=models.Q(('height__gte', 50), ('height__lte', 2000), ('width__gte', 50), ('width__lte', 2000)), name='banner_sides_are_within_bounds'),
        ),
        migrations.AddConstraint(
            model_name='materialday',
            constraint=models.UniqueConstraint(fields=('link', 'material', 'day'), name='one_row_per_banner_link_and_day'),
        ),
        migrations.AlterField(
            model_name='material',
            name='alt',
            field=models.CharField(help_text="Read out to people who can't see the picture", max_length=160),
        ),
        migrations.AddField(
            model_name='historicalpartner',
            name='last_day',
            field=models.DateField(blank=True, help_text="By the brand's calendar; they leave after it", null=True),
        ),
        migrations.AddField(
            model_name='historicalpartner',
            name='leaving_reason',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name='partner',
            name='last_day',
            field=models.DateField(blank=True, help_text="By the brand's calendar; they leave after it", null=True),
        ),
        migrations.AddField(
            model_name='partner',
            name='leaving_reason',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.CreateModel(
            name='MonthlyFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(help_text='Its first day, UTC as in the daily sums')),
                ('sent_at', models.DateTimeField()),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='monthly_figures', to='ib.partner')),
            ],
            options={
                'ordering': ['-month', 'partner_id'],
                'constraints': [models.UniqueConstraint(fields=('partner', 'month'), name='a_month_is_sent_once_per_partner'), models.CheckConstraint(condition=models.Q(('month__day', 1)), name='month_sent_is_named_by_its_first_day')],
            },
        ),
        migrations.CreateModel(
            name='PartnerNews',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('chosen', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), help_text='The partners chosen in the list', null=True, size=None)),
                ('notifies', models.BooleanField(default=False, help_text='Also in the bell and by e-mail, as each login has set it')),
                ('notified_at', models.DateTimeField(null=True)),
                ('texts', models.JSONField(help_text='By language: [title, text]')),
                ('starts_on', models.DateField(help_text="By the brand's calendar")),
                ('ends_on', models.DateField(help_text='The last day on which it is shown')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='partner_news', to='crm.brand')),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.partner')),
                ('withdrawn_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'partner news',
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('notified_at__isnull', True), ('notifies', True), ('withdrawn_at__isnull', True)), fields=['id'], name='ib_news_to_notify')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='news_end_after_they_start'), models.CheckConstraint(condition=models.Q(('texts', {}), _negated=True), name='news_say_something'), models.CheckConstraint(condition=models.Q(('chosen__isnull', True), models.Q(('chosen__len__gte', 1), ('chosen__len__lte', 1000), ('partner__isnull', True)), _connector='OR'), name='news_are_for_a_network_or_for_chosen_partners'), models.CheckConstraint(condition=models.Q(('notified_at__isnull', True), ('notifies', True), _connector='OR'), name='news_notify_where_they_should')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='partnernews',
            trigger=pgtrigger.compiler.Trigger(name='published_news_stay', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'INSERT' THEN\n  IF NEW.partner_id IS NOT NULL AND NEW.brand_id <> (SELECT brand_id FROM ib_partner WHERE id = NEW.partner_id)\n     OR EXISTS (\n       SELECT FROM unnest(NEW.chosen) one LEFT JOIN ib_partner p ON p.id = one AND p.brand_id = NEW.brand_id WHERE p.id IS NULL\n     ) THEN\n    RAISE EXCEPTION 'news of a partner are of the partner''s brand'\n      USING ERRCODE = 'check_violation', CONSTRAINT = 'news_stay_in_the_brand';\n  END IF;\nELSIF TG_OP = 'DELETE' OR OLD.withdrawn_at IS NOT NULL\n   OR OLD.notified_at IS NOT NULL AND NEW.notified_at IS DISTINCT FROM OLD.notified_at\n   OR to_jsonb(OLD) - 'withdrawn_at' - 'withdrawn_by_id' - 'notified_at'\n     IS DISTINCT FROM to_jsonb(NEW) - 'withdrawn_at' - 'withdrawn_by_id' - 'notified_at' THEN\n  RAISE EXCEPTION 'published news stay as they were; withdraw them and publish others';\nEND IF;\nRETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;\n", hash='479bf453edc8335ecf68d9e02314330c62c427c4', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_published_news_stay_ceadf', table='ib_partnernews', when='BEFORE')),
        ),
        migrations.CreateModel(
            name='PartnerTask',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=160)),
                ('due_on', models.DateField(help_text="By the brand's calendar")),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('done_at', models.DateTimeField(null=True)),
                ('result', models.CharField(blank=True, max_length=300)),
                ('assignee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('done_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='ib.partner')),
            ],
            options={
                'ordering': ['due_on', 'id'],
                'indexes': [models.Index(fields=['partner', 'due_on'], name='partner_tasks_by_partner'), models.Index(fields=['due_on', 'id'], name='partner_tasks_by_day'), models.Index(condition=models.Q(('done_at__isnull', True)), fields=['assignee', 'due_on'], name='partner_tasks_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='partner_task_has_a_title'), models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', True), ('done_by__isnull', True), ('result', '')), models.Q(('done_at__isnull', False), ('done_by__isnull', False)), _connector='OR'), name='done_partner_task_says_who_and_when')],
            },
        ),
        migrations.CreateModel(
            name='RevenueDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('currency', models.CharField(max_length=5)),
                ('charged', models.DecimalField(decimal_places=8, help_text='Commission that the platform charged', max_digits=24)),
                ('lost', models.DecimalField(decimal_places=8, help_text='What clients lost by trading, swaps included; gains are below zero', max_digits=24)),
                ('cost', models.DecimalField(decimal_places=8, help_text='What all partners earned on these clients', max_digits=24)),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='revenue_days', to='ib.partner')),
            ],
            options={
                'ordering': ['-day', 'partner_id'],
                'constraints': [models.UniqueConstraint(fields=('partner', 'day', 'currency'), name='one_revenue_day_per_partner_and_currency')],
            },
        ),
        migrations.AddConstraint(
            model_name='postback',
            constraint=models.CheckConstraint(condition=models.Q(('partner__isnull', True), ('source__isnull', True), _connector='XOR'), name='a_postback_has_one_owner'),
        ),
        migrations.CreateModel(
            name='ChallengeSale',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('challenge_number', models.BigIntegerField(unique=True)),
                ('sold_at', models.DateTimeField()),
                ('price', models.DecimalField(decimal_places=8, max_digits=24)),
                ('currency', models.CharField(max_length=5)),
                ('returned_at', models.DateTimeField(null=True)),
                ('returned_because', models.CharField(blank=True, choices=[('refunded', 'Refunded with the first payout'), ('charged_back', 'Charged back')], max_length=12)),
            ],
            options={
                'ordering': ['-id'],
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='challengesale',
            name='client',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client'),
        ),
        migrations.AddIndex(
            model_name='challengesale',
            index=models.Index(fields=['sold_at'], name='challenges_sold_by_time'),
        ),
        migrations.AddConstraint(
            model_name='challengesale',
            constraint=models.CheckConstraint(condition=models.Q(('price__gt', 0)), name='sold_challenge_has_a_price'),
        ),
        migrations.AddConstraint(
            model_name='challengesale',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('returned_at__isnull', True), ('returned_because', '')), models.Q(('returned_at__isnull', False), models.Q(('returned_because', ''), _negated=True)), _connector='OR'), name='returned_fee_says_why'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='challengesale',
            trigger=pgtrigger.compiler.Trigger(name='challenge_sale_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."client_id" IS DISTINCT FROM (NEW."client_id") OR OLD."challenge_number" IS DISTINCT FROM (NEW."challenge_number") OR OLD."sold_at" IS DISTINCT FROM (NEW."sold_at") OR OLD."price" IS DISTINCT FROM (NEW."price") OR OLD."currency" IS DISTINCT FROM (NEW."currency"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b243445cc785b8a958fb1b9829d35a82c9860a0d', operation='UPDATE', pgid='pgtrigger_challenge_sale_stays_13832', table='ib_challengesale', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='challengesale',
            trigger=pgtrigger.compiler.Trigger(name='challenge_sale_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='42a14a6543123667f46f38bcef4a1fb9b1096731', operation='DELETE', pgid='pgtrigger_challenge_sale_is_never_deleted_b13b7', table='ib_challengesale', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='challengesale',
            trigger=pgtrigger.compiler.Trigger(name='fee_of_a_challenge_is_returned_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."returned_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='d9dfe7c53b3831ba135c369a7111d470f4f40076', operation='UPDATE', pgid='pgtrigger_fee_of_a_challenge_is_returned_once_d913f', table='ib_challengesale', when='BEFORE')),
        ),
        migrations.CreateModel(
            name='SourceDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('kind', models.CharField(help_text='link, sub, country, source, medium or campaign', max_length=8)),
                ('key', models.CharField(blank=True, help_text="The link's id, the sub-id, the country or the tag", max_length=60)),
                ('clicks', models.BigIntegerField()),
                ('partner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='source_days', to='ib.partner')),
            ],
            options={
                'ordering': ['-day'],
                'constraints': [models.UniqueConstraint(fields=('partner', 'kind', 'day', 'key'), name='one_source_day_per_partner_and_key')],
            },
        ),
    ]

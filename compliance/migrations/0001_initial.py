from django.conf import settings
from decimal import Decimal
import pgtrigger.migrations
import pgtrigger.compiler
import django.db.models.functions.datetime
import django.db.models.deletion
import django.core.validators
import django.contrib.postgres.indexes
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.fields
import django.contrib.postgres.constraints
import crm.conditions.expression
import compliance.models.vendors
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('clients', '0001_initial'),
        ('clients', '0002_sql'),
        ('crm', '0002_sql'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('crm', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='AmlAlert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('episode', models.BigIntegerField()),
                ('is_shadow', models.BooleanField()),
                ('at', models.DateTimeField()),
                ('value', models.DecimalField(decimal_places=2, max_digits=20)),
                ('base_amount', models.DecimalField(decimal_places=2, default=0, help_text='Of its evidence together', max_digits=20)),
                ('raised_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='AmlBacktest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content_hash', models.CharField(max_length=64)),
                ('start', models.DateTimeField()),
                ('end', models.DateTimeField()),
                ('at', models.DateTimeField()),
                ('alert_count', models.PositiveIntegerField()),
                ('client_count', models.PositiveIntegerField()),
                ('weeks', models.JSONField(default=list)),
                ('samples', models.JSONField(default=list)),
                ('overlap', models.JSONField(default=list)),
                ('duration_ms', models.PositiveIntegerField()),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='AmlCase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Open'), ('no_suspicion', 'No suspicion'), ('monitored', 'Monitored'), ('restricted', 'Restricted')], default='open', max_length=12)),
                ('score', models.PositiveIntegerField(default=0, help_text="From severity, money and the client's risk: what comes first")),
                ('opened_at', models.DateTimeField()),
                ('last_alert_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason', models.TextField(blank=True)),
                ('monitor_until', models.DateField(null=True)),
            ],
            options={
                'verbose_name': 'AML case',
                'ordering': ['-score', 'id'],
                'permissions': [('decide_amlcase', 'May decide AML cases'), ('see_amlreports', 'May see that a suspicion was reported, and report one')],
            },
        ),
        migrations.CreateModel(
            name='AmlClosedPosition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=60, unique=True)),
                ('login', models.CharField(max_length=32)),
                ('symbol', models.CharField(help_text='Without what a server adds to it', max_length=32)),
                ('is_long', models.BooleanField()),
                ('volume', models.DecimalField(decimal_places=8, max_digits=28)),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField()),
                ('net_base', models.DecimalField(decimal_places=2, max_digits=20)),
            ],
            options={
                'ordering': ['-closed_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='AmlEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='AmlMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(help_text='Its first day')),
                ('total', models.DecimalField(decimal_places=2, max_digits=20)),
            ],
            options={
                'ordering': ['-month'],
            },
        ),
        migrations.CreateModel(
            name='AmlMovement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=60, unique=True)),
                ('kind', models.CharField(choices=[('deposit', 'Deposit'), ('withdrawal', 'Withdrawal'), ('withdrawal_back', 'Withdrawal refused'), ('chargeback', 'Chargeback'), ('refund', 'Refund'), ('trade_gain', 'Gain by opposite trades'), ('trade_loss', 'Loss by opposite trades')], max_length=16)),
                ('at', models.DateTimeField()),
                ('method', models.CharField(choices=[('card', 'Card'), ('wallet', 'E-wallet'), ('bank', 'Bank transfer'), ('crypto', 'Crypto'), ('cashier', 'Local method'), ('trade', 'Trading')], max_length=8)),
                ('instrument', models.CharField(blank=True, max_length=80)),
                ('instrument_mark', models.CharField(blank=True, max_length=32)),
                ('is_third_party', models.BooleanField(default=False, help_text="The payer's name isn't the client's")),
                ('is_return', models.BooleanField(default=False, help_text='Goes back to the deposit that it came from')),
                ('currency', models.CharField(max_length=5)),
                ('amount', models.DecimalField(decimal_places=8, max_digits=28)),
                ('base_amount', models.DecimalField(decimal_places=2, max_digits=20)),
                ('country', models.CharField(blank=True, help_text='Of residence when it moved', max_length=2)),
                ('bank_country', models.CharField(blank=True, help_text="Of the bank account's IBAN; empty where there is none", max_length=2)),
                ('card_country', models.CharField(blank=True, db_default='', help_text="That issued the card; empty where it isn't known", max_length=2)),
                ('recorded_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='AmlOppositeTrade',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(help_text='When the later of the two was closed')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20)),
                ('is_streamed', models.BooleanField(default=False)),
            ],
            options={
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='AmlPending',
            fields=[
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='clients.client')),
                ('since', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'aml pending',
                'ordering': ['client_id'],
            },
        ),
        migrations.CreateModel(
            name='ListEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(help_text="The publisher's key", max_length=120)),
                ('kind', models.CharField(choices=[('person', 'Person'), ('entity', 'Organisation'), ('vessel', 'Ship or aircraft')], max_length=8)),
                ('primary_name', models.CharField(max_length=300)),
                ('births', models.JSONField(default=list)),
                ('countries', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), default=list, size=None)),
                ('programs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), default=list, size=None)),
                ('gender', models.CharField(blank=True, max_length=1)),
                ('identifiers', models.JSONField(default=list)),
                ('addresses', models.JSONField(default=list)),
                ('topics', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=12), default=list, help_text='What it is listed for: sanction, pep, …', size=None)),
                ('listed_on', models.DateField(null=True)),
                ('remarks', models.TextField(blank=True)),
                ('content_hash', models.CharField(max_length=64)),
                ('is_listed', models.BooleanField(default=True)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AddField(
            model_name='amlalert',
            name='client',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='aml_alerts', to='clients.client'),
        ),
        migrations.AddField(
            model_name='amlbacktest',
            name='by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='amlcase',
            name='client',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='aml_cases', to='clients.client'),
        ),
        migrations.AddField(
            model_name='amlcase',
            name='decided_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='amlcase',
            name='follows',
            field=models.ForeignKey(help_text='The case whose monitoring ended', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.amlcase'),
        ),
        migrations.AddField(
            model_name='amlcase',
            name='work',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='aml_case', to='crm.workitem'),
        ),
        migrations.AddField(
            model_name='amlalert',
            name='case',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='compliance.amlcase'),
        ),
        migrations.AddField(
            model_name='amlclosedposition',
            name='brand',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand'),
        ),
        migrations.AddField(
            model_name='amlclosedposition',
            name='client',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client'),
        ),
        migrations.AddField(
            model_name='amlevidence',
            name='alert',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='compliance.amlalert'),
        ),
        migrations.AddField(
            model_name='amlmonth',
            name='brand',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand'),
        ),
        migrations.AddField(
            model_name='amlmonth',
            name='client',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client'),
        ),
        migrations.AddField(
            model_name='amlmovement',
            name='brand',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand'),
        ),
        migrations.AddField(
            model_name='amlmovement',
            name='client',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='aml_movements', to='clients.client'),
        ),
        migrations.AddField(
            model_name='amlmovement',
            name='counterpart',
            field=models.ForeignKey(db_index=False, help_text='The other client, where money moved between two of ours', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client'),
        ),
        migrations.AddField(
            model_name='amlevidence',
            name='movement',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.amlmovement'),
        ),
        migrations.AddField(
            model_name='amlalert',
            name='movement',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.amlmovement'),
        ),
        migrations.AddField(
            model_name='amloppositetrade',
            name='loser',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client'),
        ),
        migrations.AddField(
            model_name='amloppositetrade',
            name='lost',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.amlclosedposition'),
        ),
        migrations.AddField(
            model_name='amloppositetrade',
            name='winner',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client'),
        ),
        migrations.AddField(
            model_name='amloppositetrade',
            name='won',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.amlclosedposition'),
        ),
        migrations.CreateModel(
            name='AmlRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('code', models.SlugField(blank=True, help_text='Of the shipped rule that it began as', max_length=40)),
                ('created_at', models.DateTimeField()),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='aml_rules', to='crm.brand')),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'AML rule',
                'ordering': ['name'],
                'permissions': [('write_amlrule', 'May write AML rules and have them tried out'), ('approve_amlrule', 'May have AML rules go live')],
            },
        ),
        migrations.CreateModel(
            name='AmlRuleVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('shadow', 'Shadow'), ('live', 'Live'), ('retired', 'Retired')], default='draft', max_length=8)),
                ('measure', models.CharField(max_length=20)),
                ('parameters', models.JSONField(default=dict)),
                ('population', models.JSONField(default=crm.conditions.expression.always, help_text='Condition over facts of clients')),
                ('threshold', models.DecimalField(decimal_places=2, max_digits=14)),
                ('window_hours', models.PositiveIntegerField()),
                ('repeat_hours', models.PositiveIntegerField(help_text='At most one alert per client in this time')),
                ('severity', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], default='medium', max_length=6)),
                ('why', models.CharField(help_text='Why it was written, or changed', max_length=300)),
                ('written_at', models.DateTimeField()),
                ('shadow_since', models.DateTimeField(null=True)),
                ('live_since', models.DateTimeField(null=True)),
                ('retired_at', models.DateTimeField(null=True)),
                ('approved_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='compliance.amlrule')),
                ('shadow_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('written_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-number'],
            },
        ),
        migrations.CreateModel(
            name='AmlRuleProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('act', models.CharField(choices=[('go_live', 'Go live'), ('retire', 'Retire')], max_length=8)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='compliance.amlruleversion')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='amlbacktest',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='backtests', to='compliance.amlruleversion'),
        ),
        migrations.AddField(
            model_name='amlalert',
            name='version',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='compliance.amlruleversion'),
        ),
        migrations.CreateModel(
            name='AmlTradingDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('trades', models.PositiveIntegerField()),
                ('lots', models.DecimalField(decimal_places=8, max_digits=20)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
            ],
            options={
                'ordering': ['-day'],
            },
        ),
        migrations.CreateModel(
            name='CaseRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('questionnaire_id', models.BigIntegerField(null=True)),
                ('document_request_id', models.BigIntegerField(null=True, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('due_on', models.DateField()),
                ('requested_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(null=True)),
                ('submission_id', models.BigIntegerField(null=True)),
                ('document_id', models.BigIntegerField(null=True)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='compliance.amlcase')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CaseTask',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=300)),
                ('due_on', models.DateField()),
                ('created_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(null=True)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='compliance.amlcase')),
                ('created_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('done_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['due_on', 'id'],
            },
        ),
        migrations.CreateModel(
            name='ClientKeys',
            fields=[
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='screening_keys', serialize=False, to='clients.client')),
                ('text', models.CharField(max_length=200)),
                ('matcher_version', models.CharField(max_length=20)),
                ('normalised', models.CharField(max_length=400)),
                ('pair_keys', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), default=list, size=None)),
                ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='A screening of all clients that began later has covered this name')),
            ],
            options={
                'ordering': ['client_id'],
                'indexes': [django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=['normalised'], name='client_keys_by_spelling', opclasses=['gin_trgm_ops']), django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=['pair_keys'], name='client_keys_by_sound')],
            },
        ),
        migrations.CreateModel(
            name='ControlReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(help_text='Its first day')),
                ('figures', models.JSONField(help_text='As `compliance.controls.measures` writes them')),
                ('digest', models.CharField(max_length=64)),
                ('closed_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='control_reports', to='crm.brand')),
            ],
            options={
                'ordering': ['-month', 'brand_id'],
            },
        ),
        migrations.CreateModel(
            name='CountryRisk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('level', models.CharField(choices=[('grey', 'Increased monitoring'), ('black', 'Call for action')], max_length=8)),
                ('valid', django.contrib.postgres.fields.ranges.DateRangeField()),
                ('source', models.CharField(max_length=160)),
            ],
            options={
                'ordering': ['country'],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('country', '='), ('valid', '&&')], name='a_country_has_one_risk_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='Hit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client_hash', models.CharField(max_length=64)),
                ('entry_hash', models.CharField(max_length=64)),
                ('score', models.DecimalField(decimal_places=4, max_digits=5)),
                ('explanation', models.JSONField(default=dict, help_text='What was compared and what it counted')),
                ('state', models.CharField(choices=[('open', 'Pending review'), ('false_positive', 'False positive'), ('confirmed', 'True match'), ('outdated', 'Outdated')], default='open', max_length=14)),
                ('found_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason_code', models.CharField(blank=True, choices=[('birth_date', 'Different date of birth'), ('name', 'Different name'), ('nationality', 'Different nationality or country'), ('document', 'Identity document checked'), ('deceased', 'The listed person is deceased or elsewhere'), ('other', 'Other reason')], max_length=20)),
                ('reason', models.TextField(blank=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='screening_hits', to='clients.client')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('part_of', models.ForeignKey(help_text='The match that leads the review of this listed person, who has several entries', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='compliance.hit')),
                ('work', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='hit', to='crm.workitem')),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hits', to='compliance.listentry')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('decide_hit', 'May clear or confirm a possible match')],
            },
        ),
        migrations.CreateModel(
            name='EntryName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=300)),
                ('kind', models.CharField(choices=[('primary', 'Name'), ('alias', 'Alias'), ('original', 'Original script')], max_length=8)),
                ('is_weak', models.BooleanField(default=False, help_text='The publisher calls the alias weak or of low quality')),
                ('normalised', models.CharField(max_length=400)),
                ('pair_keys', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), default=list, size=None)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='names', to='compliance.listentry')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='EntryMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(help_text='An `IdentifierKind`, or imo: ships are no clients', max_length=14)),
                ('mark', models.BinaryField(max_length=32)),
                ('listed_kind', models.CharField(help_text='What the list calls the number: passport, tax, …', max_length=14)),
                ('value', models.CharField(max_length=80)),
                ('country', models.CharField(blank=True, help_text='Who issued it, or is assumed to have', max_length=2)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='compliance.listentry')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ListVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('current', 'In force'), ('waiting', 'Awaiting confirmation'), ('superseded', 'Superseded'), ('refused', 'Rejected')], max_length=12)),
                ('file_name', models.CharField(max_length=160)),
                ('sha256', models.CharField(max_length=64)),
                ('dated_on', models.DateField(help_text="The publisher's own date, where the file has one", null=True)),
                ('imported_at', models.DateTimeField()),
                ('entry_count', models.PositiveIntegerField(default=0)),
                ('name_count', models.PositiveIntegerField(default=0)),
                ('added', models.PositiveIntegerField(default=0)),
                ('changed', models.PositiveIntegerField(default=0)),
                ('removed', models.PositiveIntegerField(default=0)),
                ('error', models.TextField(blank=True)),
                ('left_out', models.JSONField(default=dict, help_text='Parts of the file that are no entries: how many, by reason')),
                ('imported_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ListScreening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('matcher_version', models.CharField(max_length=20)),
                ('lists', models.JSONField(default=list, help_text='The lists in force, as in a screening of one client')),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField()),
                ('client_count', models.PositiveIntegerField(help_text='Clients that could be found')),
                ('party_count', models.PositiveIntegerField(default=0, help_text='Payers, payees, owners and partners among them')),
                ('nameless_count', models.PositiveIntegerField(default=0, help_text="Clients without a name, who can't be screened")),
                ('entry_count', models.PositiveIntegerField(help_text='Entries that were looked for')),
                ('compared_count', models.PositiveIntegerField(default=0)),
                ('hit_count', models.PositiveIntegerField(default=0, help_text='New possible matches')),
                ('outdated_count', models.PositiveIntegerField(default=0, help_text='Open matches that the change ended')),
                ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='screenings', to='compliance.listversion')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='listentry',
            name='changed_in',
            field=models.ForeignKey(help_text='The version that last added, changed or removed it', on_delete=django.db.models.deletion.PROTECT, related_name='changed_entries', to='compliance.listversion'),
        ),
        migrations.AddField(
            model_name='listentry',
            name='first_version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.listversion'),
        ),
        migrations.AddField(
            model_name='listentry',
            name='last_version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.listversion'),
        ),
        migrations.CreateModel(
            name='Delisting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Pending review'), ('lifted', 'Restriction lifted'), ('kept', 'Restriction kept'), ('relisted', 'Listed again')], default='open', max_length=8)),
                ('opened_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason', models.TextField(blank=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='delistings', to='clients.client')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='delisting', to='crm.workitem')),
                ('hit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='delistings', to='compliance.hit')),
                ('version', models.ForeignKey(help_text='That lacks the entry', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.listversion')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='OwnListUpload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('made_at', models.DateTimeField()),
                ('file_name', models.CharField(max_length=120)),
                ('content', models.BinaryField()),
                ('headings', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ReportingEntity',
            fields=[
                ('legal_entity', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='crm.legalentity')),
                ('rentity_id', models.PositiveIntegerField(help_text='As the FIU registered it')),
                ('rentity_branch', models.CharField(max_length=255)),
                ('currency', models.CharField(help_text="goAML's currency_code_local", max_length=3)),
                ('first_name', models.CharField(max_length=100)),
                ('last_name', models.CharField(max_length=100)),
                ('email', models.EmailField(max_length=254)),
                ('phone', models.CharField(max_length=20)),
                ('occupation', models.CharField(max_length=255)),
                ('address', models.CharField(max_length=100)),
                ('city', models.CharField(max_length=255)),
                ('postal_code', models.CharField(blank=True, max_length=10)),
                ('country', models.CharField(max_length=2)),
                ('indicators', models.JSONField(default=dict, help_text="The FIU's codes of grounds, with their names")),
                ('codes', models.JSONField(default=dict, help_text="The FIU's lookup values, by what they stand for")),
                ('schema', models.TextField(blank=True, help_text="The FIU's XSD; empty: the structure alone is checked")),
                ('schema_name', models.CharField(blank=True, max_length=120)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'reporting entities',
                'ordering': ['legal_entity_id'],
            },
        ),
        migrations.CreateModel(
            name='ReportingEntityProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('values', models.JSONField(help_text="By the columns' names")),
                ('schema', models.TextField(blank=True, help_text='A new XSD of the FIU; empty: the one in use stays')),
                ('schema_name', models.CharField(blank=True, max_length=120)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('legal_entity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.legalentity')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Restriction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('no_deposit', 'Deposits blocked'), ('no_withdrawal', 'Withdrawals blocked'), ('no_trading', 'Trading blocked'), ('frozen', 'Frozen')], max_length=14)),
                ('cause', models.CharField(choices=[('manual', 'Placed by staff'), ('screening_hold', 'Possible watchlist match under review'), ('confirmed_match', 'Confirmed watchlist match'), ('document', 'Document expired'), ('review', 'Periodic review overdue'), ('vendor_pending', 'Screening by a vendor pending')], default='manual', max_length=16)),
                ('reason', models.TextField()),
                ('placed_at', models.DateTimeField()),
                ('lift_requested_at', models.DateTimeField(null=True)),
                ('lift_reason', models.TextField(blank=True)),
                ('lifted_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='compliance_restrictions', to='clients.client')),
                ('hit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='restrictions', to='compliance.hit')),
                ('lift_requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('placed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('place_restriction', 'May restrict a client'), ('lift_restriction', 'May ask for, or release, the lifting of a restriction')],
            },
        ),
        migrations.CreateModel(
            name='RiskModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('content', models.JSONField(help_text='As `compliance.risk_rating.content.Content` writes it')),
                ('effective_on', models.DateField()),
                ('set_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=300)),
                ('approved_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='risk_models', to='crm.brand')),
                ('set_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='RiskModelDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.JSONField()),
                ('revision', models.PositiveIntegerField(default=1)),
                ('changed_at', models.DateTimeField()),
                ('brand', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='risk_model_draft', to='crm.brand')),
                ('changed_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='RiskModelProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('content', models.JSONField()),
                ('effective_on', models.DateField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='risk_model_proposals', to='crm.brand')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='RiskOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('rating', models.CharField(blank=True, choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], max_length=8)),
                ('ends_on', models.DateField(help_text='Its last day', null=True)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='risk_overrides', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('override_risk', "May propose and approve a client's own risk rating")],
            },
        ),
        migrations.CreateModel(
            name='RiskAssessment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rating', models.CharField(choices=[('unrated', 'Not rated'), ('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], max_length=8)),
                ('points', models.PositiveSmallIntegerField()),
                ('factors', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, help_text='Codes of the factors that counted', size=None)),
                ('at', models.DateTimeField()),
                ('is_current', models.BooleanField(default=True)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='risk_assessments', to='clients.client')),
                ('model', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.riskmodel')),
                ('override', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.riskoverride')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ScreenedParty',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('payer', 'Payer'), ('payee', 'Payout account owner'), ('owner', 'Company in the ownership chain'), ('partner', "Partner's business name")], max_length=8)),
                ('name', models.CharField(max_length=120)),
                ('country', models.CharField(blank=True, max_length=2)),
                ('is_company', models.BooleanField(help_text='None: unknown, so compared with both people and organisations', null=True)),
                ('subject', models.CharField(blank=True, help_text='What named it last: the reference of a deposit or withdrawal', max_length=80)),
                ('is_current', models.BooleanField(default=True, help_text='False: no longer connected with the client')),
                ('noted_at', models.DateTimeField()),
                ('screened_at', models.DateTimeField(help_text='Last compared with all lists in force', null=True)),
                ('matcher_version', models.CharField(blank=True, max_length=20)),
                ('normalised', models.CharField(max_length=400)),
                ('pair_keys', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), default=list, size=None)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='screened_parties', to='clients.client')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='hit',
            name='party',
            field=models.ForeignKey(help_text="Who was compared, where it wasn't the client", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='hits', to='compliance.screenedparty'),
        ),
        migrations.CreateModel(
            name='Screening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('trigger', models.CharField(choices=[('registered', 'Registered'), ('verified', 'Client verified'), ('demand', 'On demand'), ('list', 'List changed'), ('profile', "Client's data changed"), ('company', 'Linked to a company'), ('connected', 'Payer, payee, owner or partner noted'), ('vendor', "Vendor's notice")], max_length=12)),
                ('matcher_version', models.CharField(help_text="Of our matcher, or the vendor's adapter", max_length=20)),
                ('threshold', models.DecimalField(decimal_places=3, max_digits=4)),
                ('lists', models.JSONField(default=list)),
                ('client_hash', models.CharField(help_text='Of the data that was compared', max_length=64)),
                ('candidate_count', models.PositiveIntegerField(default=0)),
                ('hit_count', models.PositiveIntegerField(default=0, help_text='New possible matches')),
                ('known_count', models.PositiveIntegerField(default=0, help_text='Matches that were decided before and are unchanged')),
                ('duration_ms', models.PositiveIntegerField(default=0)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='screenings', to='clients.client')),
                ('party', models.ForeignKey(help_text="Who was compared, where it wasn't the client", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='screenings', to='compliance.screenedparty')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('screen_client', 'May screen a client against the watchlists')],
            },
        ),
        migrations.AddField(
            model_name='hit',
            name='screening',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hits', to='compliance.screening'),
        ),
        migrations.CreateModel(
            name='ScreeningVendor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('adapter', models.CharField(max_length=20)),
                ('base_url', models.CharField(blank=True, max_length=200)),
                ('is_enabled', models.BooleanField(default=True)),
                ('sealed_credentials', models.BinaryField(null=True)),
                ('code', models.SlugField(help_text="Used in the webhook's address", max_length=20, unique=True)),
                ('last_checked_at', models.DateTimeField(null=True)),
                ('last_check_error', models.CharField(blank=True, max_length=300)),
                ('last_webhook_at', models.DateTimeField(null=True)),
                ('failing_since', models.DateTimeField(help_text='Since when no call was answered; empty while it answers', null=True)),
                ('problem', models.CharField(blank=True, help_text='Why it is failing', max_length=300)),
                ('refused_on', models.DateField(help_text='The day that refused_count counts', null=True)),
                ('refused_count', models.PositiveIntegerField(default=0, help_text='Webhooks refused on that day, kept or not')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('dataset', models.CharField(help_text="The vendor's collection that is asked", max_length=60)),
                ('threshold', models.DecimalField(decimal_places=3, default=Decimal('0.7'), help_text="Score of the vendor's from which on a result is a possible match", max_digits=4, validators=[django.core.validators.MinValueValidator(Decimal('0.3')), django.core.validators.MaxValueValidator(Decimal('1'))])),
                ('last_answer_at', models.DateTimeField(help_text='When it last answered about somebody', null=True)),
                ('mode_followed', models.CharField(choices=[('built_in', 'Imported watchlists'), ('vendor', 'Vendor'), ('both', 'Both: matches of either are reviewed')], default='built_in', help_text='Who screened at the brand when its clients were last queued for that', max_length=10)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'name', 'id'],
            },
        ),
        migrations.AddField(
            model_name='screening',
            name='vendor',
            field=models.ForeignKey(db_index=False, help_text="Who compared, where it wasn't our matcher", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='screenings', to='compliance.screeningvendor'),
        ),
        migrations.CreateModel(
            name='ScreeningVendorProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('code', models.SlugField(max_length=20)),
                ('name', models.CharField(max_length=60)),
                ('adapter', models.CharField(max_length=20)),
                ('base_url', models.CharField(blank=True, max_length=200)),
                ('is_enabled', models.BooleanField(default=True)),
                ('sealed_credentials', models.BinaryField(null=True)),
                ('keys_changed', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                ('dataset', models.CharField(max_length=60)),
                ('threshold', models.DecimalField(decimal_places=3, default=Decimal('0.7'), max_digits=4)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand')),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='compliance.screeningvendor')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SuspicionReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('STR', 'Suspicious transaction report (STR)'), ('SAR', 'Suspicious activity report (SAR)')], max_length=3)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('in_review', 'Awaiting approval'), ('approved', 'Approved'), ('filed', 'Filed'), ('not_reported', 'Not reported')], default='draft', max_length=12)),
                ('written_at', models.DateTimeField()),
                ('content_sealed', models.BinaryField(help_text="JSON under the client's key")),
                ('xml_sealed', models.BinaryField(help_text="goAML XML under the client's key", null=True)),
                ('xml_sha256', models.CharField(blank=True, max_length=64)),
                ('decided_at', models.DateTimeField(null=True)),
                ('fiu_reference', models.CharField(blank=True, max_length=255)),
                ('filed_on', models.DateField(null=True)),
                ('amends', models.ForeignKey(help_text='The filed report that this one amends', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.suspicionreport')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.amlcase')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('filed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('written_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'suspicion report',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ReportMovement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('movement', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.amlmovement')),
                ('report', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='chosen', to='compliance.suspicionreport')),
            ],
            options={
                'ordering': ['movement_id'],
            },
        ),
        migrations.CreateModel(
            name='VendorCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(default=compliance.models.vendors.new_reference, help_text='What the vendor knows them by', max_length=32, unique=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting to be sent'), ('sent', 'Sent'), ('unknown', 'Outcome unknown'), ('refused', 'Rejected by the vendor'), ('answered', 'Answered'), ('ended', 'No longer needed')], default='waiting', max_length=10)),
                ('trigger', models.CharField(choices=[('registered', 'Registered'), ('verified', 'Client verified'), ('demand', 'On demand'), ('list', 'List changed'), ('profile', "Client's data changed"), ('company', 'Linked to a company'), ('connected', 'Payer, payee, owner or partner noted'), ('vendor', "Vendor's notice")], max_length=12)),
                ('is_bulk', models.BooleanField(default=False, help_text='One of everybody: whoever is new goes first')),
                ('wanted_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(help_text='When to send it, or to look up its outcome; empty: not automatically', null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('sent_hash', models.CharField(blank=True, help_text='Of the data as sent', max_length=64)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_hash', models.CharField(blank=True, help_text='Of the data that was answered last', max_length=64)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='Without an answer since it was wanted')),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='vendor_checks', to='clients.client')),
                ('hold', models.ForeignKey(help_text='In force until the answer', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.restriction')),
                ('party', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='vendor_checks', to='compliance.screenedparty')),
                ('vendor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='checks', to='compliance.screeningvendor')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='VendorNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('received_at', models.DateTimeField()),
                ('body_sealed', models.BinaryField(help_text="Under the instance's key: it may name a person before we know whose it is")),
                ('body_sha256', models.CharField(max_length=64)),
                ('message_id', models.CharField(blank=True, help_text="The service's id of the message, or the digest of its body", max_length=80)),
                ('signed_at', models.DateTimeField(null=True)),
                ('algorithm', models.CharField(blank=True, max_length=40)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('verdict', models.CharField(choices=[('unjudged', 'Not judged yet'), ('accepted', 'Accepted'), ('no_signature', 'No signature'), ('wrong_algorithm', 'Algorithm not allowed'), ('wrong_signature', 'Wrong signature'), ('too_old', 'Not signed recently'), ('malformed', 'Unreadable')], default='unjudged', max_length=16)),
                ('event_type', models.CharField(blank=True, max_length=60)),
                ('subject_id', models.CharField(blank=True, help_text="The service's id of what it is about", max_length=120)),
                ('reference', models.CharField(blank=True, help_text='Ours, as the service knows it', max_length=80)),
                ('correlation_id', models.CharField(blank=True, max_length=80)),
                ('state', models.CharField(choices=[('received', 'Received'), ('waiting', 'Waiting'), ('done', 'Processed'), ('unmatched', 'Unmatched'), ('refused', 'Refused')], default='received', max_length=10)),
                ('repeats', models.PositiveIntegerField(default=0, help_text='How often the same message was received again')),
                ('due_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('outcome', models.CharField(blank=True, max_length=300)),
                ('processed_at', models.DateTimeField(null=True)),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='compliance.screeningvendor')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='WatchlistSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=30, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('publisher', models.CharField(max_length=120)),
                ('licence', models.CharField(max_length=160)),
                ('url', models.URLField(blank=True, max_length=300)),
                ('is_active', models.BooleanField(default=True, help_text='Whether clients are screened against it')),
                ('columns', models.JSONField(blank=True, default=dict)),
                ('refresh_from', models.CharField(blank=True, help_text='Address or file that is read regularly', max_length=500)),
                ('refresh_hours', models.PositiveSmallIntegerField(default=24)),
                ('stale_after_hours', models.PositiveSmallIntegerField(default=72, help_text='Without a successful check for so long')),
                ('etag', models.CharField(blank=True, max_length=200)),
                ('last_modified', models.CharField(blank=True, max_length=80)),
                ('checked_at', models.DateTimeField(help_text='Last check that ended well, with or without a new version', null=True)),
                ('tried_at', models.DateTimeField(null=True)),
                ('keyed_by', models.CharField(blank=True, help_text="Version of the matcher that made the names' keys", max_length=20)),
                ('refresh_error', models.TextField(blank=True, help_text="Why the last check failed; empty when it didn't")),
            ],
            options={
                'ordering': ['name'],
                'permissions': [('import_watchlist', 'May load a new version of a watchlist')],
                'constraints': [models.CheckConstraint(condition=models.Q(('refresh_hours__gte', 1), ('refresh_hours__lte', 168), ('stale_after_hours__gte', 1)), name='list_is_refreshed_within_a_week')],
            },
        ),
        migrations.AddField(
            model_name='screeningvendor',
            name='source',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='vendor', to='compliance.watchlistsource'),
        ),
        migrations.AddField(
            model_name='listversion',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='compliance.watchlistsource'),
        ),
        migrations.AddField(
            model_name='listentry',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='compliance.watchlistsource'),
        ),
        migrations.AddIndex(
            model_name='amlcase',
            index=models.Index(fields=['client', '-id'], name='aml_cases_by_client'),
        ),
        migrations.AddIndex(
            model_name='amlcase',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['-score', 'id'], name='aml_cases_open'),
        ),
        migrations.AddConstraint(
            model_name='amlcase',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('client',), name='one_open_aml_case_per_client'),
        ),
        migrations.AddConstraint(
            model_name='amlcase',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'open'), _negated=True), ('work__isnull', False), _connector='OR'), name='open_aml_case_is_a_work_item'),
        ),
        migrations.AddConstraint(
            model_name='amlcase',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='decided_aml_case_says_who_when_and_why'),
        ),
        migrations.AddConstraint(
            model_name='amlcase',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('monitor_until__isnull', False), ('state', 'monitored')), models.Q(models.Q(('state', 'monitored'), _negated=True), ('monitor_until__isnull', True)), _connector='OR'), name='monitored_aml_case_says_until_when'),
        ),
        migrations.AddIndex(
            model_name='amlclosedposition',
            index=models.Index(fields=['brand', 'symbol', 'opened_at'], name='aml_positions_to_match'),
        ),
        migrations.AddConstraint(
            model_name='amlclosedposition',
            constraint=models.CheckConstraint(condition=models.Q(('closed_at__gte', models.F('opened_at')), ('volume__gt', 0)), name='aml_position_closed_after_it_opened'),
        ),
        migrations.AddIndex(
            model_name='amlmonth',
            index=models.Index(fields=['client', 'month'], include=('brand', 'total'), name='aml_months_by_client'),
        ),
        migrations.AddConstraint(
            model_name='amlmonth',
            constraint=models.UniqueConstraint(fields=('brand', 'month', 'client'), name='one_aml_month_per_client'),
        ),
        migrations.AddConstraint(
            model_name='amlmonth',
            constraint=models.CheckConstraint(condition=models.Q(('month__day', 1)), name='aml_month_is_its_first_day'),
        ),
        migrations.AddIndex(
            model_name='amlmovement',
            index=models.Index(fields=['client', 'at'], include=('id', 'kind', 'method', 'base_amount', 'is_return'), name='aml_movements_by_client'),
        ),
        migrations.AddIndex(
            model_name='amlmovement',
            index=models.Index(fields=['brand', 'at'], name='aml_movements_by_brand'),
        ),
        migrations.AddConstraint(
            model_name='amlmovement',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('base_amount__gte', 0)), name='aml_movement_has_an_amount'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='amlmovement',
            trigger=pgtrigger.compiler.Trigger(name='aml_movement_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'aml_movement is append-only: write a new row instead';", hash='ad390d9804ade5e72b60b83ebb1b05091c4064c1', operation='UPDATE OR DELETE', pgid='pgtrigger_aml_movement_no_change_d5067', table='compliance_amlmovement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='amlmovement',
            trigger=pgtrigger.compiler.Trigger(name='aml_movement_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'aml_movement is append-only: write a new row instead';", hash='9016f68e9f188848f4a3a35319c9020add34b582', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_aml_movement_no_truncate_35d3b', table='compliance_amlmovement', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='amlevidence',
            constraint=models.UniqueConstraint(fields=('alert', 'movement'), name='aml_evidence_once_per_alert'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='amlevidence',
            trigger=pgtrigger.compiler.Trigger(name='aml_evidence_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'aml_evidence is append-only: write a new row instead';", hash='c40a4736a75ebc2924b4176709448cb97280dab6', operation='UPDATE OR DELETE', pgid='pgtrigger_aml_evidence_no_change_2dfa2', table='compliance_amlevidence', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='amlevidence',
            trigger=pgtrigger.compiler.Trigger(name='aml_evidence_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'aml_evidence is append-only: write a new row instead';", hash='20e732996c5ca8908aa840a2e718e08107a89774', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_aml_evidence_no_truncate_0e172', table='compliance_amlevidence', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='amloppositetrade',
            index=models.Index(fields=['winner', 'loser', 'at'], name='aml_opposite_trades_of_two'),
        ),
        migrations.AddConstraint(
            model_name='amloppositetrade',
            constraint=models.UniqueConstraint(fields=('won', 'lost'), name='opposite_trade_is_kept_once'),
        ),
        migrations.AddConstraint(
            model_name='amloppositetrade',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('winner', models.F('loser')), _negated=True), ('amount__gt', 0)), name='opposite_trade_moves_money_to_another'),
        ),
        migrations.AddConstraint(
            model_name='amlrule',
            constraint=models.UniqueConstraint(fields=('brand', 'name'), name='aml_rule_has_its_own_name'),
        ),
        migrations.AddConstraint(
            model_name='amlrule',
            constraint=models.UniqueConstraint(condition=models.Q(('code', ''), _negated=True), fields=('brand', 'code'), name='shipped_aml_rule_once_per_brand'),
        ),
        migrations.AddConstraint(
            model_name='amlruleversion',
            constraint=models.UniqueConstraint(fields=('rule', 'number'), name='aml_version_has_its_number'),
        ),
        migrations.AddConstraint(
            model_name='amlruleversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'live')), fields=('rule',), name='one_live_version_per_aml_rule'),
        ),
        migrations.AddConstraint(
            model_name='amlruleversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['draft', 'shadow'])), fields=('rule',), name='one_aml_version_in_the_making'),
        ),
        migrations.AddConstraint(
            model_name='amlruleversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'live'), _negated=True), models.Q(('approved_by__isnull', False), ('live_since__isnull', False)), _connector='OR'), name='live_aml_version_was_approved'),
        ),
        migrations.AddConstraint(
            model_name='amlruleversion',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('approved_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='aml_version_is_approved_by_another'),
        ),
        migrations.AddConstraint(
            model_name='amlruleversion',
            constraint=models.CheckConstraint(condition=models.Q(('repeat_hours__gt', 0), ('threshold__gt', 0), ('window_hours__gt', 0)), name='aml_version_has_limits'),
        ),
        migrations.AddConstraint(
            model_name='amlruleversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'shadow'), _negated=True), ('shadow_since__isnull', False), _connector='OR'), name='shadow_aml_version_says_since_when'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='amlruleversion',
            trigger=pgtrigger.compiler.Trigger(name='aml_version_is_fixed_once_it_runs', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN (OLD.state <> 'draft')", func="\nIF TG_OP = 'DELETE' OR (NEW.measure, NEW.parameters, NEW.population, NEW.threshold, NEW.window_hours, NEW.repeat_hours, NEW.severity, NEW.number, NEW.rule_id) IS DISTINCT FROM (OLD.measure, OLD.parameters, OLD.population, OLD.threshold, OLD.window_hours, OLD.repeat_hours, OLD.severity, OLD.number, OLD.rule_id) THEN\n  RAISE EXCEPTION 'aml_version_is_fixed_once_it_runs: version % of rule % is %', OLD.number, OLD.rule_id, OLD.state\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'aml_version_is_fixed_once_it_runs';\nEND IF;\nRETURN NEW;\n", hash='9e5ae728c54b692b009fc98f63379bbe17432206', operation='UPDATE OR DELETE', pgid='pgtrigger_aml_version_is_fixed_once_it_runs_66a50', table='compliance_amlruleversion', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='amlruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='aml_rule_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='amlruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='aml_rule_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='amlruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='aml_rule_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='amlruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='aml_rule_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='amlruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='aml_rule_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='amlruleproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('version',), name='one_open_proposal_per_aml_version'),
        ),
        migrations.AddConstraint(
            model_name='amlbacktest',
            constraint=models.CheckConstraint(condition=models.Q(('end__gt', models.F('start'))), name='aml_backtest_covers_a_time'),
        ),
        migrations.AddIndex(
            model_name='amlalert',
            index=models.Index(fields=['client', '-at'], name='aml_alerts_by_client'),
        ),
        migrations.AddIndex(
            model_name='amlalert',
            index=models.Index(condition=models.Q(('case__isnull', False)), fields=['case', '-at'], name='aml_alerts_by_case'),
        ),
        migrations.AddConstraint(
            model_name='amlalert',
            constraint=models.UniqueConstraint(fields=('version', 'client', 'episode', 'is_shadow'), name='one_aml_alert_per_episode'),
        ),
        migrations.AddConstraint(
            model_name='amlalert',
            constraint=models.CheckConstraint(condition=models.Q(('is_shadow', False), ('case__isnull', True), _connector='OR'), name='shadow_alert_is_in_no_case'),
        ),
        migrations.AddConstraint(
            model_name='amltradingday',
            constraint=models.UniqueConstraint(fields=('client', 'day'), name='one_aml_trading_day_per_client'),
        ),
        migrations.AddConstraint(
            model_name='caserequest',
            constraint=models.UniqueConstraint(condition=models.Q(('answered_at__isnull', True)), fields=('case', 'questionnaire_id'), name='one_open_case_request_per_questionnaire'),
        ),
        migrations.AddConstraint(
            model_name='caserequest',
            constraint=models.CheckConstraint(condition=models.Q(('questionnaire_id__isnull', True), ('document_request_id__isnull', True), _connector='XOR'), name='case_request_is_for_answers_or_a_document'),
        ),
        migrations.AddConstraint(
            model_name='caserequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('document_id__isnull', True), ('submission_id__isnull', True)), models.Q(('answered_at__isnull', False), ('questionnaire_id__isnull', False), ('submission_id__isnull', False)), models.Q(('answered_at__isnull', False), ('document_id__isnull', False), ('document_request_id__isnull', False)), _connector='OR'), name='answered_case_request_has_its_answer'),
        ),
        migrations.AddConstraint(
            model_name='casetask',
            constraint=models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='case_task_says_what'),
        ),
        migrations.AddConstraint(
            model_name='casetask',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', True), ('done_by__isnull', True)), models.Q(('done_at__isnull', False), ('done_by__isnull', False)), _connector='OR'), name='done_case_task_says_by_whom'),
        ),
        migrations.AddConstraint(
            model_name='controlreport',
            constraint=models.UniqueConstraint(fields=('brand', 'month'), name='one_control_report_per_brand_and_month'),
        ),
        migrations.AddConstraint(
            model_name='controlreport',
            constraint=models.CheckConstraint(condition=models.Q(('month__day', 1)), name='control_report_begins_its_month'),
        ),
        migrations.AddConstraint(
            model_name='controlreport',
            constraint=models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='control_report_has_a_digest'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='controlreport',
            trigger=pgtrigger.compiler.Trigger(name='control_report_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'control_report is append-only: write a new row instead';", hash='f05fb1462f54a04f30c98439e93ab71ac0213b47', operation='UPDATE OR DELETE', pgid='pgtrigger_control_report_no_change_4b3e4', table='compliance_controlreport', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='controlreport',
            trigger=pgtrigger.compiler.Trigger(name='control_report_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'control_report is append-only: write a new row instead';", hash='77600b280b76557247fb49a0e4d54417777d5cc6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_control_report_no_truncate_4ecb9', table='compliance_controlreport', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='entryname',
            index=django.contrib.postgres.indexes.GinIndex(fields=['normalised'], name='entry_names_by_spelling', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='entryname',
            index=django.contrib.postgres.indexes.GinIndex(fields=['pair_keys'], name='entry_names_by_sound'),
        ),
        migrations.AddIndex(
            model_name='entrymark',
            index=models.Index(fields=['kind', 'mark'], name='entry_marks_by_value'),
        ),
        migrations.AddConstraint(
            model_name='listscreening',
            constraint=models.CheckConstraint(condition=models.Q(('finished_at__gte', models.F('started_at'))), name='list_screening_ends_after_its_start'),
        ),
        migrations.AddConstraint(
            model_name='delisting',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('hit',), name='a_match_is_delisted_once_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='delisting',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['lifted', 'kept']), _negated=True), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='decided_delisting_says_who_and_why'),
        ),
        migrations.AddIndex(
            model_name='ownlistupload',
            index=models.Index(fields=['made_by', '-id'], name='own_list_uploads_by_person'),
        ),
        migrations.AddConstraint(
            model_name='reportingentity',
            constraint=models.CheckConstraint(condition=models.Q(('rentity_id__gt', 0)), name='reporting_entity_has_an_id'),
        ),
        migrations.AddConstraint(
            model_name='reportingentityproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='reporting_entity_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='reportingentityproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='reporting_entity_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='reportingentityproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='reporting_entity_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='reportingentityproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='reporting_entity_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='reportingentityproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='reporting_entity_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='reportingentityproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('legal_entity',), name='one_open_proposal_per_reporting_entity'),
        ),
        migrations.AddIndex(
            model_name='restriction',
            index=models.Index(fields=['client', '-id'], name='restrictions_by_client'),
        ),
        migrations.AddIndex(
            model_name='restriction',
            index=models.Index(condition=models.Q(('lifted_at__isnull', True)), fields=['client'], name='restrictions_in_force'),
        ),
        migrations.AddConstraint(
            model_name='restriction',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='restriction_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='restriction',
            constraint=models.CheckConstraint(condition=models.Q(('lifted_at__isnull', True), ('cause__in', ['screening_hold', 'document', 'review', 'vendor_pending']), models.Q(('lift_requested_by__isnull', False), ('lifted_by__isnull', False), models.Q(('lifted_by', models.F('lift_requested_by')), _negated=True)), _connector='OR'), name='restriction_is_lifted_by_two_people'),
        ),
        migrations.AddConstraint(
            model_name='restriction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lift_requested_at__isnull', True), ('lift_requested_by__isnull', True)), models.Q(('lift_requested_at__isnull', False), ('lift_requested_by__isnull', False), models.Q(('lift_reason', ''), _negated=True)), _connector='OR'), name='lifting_is_asked_for_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='restriction',
            constraint=models.UniqueConstraint(condition=models.Q(('cause__in', ['document', 'review']), ('lifted_at__isnull', True)), fields=('client', 'kind', 'cause'), name='one_overdue_restriction_of_a_kind'),
        ),
        migrations.AddConstraint(
            model_name='restriction',
            constraint=models.UniqueConstraint(condition=models.Q(('cause', 'screening_hold'), ('lifted_at__isnull', True)), fields=('hit',), name='one_hold_per_hit'),
        ),
        migrations.AddIndex(
            model_name='riskmodel',
            index=models.Index(fields=['brand', '-effective_on', '-number'], name='risk_models_of_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='riskmodel',
            constraint=models.UniqueConstraint(fields=('brand', 'number'), name='risk_model_has_its_number'),
        ),
        migrations.AddConstraint(
            model_name='riskmodel',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='risk_model_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='riskmodel',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('approved_by__isnull', True), ('set_by__isnull', True)), models.Q(('approved_by__isnull', False), ('set_by__isnull', False), models.Q(('approved_by', models.F('set_by')), _negated=True)), _connector='OR'), name='risk_model_is_approved_by_somebody_else'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='riskmodel',
            trigger=pgtrigger.compiler.Trigger(name='risk_model_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'risk_model is append-only: write a new row instead';", hash='1b6214cfd67100475619f999ae1af33dfbb4cb6f', operation='UPDATE OR DELETE', pgid='pgtrigger_risk_model_no_change_0acb1', table='compliance_riskmodel', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='riskmodel',
            trigger=pgtrigger.compiler.Trigger(name='risk_model_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'risk_model is append-only: write a new row instead';", hash='d33493e20eed53be56cd40b92234a17cb28d3752', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_risk_model_no_truncate_8ddbd', table='compliance_riskmodel', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='riskmodelproposal',
            index=models.Index(fields=['brand', '-id'], name='risk_proposals_of_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='riskmodelproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='risk_model_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='riskmodelproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='risk_model_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='riskmodelproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='risk_model_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='riskmodelproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='risk_model_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='riskmodelproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='risk_model_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='riskmodelproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('brand',), name='one_open_risk_model_per_brand'),
        ),
        migrations.AddIndex(
            model_name='riskoverride',
            index=models.Index(fields=['client', '-id'], name='risk_overrides_of_a_client'),
        ),
        migrations.AddConstraint(
            model_name='riskoverride',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='risk_override_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='riskoverride',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='risk_override_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='riskoverride',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='risk_override_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='riskoverride',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='risk_override_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='riskoverride',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='risk_override_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='riskoverride',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('client',), name='one_open_risk_override_per_client'),
        ),
        migrations.AddConstraint(
            model_name='riskoverride',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ends_on__isnull', True), ('rating', '')), models.Q(models.Q(('rating', ''), _negated=True), ('ends_on__isnull', False)), _connector='OR'), name='risk_override_has_an_end'),
        ),
        migrations.AddIndex(
            model_name='riskassessment',
            index=models.Index(fields=['client', '-id'], name='risk_by_client'),
        ),
        migrations.AddConstraint(
            model_name='riskassessment',
            constraint=models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('client',), name='a_client_has_one_current_rating'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='riskassessment',
            trigger=pgtrigger.compiler.Trigger(name='risk_assessment_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                IF TG_OP = 'UPDATE' AND OLD.is_current AND NOT NEW.is_current AND ROW(OLD.id, OLD.client_id, OLD.rating,\n                   OLD.points, OLD.factors, OLD.model_id, OLD.override_id, OLD.at) IS NOT DISTINCT FROM ROW(NEW.id,\n                   NEW.client_id, NEW.rating, NEW.points, NEW.factors, NEW.model_id, NEW.override_id, NEW.at) THEN\n                  RETURN NEW;\n                END IF;\n                RAISE EXCEPTION 'risk_assessment is append-only: only a newer rating replaces it';\n                ", hash='0e288de28be1900d1821da89a2fc5aa6a4910923', operation='UPDATE OR DELETE', pgid='pgtrigger_risk_assessment_stays_a77e4', table='compliance_riskassessment', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='screenedparty',
            index=django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=['normalised'], name='parties_by_spelling', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='screenedparty',
            index=django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=['pair_keys'], name='parties_by_sound'),
        ),
        migrations.AddConstraint(
            model_name='screenedparty',
            constraint=models.UniqueConstraint(fields=('client', 'role', 'name'), name='a_name_is_screened_once_in_its_role'),
        ),
        migrations.AddConstraint(
            model_name='screenedparty',
            constraint=models.CheckConstraint(condition=models.Q(('normalised', ''), _negated=True), name='a_screened_party_has_a_name'),
        ),
        migrations.AddIndex(
            model_name='hit',
            index=models.Index(fields=['client', '-id'], name='hits_by_client'),
        ),
        migrations.AddIndex(
            model_name='hit',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['found_at', 'id'], name='hits_open'),
        ),
        migrations.AddConstraint(
            model_name='hit',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'outdated'), _negated=True), fields=('client', 'entry', 'client_hash', 'entry_hash'), name='a_match_is_raised_once_per_content'),
        ),
        migrations.AddConstraint(
            model_name='hit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'open'), _negated=True), ('work__isnull', False), ('part_of__isnull', False), _connector='OR'), name='open_match_is_a_work_item'),
        ),
        migrations.AddConstraint(
            model_name='hit',
            constraint=models.CheckConstraint(condition=models.Q(('part_of__isnull', True), ('work__isnull', True), _connector='OR'), name='part_of_a_review_has_no_item'),
        ),
        migrations.AddConstraint(
            model_name='hit',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'outdated']), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='decided_hit_has_a_person'),
        ),
        migrations.AddConstraint(
            model_name='hit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['false_positive', 'confirmed']), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='decided_hit_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='hit',
            constraint=models.CheckConstraint(condition=models.Q(('score__gte', 0), ('score__lte', 1)), name='hit_score_is_a_fraction'),
        ),
        migrations.AddIndex(
            model_name='screening',
            index=models.Index(fields=['client', '-id'], name='screenings_by_client'),
        ),
        migrations.AddConstraint(
            model_name='screening',
            constraint=models.CheckConstraint(condition=models.Q(('threshold__gt', 0), ('threshold__lte', 1)), name='screening_threshold_is_a_fraction'),
        ),
        migrations.AddIndex(
            model_name='screeningvendorproposal',
            index=models.Index(fields=['brand', '-id'], name='screening_vendor_proposals'),
        ),
        migrations.AddConstraint(
            model_name='screeningvendorproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='screening_vendor_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='screeningvendorproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='screening_vendor_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='screeningvendorproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='screening_vendor_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='screeningvendorproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='screening_vendor_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='screeningvendorproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='screening_vendor_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='screeningvendorproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('brand',), name='one_open_screening_vendor_per_brand'),
        ),
        migrations.AddConstraint(
            model_name='screeningvendorproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'pending'), ('sealed_credentials__isnull', True), _connector='OR'), name='screening_vendor_proposal_keeps_no_keys'),
        ),
        migrations.AddIndex(
            model_name='suspicionreport',
            index=models.Index(fields=['client', '-id'], name='suspicion_reports_by_client'),
        ),
        migrations.AddConstraint(
            model_name='suspicionreport',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['draft', 'in_review', 'approved'])), fields=('case',), name='one_report_in_the_making'),
        ),
        migrations.AddConstraint(
            model_name='suspicionreport',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('written_by')), _negated=True), _connector='OR'), name='report_is_approved_by_another'),
        ),
        migrations.AddConstraint(
            model_name='suspicionreport',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['approved', 'filed', 'not_reported']), _negated=True), ('decided_by__isnull', False), _connector='OR'), name='decided_suspicion_report_says_by_whom'),
        ),
        migrations.AddConstraint(
            model_name='suspicionreport',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'draft'), ('xml_sealed__isnull', True), ('xml_sha256', '')), models.Q(models.Q(('state', 'draft'), _negated=True), ('xml_sealed__isnull', False), models.Q(('xml_sha256', ''), _negated=True)), _connector='OR'), name='report_in_review_has_its_xml'),
        ),
        migrations.AddConstraint(
            model_name='suspicionreport',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('filed_by__isnull', False), ('filed_on__isnull', False), ('state', 'filed'), models.Q(('fiu_reference', ''), _negated=True)), models.Q(models.Q(('state', 'filed'), _negated=True), ('filed_by__isnull', True), ('filed_on__isnull', True), ('fiu_reference', '')), _connector='OR'), name='filed_report_has_a_reference'),
        ),
        migrations.AddConstraint(
            model_name='reportmovement',
            constraint=models.UniqueConstraint(fields=('report', 'movement'), name='reported_movement_once'),
        ),
        migrations.AddIndex(
            model_name='vendorcheck',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['vendor', 'is_bulk', 'due_at'], name='vendor_checks_due'),
        ),
        migrations.AddIndex(
            model_name='vendorcheck',
            index=models.Index(fields=['vendor', 'state', 'answered_at'], name='vendor_checks_by_state'),
        ),
        migrations.AddConstraint(
            model_name='vendorcheck',
            constraint=models.UniqueConstraint(condition=models.Q(('party__isnull', True)), fields=('vendor', 'client'), name='one_vendor_check_per_client'),
        ),
        migrations.AddConstraint(
            model_name='vendorcheck',
            constraint=models.UniqueConstraint(condition=models.Q(('party__isnull', False)), fields=('vendor', 'party'), name='one_vendor_check_per_party'),
        ),
        migrations.AddConstraint(
            model_name='vendorcheck',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'answered'), _negated=True), models.Q(('answered_at__isnull', False), ('hold__isnull', True)), _connector='OR'), name='an_answered_check_holds_nothing'),
        ),
        migrations.AddConstraint(
            model_name='vendorcheck',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'sent'), _negated=True), models.Q(('due_at__isnull', False), ('sent_at__isnull', False), models.Q(('sent_hash', ''), _negated=True)), _connector='OR'), name='a_sent_check_says_when_and_what'),
        ),
        migrations.AddIndex(
            model_name='vendornotice',
            index=models.Index(fields=['connection', '-id'], name='vendor_notices_by_vendor'),
        ),
        migrations.AddIndex(
            model_name='vendornotice',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['due_at', 'id'], name='vendor_notices_due'),
        ),
        migrations.AddConstraint(
            model_name='vendornotice',
            constraint=models.UniqueConstraint(condition=models.Q(('verdict', 'accepted')), fields=('connection', 'message_id'), name='a_vendor_notice_is_accepted_once'),
        ),
        migrations.AddConstraint(
            model_name='vendornotice',
            constraint=models.CheckConstraint(condition=models.Q(('verdict', 'accepted'), ('state__in', ['received', 'refused']), _connector='OR'), name='only_an_accepted_vendor_notice_is_acted_on'),
        ),
        migrations.AddConstraint(
            model_name='screeningvendor',
            constraint=models.UniqueConstraint(condition=models.Q(('is_enabled', True)), fields=('brand',), name='a_brand_uses_one_screening_vendor'),
        ),
        migrations.AddConstraint(
            model_name='screeningvendor',
            constraint=models.CheckConstraint(condition=models.Q(('dataset', ''), _negated=True), name='screening_vendor_has_a_dataset'),
        ),
        migrations.AddConstraint(
            model_name='screeningvendor',
            constraint=models.CheckConstraint(condition=models.Q(('threshold__gte', Decimal('0.3')), ('threshold__lte', 1)), name='screening_vendor_has_a_threshold'),
        ),
        migrations.AddIndex(
            model_name='listversion',
            index=models.Index(fields=['source', '-id'], name='versions_by_source'),
        ),
        migrations.AddConstraint(
            model_name='listversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'current')), fields=('source',), name='a_source_has_one_current_version'),
        ),
        migrations.AddConstraint(
            model_name='listversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['refused', 'waiting']), _negated=True), models.Q(('error', ''), _negated=True), _connector='OR'), name='refused_version_says_why'),
        ),
        migrations.AddConstraint(
            model_name='listentry',
            constraint=models.UniqueConstraint(fields=('source', 'external_id'), name='an_entry_stands_once_in_its_source'),
        ),
        migrations.CreateModel(
            name='ClosedRelation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ended_on', models.DateField()),
                ('erased_at', models.DateTimeField(null=True)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('erase_client', 'May place legal holds, and propose and approve that clients are erased')],
                'indexes': [models.Index(fields=['brand', 'ended_on'], name='closed_relations_by_brand')],
            },
        ),
        migrations.CreateModel(
            name='ErasureProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['client', '-id'], name='erasure_proposals_of_a_client')],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='erasure_has_a_reason'), models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='erasure_is_decided_by_somebody_else'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='erasure_is_withdrawn_by_its_maker'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='erasure_is_rejected_with_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='erasure_is_decided_by_a_person'), models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('client',), name='one_open_erasure_proposal_per_client')],
            },
        ),
        migrations.CreateModel(
            name='LegalHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=300)),
                ('placed_at', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(null=True)),
                ('lift_reason', models.CharField(blank=True, max_length=300)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('lifted_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('placed_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('client',), name='one_legal_hold_per_client'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='legal_hold_has_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('lift_reason', ''), ('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False), models.Q(('lift_reason', ''), _negated=True)), _connector='OR'), name='legal_hold_is_lifted_with_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='AmlReferral',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=60, unique=True)),
                ('title', models.CharField(max_length=120)),
                ('text', models.TextField()),
                ('url', models.CharField(blank=True, max_length=200)),
                ('base_amount', models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('reason', models.TextField()),
                ('referred_at', models.DateTimeField()),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='referrals', to='compliance.amlcase')),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('referred_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'AML referral',
                'ordering': ['-referred_at', '-id'],
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('text', ''), _negated=True), models.Q(('reason', ''), _negated=True), models.Q(('title', ''), _negated=True)), name='aml_referral_says_what_and_why'), models.CheckConstraint(condition=models.Q(('base_amount__gte', 0), ('since__lte', models.F('until'))), name='aml_referral_is_about_a_time')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='amlreferral',
            trigger=pgtrigger.compiler.Trigger(name='aml_referral_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'aml_referral is append-only: write a new row instead';", hash='19ce2088425fc9061afc9ba948fb738dd633ce4f', operation='UPDATE OR DELETE', pgid='pgtrigger_aml_referral_no_change_f76fc', table='compliance_amlreferral', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='amlreferral',
            trigger=pgtrigger.compiler.Trigger(name='aml_referral_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'aml_referral is append-only: write a new row instead';", hash='c820604901a2efc99a8fe4b8416ac29f1b921017', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_aml_referral_no_truncate_48b80', table='compliance_amlreferral', when='BEFORE')),
        ),
    ]

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from crm.db.migration_operations import AtOnce
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('crm', '0001_initial'),
    ]

    operations = [
        AtOnce([
        migrations.CreateModel(
            name='Client',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stage', models.CharField(choices=[('lead', 'Lead'), ('registered', 'Registered'), ('verified', 'Verified'), ('funded', 'Funded'), ('active', 'Active'), ('dormant', 'Dormant'), ('closed', 'Closed')], default='lead', max_length=12)),
                ('first_name', models.CharField(blank=True, max_length=80)),
                ('last_name', models.CharField(blank=True, max_length=80)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('phone', models.CharField(blank=True, help_text='E.164, e.g. +4915112345678', max_length=20)),
                ('country', models.CharField(blank=True, help_text='ISO 3166-1 alpha-2', max_length=2)),
                ('language', models.CharField(default='en', max_length=8)),
                ('time_zone', models.CharField(blank=True, max_length=40)),
                ('date_of_birth', models.DateField(blank=True, null=True)),
                ('nationality', models.CharField(blank=True, max_length=2)),
                ('address_line', models.CharField(blank=True, max_length=160)),
                ('city', models.CharField(blank=True, max_length=80)),
                ('postal_code', models.CharField(blank=True, max_length=20)),
                ('marketing_consent', models.BooleanField(default=False)),
                ('sales_status', models.CharField(choices=[('new', 'New'), ('no_answer', 'No answer'), ('contacted', 'Contacted'), ('interested', 'Interested'), ('call_back', 'Call back'), ('registration_sent', 'Registration link sent'), ('converted', 'Converted'), ('not_interested', 'Not interested'), ('wrong_number', 'Wrong number'), ('do_not_call', 'Do not call')], default='new', max_length=20)),
                ('score', models.PositiveSmallIntegerField(default=0)),
                ('kyc_level', models.PositiveSmallIntegerField(default=0)),
                ('risk_rating', models.CharField(choices=[('unrated', 'Not rated'), ('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], default='unrated', max_length=8)),
                ('category', models.CharField(choices=[('retail', 'Retail'), ('professional', 'Professional'), ('ecp', 'Eligible counterparty')], default='retail', max_length=12)),
                ('restrictions', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), blank=True, default=list, size=None)),
                ('first_deposit_at', models.DateTimeField(blank=True, null=True)),
                ('net_deposits', models.DecimalField(decimal_places=2, default=0, help_text="In the brand's base currency", max_digits=20)),
                ('last_trade_at', models.DateTimeField(blank=True, null=True)),
                ('equity', models.DecimalField(decimal_places=2, default=0, help_text="In the brand's base currency", max_digits=20)),
                ('last_contact_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('registered_at', models.DateTimeField(blank=True, null=True)),
                ('search_text', models.TextField(blank=True, editable=False, help_text='Lower-case name, e-mail, phone, id')),
                ('book', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='clients', to='crm.book')),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='clients', to='crm.brand')),
                ('owner', models.ForeignKey(blank=True, help_text='The agent', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='owned_clients', to=settings.AUTH_USER_MODEL)),
                ('user', models.OneToOneField(blank=True, help_text='The portal login', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='client', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('reveal_contact', "May reveal a client's phone and e-mail, one by one, each logged"), ('export_client', 'May export client lists'), ('move_client', 'May move clients between books'), ('log_call', 'May log calls and notes')],
                'indexes': [models.Index(fields=['book', '-id'], name='clients_by_book'), models.Index(fields=['book', 'stage', '-id'], name='clients_by_stage'), models.Index(fields=['owner', '-id'], name='clients_by_owner'), models.Index(fields=['brand', 'country', '-id'], name='clients_by_country'), models.Index(condition=models.Q(('phone', ''), _negated=True), fields=['brand', 'phone'], name='clients_by_phone'), django.contrib.postgres.indexes.GinIndex(fields=['search_text'], name='clients_search', opclasses=['gin_trgm_ops'])],
                'constraints': [models.UniqueConstraint(condition=models.Q(('email', ''), _negated=True), fields=('brand', 'email'), name='one_client_per_email_and_brand'), models.CheckConstraint(condition=models.Q(('stage', 'lead'), ('registered_at__isnull', False), ('stage', 'closed'), _connector='OR'), name='registered_client_has_a_date')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalClient',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('stage', models.CharField(choices=[('lead', 'Lead'), ('registered', 'Registered'), ('verified', 'Verified'), ('funded', 'Funded'), ('active', 'Active'), ('dormant', 'Dormant'), ('closed', 'Closed')], default='lead', max_length=12)),
                ('first_name', models.CharField(blank=True, max_length=80)),
                ('last_name', models.CharField(blank=True, max_length=80)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('phone', models.CharField(blank=True, help_text='E.164, e.g. +4915112345678', max_length=20)),
                ('country', models.CharField(blank=True, help_text='ISO 3166-1 alpha-2', max_length=2)),
                ('language', models.CharField(default='en', max_length=8)),
                ('time_zone', models.CharField(blank=True, max_length=40)),
                ('date_of_birth', models.DateField(blank=True, null=True)),
                ('nationality', models.CharField(blank=True, max_length=2)),
                ('address_line', models.CharField(blank=True, max_length=160)),
                ('city', models.CharField(blank=True, max_length=80)),
                ('postal_code', models.CharField(blank=True, max_length=20)),
                ('marketing_consent', models.BooleanField(default=False)),
                ('sales_status', models.CharField(choices=[('new', 'New'), ('no_answer', 'No answer'), ('contacted', 'Contacted'), ('interested', 'Interested'), ('call_back', 'Call back'), ('registration_sent', 'Registration link sent'), ('converted', 'Converted'), ('not_interested', 'Not interested'), ('wrong_number', 'Wrong number'), ('do_not_call', 'Do not call')], default='new', max_length=20)),
                ('score', models.PositiveSmallIntegerField(default=0)),
                ('kyc_level', models.PositiveSmallIntegerField(default=0)),
                ('risk_rating', models.CharField(choices=[('unrated', 'Not rated'), ('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], default='unrated', max_length=8)),
                ('category', models.CharField(choices=[('retail', 'Retail'), ('professional', 'Professional'), ('ecp', 'Eligible counterparty')], default='retail', max_length=12)),
                ('restrictions', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), blank=True, default=list, size=None)),
                ('first_deposit_at', models.DateTimeField(blank=True, null=True)),
                ('net_deposits', models.DecimalField(decimal_places=2, default=0, help_text="In the brand's base currency", max_digits=20)),
                ('last_trade_at', models.DateTimeField(blank=True, null=True)),
                ('equity', models.DecimalField(decimal_places=2, default=0, help_text="In the brand's base currency", max_digits=20)),
                ('last_contact_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('registered_at', models.DateTimeField(blank=True, null=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('book', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.book')),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(blank=True, db_constraint=False, help_text='The agent', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(blank=True, db_constraint=False, help_text='The portal login', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical client',
                'verbose_name_plural': 'historical clients',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='TimelineEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('call', 'Call'), ('email', 'E-mail'), ('note', 'Note'), ('task', 'Task'), ('stage', 'Stage'), ('lead', 'Lead'), ('document', 'Document'), ('payment', 'Payment'), ('trading', 'Trading'), ('compliance', 'Compliance'), ('partner', 'Partner'), ('ticket', 'Ticket')], max_length=12)),
                ('title', models.CharField(max_length=200)),
                ('body', models.TextField(blank=True)),
                ('url', models.CharField(blank=True, max_length=300)),
                ('data', models.JSONField(default=dict)),
                ('dedupe_key', models.CharField(blank=True, max_length=120)),
                ('is_visible_to_client', models.BooleanField(default=False)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='timeline', to='clients.client')),
            ],
            options={
                'ordering': ['-at', '-id'],
                'indexes': [models.Index(fields=['client', '-at', '-id'], name='timeline_by_client')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('dedupe_key', ''), _negated=True), fields=('client', 'dedupe_key'), name='timeline_tells_a_thing_once')],
            },
        ),
        ]),
    ]

import crm.conditions.expression
import datetime
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from crm.db.migration_operations import sql_files

# The scoring rules Keelson comes with, for all brands; a brand's own rule of the same name replaces one.
TIER_1 = ["DE", "AT", "CH", "GB", "IE", "NL", "BE", "LU", "SE", "NO", "DK", "FI", "AU", "NZ", "SG", "AE"]
TIER_2 = ["ES", "PT", "IT", "FR", "PL", "CZ", "SK", "SI", "HR", "HU", "RO", "BG", "GR", "CY", "MT", "EE", "LV", "LT", "MY", "HK", "JP"]
RULES = [
    ("Every lead", "base", {}, 15),
    ("Tier 1 country", "country", {"countries": TIER_1}, 20),
    ("Tier 2 country", "country", {"countries": TIER_2}, 10),
    ("Supported language", "language", {}, 8),
    ("Disposable e-mail address", "email", {"is": "disposable"}, -30),
    ("Company or own e-mail domain", "email", {"is": "own"}, 6),
    ("No e-mail address", "email", {"is": "none"}, -8),
    ("Phone matches country", "phone", {"is": "match"}, 15),
    ("Phone from another country", "phone", {"is": "mismatch"}, 3),
    ("Invalid phone number", "phone", {"is": "invalid"}, -12),
    ("No phone number", "phone", {"is": "missing"}, -8),
    ("Campaign", "campaign", {}, 15),
    ("Enquiry during the day", "hour", {"from": 8, "to": 21}, 4),
    ("Repeat enquiry", "repeat", {"at_least": 2}, 10),
    ("Frequent enquiries", "repeat", {"at_least": 4}, 5),
    ("Partner referral", "referral", {}, 12),
    ("Marketing consent", "consent", {}, 3),
]


def add(apps, schema_editor):
    """Create the scoring rules that every brand starts with."""
    rule = apps.get_model("leads", "ScoreRule")
    rule.objects.bulk_create(
        [rule(name=name, kind=kind, parameters=parameters, points=points) for name, kind, parameters, points in RULES]
    )


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('crm', '0002_sql'),
        ('clients', '0001_initial'),
        ('crm', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('clients', '0002_sql'),
    ]

    operations = [
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(help_text="The value of utm_campaign", max_length=60)),
                ('name', models.CharField(max_length=120)),
                ('source', models.CharField(blank=True, help_text="e.g. google, facebook, a portal's name", max_length=60)),
                ('medium', models.CharField(blank=True, help_text='e.g. cpc, email, affiliate', max_length=40)),
                ('cost', models.DecimalField(decimal_places=2, default=0, help_text="Spent so far, in the brand's base currency", max_digits=14)),
                ('quality', models.PositiveSmallIntegerField(default=5, help_text="Quality of its leads so far, 0 to 10; used for scoring")),
                ('starts_on', models.DateField(blank=True, null=True)),
                ('ends_on', models.DateField(blank=True, null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'name'],
            },
        ),
        migrations.CreateModel(
            name='HistoricalCampaign',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('code', models.SlugField(help_text="The value of utm_campaign", max_length=60)),
                ('name', models.CharField(max_length=120)),
                ('source', models.CharField(blank=True, help_text="e.g. google, facebook, a portal's name", max_length=60)),
                ('medium', models.CharField(blank=True, help_text='e.g. cpc, email, affiliate', max_length=40)),
                ('cost', models.DecimalField(decimal_places=2, default=0, help_text="Spent so far, in the brand's base currency", max_digits=14)),
                ('quality', models.PositiveSmallIntegerField(default=5, help_text="Quality of its leads so far, 0 to 10; used for scoring")),
                ('starts_on', models.DateField(blank=True, null=True)),
                ('ends_on', models.DateField(blank=True, null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical campaign',
                'verbose_name_plural': 'historical campaigns',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalLandingPage',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60)),
                ('language', models.CharField(max_length=8)),
                ('country', models.CharField(blank=True, help_text="Preselected in the form", max_length=2)),
                ('headline', models.CharField(max_length=120)),
                ('subline', models.CharField(blank=True, max_length=300)),
                ('points', models.JSONField(blank=True, default=list, help_text='Up to four: icon, title, text')),
                ('call_to_action', models.CharField(max_length=60)),
                ('thanks_title', models.CharField(max_length=120)),
                ('thanks_text', models.CharField(blank=True, max_length=400)),
                ('is_published', models.BooleanField(default=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('campaign', models.ForeignKey(blank=True, db_constraint=False, help_text="Used for visitors without utm_campaign", null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='leads.campaign')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('required_fields', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None)),
                ('shown_fields', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None)),
                ('asks_experience', models.BooleanField(default=False)),
                ('asks_deposit', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name': 'historical landing page',
                'verbose_name_plural': 'historical landing pages',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalLeadSource',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('code', models.SlugField(help_text="Recorded as the lead's source", max_length=60)),
                ('key_prefix', models.CharField(db_index=True, max_length=12)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(blank=True, editable=False)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('campaign', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='leads.campaign')),
                ('created_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('needs_signature', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name': 'historical lead source',
                'verbose_name_plural': 'historical lead sources',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalRoutingRule',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=100, help_text="Rules are tried in ascending order")),
                ('name', models.CharField(max_length=80)),
                ('is_active', models.BooleanField(default=True)),
                ('strategy', models.CharField(choices=[('round_robin', "Round robin"), ('least_loaded', 'Fewest leads waiting')], default='round_robin', max_length=14)),
                ('needs_language', models.BooleanField(default=True, help_text="Only agents who speak the lead's language")),
                ('off_shift', models.CharField(choices=[('wait', 'Wait in the pool until someone is on shift'), ('assign', "Assign anyway")], default='wait', max_length=8)),
                ('sla_seconds', models.PositiveIntegerField(default=900, help_text="Leads without first contact within this time are reassigned; 0: never")),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('desk', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.desk')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('condition', models.JSONField(blank=True, default=crm.conditions.expression.always, help_text='Which leads, as crm.conditions stores it')),
                ('no_agent', models.CharField(choices=[('next', 'Try the next rule that matches'), ('wait', "Wait in this desk's pool")], default='next', max_length=4)),
                ('pool', models.ForeignKey(blank=True, db_constraint=False, help_text="Where leads wait that no agent gets; empty: the desk's pool", null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.book')),
            ],
            options={
                'verbose_name': 'historical routing rule',
                'verbose_name_plural': 'historical routing rules',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalScoreRule',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(help_text="Shown to the agent next to the points", max_length=80)),
                ('kind', models.CharField(choices=[('base', 'Every lead'), ('country', "Country"), ('language', "Language supported by the brand"), ('email', "Type of e-mail address"), ('phone', "Validity of the phone number"), ('campaign', "Campaign quality (0 to 10)"), ('source', "Source"), ('hour', "Local time of the lead"), ('repeat', "Repeat enquiry"), ('referral', "Partner referral"), ('consent', "Marketing consent")], max_length=10)),
                ('parameters', models.JSONField(blank=True, default=dict, help_text='e.g. countries, is, from, to, at_least')),
                ('points', models.SmallIntegerField(help_text="-100 to 100; for campaign quality, the points at quality 10")),
                ('valid_from', models.DateField(default=datetime.date(2000, 1, 1))),
                ('valid_to', models.DateField(blank=True, help_text="First day on which the rule no longer applies", null=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, help_text='Empty: all brands', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical score rule',
                'verbose_name_plural': 'historical score rules',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalShift',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(help_text='0 is Monday')),
                ('starts', models.TimeField()),
                ('ends', models.TimeField()),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('agent', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical shift',
                'verbose_name_plural': 'historical shifts',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='LandingPage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60)),
                ('language', models.CharField(max_length=8)),
                ('country', models.CharField(blank=True, help_text="Preselected in the form", max_length=2)),
                ('headline', models.CharField(max_length=120)),
                ('subline', models.CharField(blank=True, max_length=300)),
                ('points', models.JSONField(blank=True, default=list, help_text='Up to four: icon, title, text')),
                ('call_to_action', models.CharField(max_length=60)),
                ('thanks_title', models.CharField(max_length=120)),
                ('thanks_text', models.CharField(blank=True, max_length=400)),
                ('is_published', models.BooleanField(default=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='landing_pages', to='crm.brand')),
                ('campaign', models.ForeignKey(blank=True, help_text="Used for visitors without utm_campaign", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='landing_pages', to='leads.campaign')),
                ('required_fields', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None)),
                ('shown_fields', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None)),
                ('asks_experience', models.BooleanField(default=False)),
                ('asks_deposit', models.BooleanField(default=False)),
            ],
            options={
                'ordering': ['brand_id', 'slug', 'language'],
            },
        ),
        migrations.CreateModel(
            name='LeadModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('trained_at', models.DateTimeField()),
                ('first_day', models.DateField()),
                ('last_day', models.DateField()),
                ('horizon_days', models.PositiveSmallIntegerField()),
                ('means', models.JSONField()),
                ('spreads', models.JSONField()),
                ('weights', models.JSONField()),
                ('intercept', models.FloatField()),
                ('slope', models.FloatField()),
                ('shift', models.FloatField()),
                ('auc', models.FloatField()),
                ('yardstick_auc', models.FloatField()),
                ('calibration', models.JSONField()),
                ('is_active', models.BooleanField(default=True)),
                ('rates', models.JSONField()),
                ('edges', models.JSONField()),
                ('leads', models.PositiveIntegerField(help_text='Leads by month that it learned from')),
                ('held_back', models.PositiveIntegerField(help_text='Leads by month that it was judged on')),
                ('deposited', models.PositiveIntegerField(help_text='Of those held back')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='LeadImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=160)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('header', models.JSONField(default=list, help_text="The file's column names, in order")),
                ('mapping', models.JSONField(default=dict, help_text='Field ← column, and how the file is read')),
                ('source', models.CharField(blank=True, max_length=60)),
                ('language', models.CharField(blank=True, help_text="For lines without a value", max_length=8)),
                ('country', models.CharField(blank=True, help_text="For lines without a value", max_length=2)),
                ('is_routed', models.BooleanField(default=True, help_text="Assign the leads by the routing rules")),
                ('state', models.CharField(choices=[('mapping', 'Columns not mapped'), ('checking', "Checking"), ('checked', 'Ready to import'), ('importing', "Importing"), ('done', 'Imported'), ('failed', 'Failed'), ('discarded', 'Discarded')], default='mapping', max_length=10)),
                ('counts', models.JSONField(default=dict, help_text='Rows per verdict')),
                ('problems', models.JSONField(default=list, help_text="The file's own: an unknown column, a wrong encoding")),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lead_imports', to='crm.brand')),
                ('campaign', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='leads.campaign')),
                ('check_job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.job')),
                ('import_job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.job')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lead_imports', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='LeadImportRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField(help_text='Line in the file; the header is line 1')),
                ('verdict', models.CharField(choices=[('new', 'New'), ('known', 'Existing record'), ('repeated', 'Duplicate in file'), ('wrong', 'Invalid'), ('refused', 'Refused')], max_length=10)),
                ('errors', models.JSONField(default=list, help_text='[{"column": "phone", "message": "…"}]')),
                ('first_name', models.CharField(blank=True, max_length=80)),
                ('last_name', models.CharField(blank=True, max_length=80)),
                ('email', models.CharField(blank=True, max_length=254)),
                ('email_canonical', models.CharField(blank=True, max_length=254)),
                ('phone', models.CharField(blank=True, max_length=20)),
                ('country', models.CharField(blank=True, max_length=2)),
                ('language', models.CharField(blank=True, max_length=8)),
                ('source', models.CharField(blank=True, max_length=60)),
                ('campaign_code', models.CharField(blank=True, max_length=60)),
                ('message', models.TextField(blank=True)),
                ('consent', models.BooleanField(default=False)),
                ('client_id', models.BigIntegerField(help_text='The known client, or the one that was made', null=True)),
                ('same_as_line', models.PositiveIntegerField(null=True)),
                ('batch', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='leads.leadimport')),
                ('custom', models.JSONField(default=dict, help_text="Custom fields as they were entered, by the field's id")),
                ('declared', models.JSONField(default=dict, help_text='Trading experience and intended deposit')),
            ],
            options={
                'ordering': ['batch_id', 'line'],
            },
        ),
        migrations.CreateModel(
            name='LeadSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('code', models.SlugField(help_text="Recorded as the lead's source", max_length=60)),
                ('key_prefix', models.CharField(max_length=12, unique=True)),
                ('key_hash', models.CharField(help_text='SHA-256 of the key; the key itself is shown once', max_length=64)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lead_sources', to='crm.brand')),
                ('campaign', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='leads.campaign')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('needs_signature', models.BooleanField(default=False)),
                ('old_signing_secret_until', models.DateTimeField(editable=False, null=True)),
                ('sealed_old_signing_secret', models.BinaryField(help_text='Counts too until `old_signing_secret_until`', null=True)),
                ('sealed_signing_secret', models.BinaryField(null=True)),
            ],
            options={
                'ordering': ['brand_id', 'name'],
                'permissions': [('manage_sources', 'May create and stop sources that post leads')],
            },
        ),
        migrations.CreateModel(
            name='RegistrationInvitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token_hash', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('opened_at', models.DateTimeField(blank=True, null=True)),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, help_text='A newer link took its place', null=True)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='clients.client')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('used_by', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invitation', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='RoutingRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=100, help_text="Rules are tried in ascending order")),
                ('name', models.CharField(max_length=80)),
                ('is_active', models.BooleanField(default=True)),
                ('strategy', models.CharField(choices=[('round_robin', "Round robin"), ('least_loaded', 'Fewest leads waiting')], default='round_robin', max_length=14)),
                ('needs_language', models.BooleanField(default=True, help_text="Only agents who speak the lead's language")),
                ('off_shift', models.CharField(choices=[('wait', 'Wait in the pool until someone is on shift'), ('assign', "Assign anyway")], default='wait', max_length=8)),
                ('sla_seconds', models.PositiveIntegerField(default=900, help_text="Leads without first contact within this time are reassigned; 0: never")),
                ('agents', models.ManyToManyField(blank=True, help_text="Only these agents of the desk; empty: all agents who accept leads", related_name='+', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='routing_rules', to='crm.brand')),
                ('desk', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='routing_rules', to='crm.desk')),
                ('condition', models.JSONField(blank=True, default=crm.conditions.expression.always, help_text='Which leads, as crm.conditions stores it')),
                ('no_agent', models.CharField(choices=[('next', 'Try the next rule that matches'), ('wait', "Wait in this desk's pool")], default='next', max_length=4)),
                ('pool', models.ForeignKey(blank=True, help_text="Where leads wait that no agent gets; empty: the desk's pool", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.book')),
            ],
            options={
                'ordering': ['brand_id', 'position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Lead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('landing', 'Landing page'), ('api', 'API'), ('import', 'Import'), ('portal', "Client portal"), ('manual', "Entered manually")], max_length=8)),
                ('captured_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('source', models.CharField(blank=True, max_length=60)),
                ('medium', models.CharField(blank=True, max_length=40)),
                ('utm', models.JSONField(blank=True, default=dict, help_text='All utm_* as they came')),
                ('click_id', models.CharField(blank=True, help_text="gclid, fbclid, an affiliate's click id", max_length=200)),
                ('referral_code', models.CharField(blank=True, help_text="A partner's code", max_length=40)),
                ('landing_url', models.CharField(blank=True, max_length=500)),
                ('referrer', models.CharField(blank=True, max_length=500)),
                ('ip', models.GenericIPAddressField(blank=True, null=True)),
                ('user_agent_hash', models.CharField(blank=True, max_length=16)),
                ('country_guess', models.CharField(blank=True, max_length=2)),
                ('language', models.CharField(blank=True, max_length=8)),
                ('message', models.TextField(blank=True)),
                ('consents', models.JSONField(blank=True, default=dict, help_text='What they agreed to, in which words')),
                ('experience', models.CharField(blank=True, choices=[('none', 'No trading experience'), ('some', 'Some trading experience'), ('experienced', 'Experienced trader')], db_default='', default='', max_length=12)),
                ('intended_deposit', models.DecimalField(blank=True, decimal_places=8, max_digits=21, null=True)),
                ('intended_currency', models.CharField(blank=True, db_default='', default='', max_length=5)),
                ('intended_in_base', models.DecimalField(blank=True, decimal_places=8, max_digits=21, null=True)),
                ('typed', models.JSONField(blank=True, default=dict)),
                ('is_duplicate', models.BooleanField(default=False)),
                ('match_reasons', models.JSONField(blank=True, default=list)),
                ('idempotency_key', models.CharField(blank=True, max_length=80)),
                ('body_hash', models.CharField(blank=True, max_length=64)),
                ('score', models.PositiveSmallIntegerField(default=0)),
                ('score_reasons', models.JSONField(blank=True, default=list)),
                ('probability', models.FloatField(help_text='Of a first deposit within a month', null=True)),
                ('learned_score', models.PositiveSmallIntegerField(null=True)),
                ('learned_reasons', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), blank=True, default=list, size=None)),
                ('assigned_at', models.DateTimeField(blank=True, null=True)),
                ('routing_reasons', models.JSONField(blank=True, default=list)),
                ('tried_agents', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None)),
                ('sla_due_at', models.DateTimeField(blank=True, help_text='Untouched by then, it goes to someone else', null=True)),
                ('sla_missed', models.PositiveSmallIntegerField(default=0)),
                ('touched_at', models.DateTimeField(blank=True, help_text='First call, mail or change of status', null=True)),
                ('assigned_to', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assigned_leads', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='crm.brand')),
                ('campaign', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='leads.campaign')),
                ('book', models.ForeignKey(db_constraint=False, db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.book')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='clients.client')),
                ('created_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('landing_page', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='leads.landingpage')),
                ('touched_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('api_source', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='leads.leadsource')),
                ('routing_rule', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='leads.routingrule')),
                ('refusal', models.CharField(blank=True, choices=[('country', 'Country not accepted')], max_length=8)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('assign_lead', 'May assign leads to agents of the desk, one by one or many at once'), ('import_lead', 'May import leads from a file'), ('receive_lead', 'Takes leads from routing'), ('change_sales_status', 'May move a lead along the pipeline'), ('lift_do_not_call', 'May call a person again who asked not to be called'), ('send_invitation', 'May send a registration link')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalRoutingRule_agents',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='leads.historicalroutingrule')),
                ('user', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('routingrule', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='leads.routingrule')),
            ],
            options={
                'verbose_name': 'HistoricalRoutingRule_agents',
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='SalesStatusChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('before', models.CharField(choices=[('new', 'New'), ('no_answer', 'No answer'), ('contacted', 'Contacted'), ('interested', 'Interested'), ('call_back', 'Call back'), ('registration_sent', 'Registration link sent'), ('converted', 'Converted'), ('not_interested', 'Not interested'), ('wrong_number', 'Wrong number'), ('do_not_call', 'Do not call')], max_length=20)),
                ('after', models.CharField(choices=[('new', 'New'), ('no_answer', 'No answer'), ('contacted', 'Contacted'), ('interested', 'Interested'), ('call_back', 'Call back'), ('registration_sent', 'Registration link sent'), ('converted', 'Converted'), ('not_interested', 'Not interested'), ('wrong_number', 'Wrong number'), ('do_not_call', 'Do not call')], max_length=20)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('actor', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='sales_status_changes', to='clients.client')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ScoreRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text="Shown to the agent next to the points", max_length=80)),
                ('kind', models.CharField(choices=[('base', 'Every lead'), ('country', "Country"), ('language', "Language supported by the brand"), ('email', "Type of e-mail address"), ('phone', "Validity of the phone number"), ('campaign', "Campaign quality (0 to 10)"), ('source', "Source"), ('hour', "Local time of the lead"), ('repeat', "Repeat enquiry"), ('referral', "Partner referral"), ('consent', "Marketing consent")], max_length=10)),
                ('parameters', models.JSONField(blank=True, default=dict, help_text='e.g. countries, is, from, to, at_least')),
                ('points', models.SmallIntegerField(help_text="-100 to 100; for campaign quality, the points at quality 10")),
                ('valid_from', models.DateField(default=datetime.date(2000, 1, 1))),
                ('valid_to', models.DateField(blank=True, help_text="First day on which the rule no longer applies", null=True)),
                ('brand', models.ForeignKey(blank=True, help_text='Empty: all brands', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='score_rules', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'kind', 'name', 'valid_from'],
                'permissions': [('manage_rules', 'May change scoring and routing rules')],
            },
        ),
        migrations.CreateModel(
            name='Shift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(help_text='0 is Monday')),
                ('starts', models.TimeField()),
                ('ends', models.TimeField()),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shifts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['agent_id', 'weekday', 'starts'],
            },
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.UniqueConstraint(fields=('brand', 'code'), name='campaign_code_is_unique_in_its_brand'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('quality__lte', 10)), name='campaign_quality_is_at_most_ten'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('cost__gte', 0)), name='campaign_cost_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('starts_on', None), ('ends_on', None), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='campaign_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='landingpage',
            constraint=models.UniqueConstraint(fields=('brand', 'slug', 'language'), name='one_landing_page_per_slug_and_language'),
        ),
        migrations.AddIndex(
            model_name='leadimport',
            index=models.Index(fields=['owner', '-id'], name='lead_imports_by_owner'),
        ),
        migrations.AddIndex(
            model_name='leadimportrow',
            index=models.Index(fields=['batch', 'verdict', 'line'], name='import_rows_by_verdict'),
        ),
        migrations.AddConstraint(
            model_name='leadimportrow',
            constraint=models.UniqueConstraint(fields=('batch', 'line'), name='import_line_is_read_once'),
        ),
        migrations.AddConstraint(
            model_name='leadsource',
            constraint=models.UniqueConstraint(fields=('brand', 'code'), name='lead_source_is_unique_in_its_brand'),
        ),
        migrations.AddIndex(
            model_name='registrationinvitation',
            index=models.Index(fields=['client', '-id'], name='invitations_by_client'),
        ),
        migrations.AddConstraint(
            model_name='registrationinvitation',
            constraint=models.UniqueConstraint(condition=models.Q(('revoked_at', None), ('used_at', None)), fields=('client',), name='one_open_invitation_per_client'),
        ),
        migrations.AddConstraint(
            model_name='registrationinvitation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('used_at', None), ('used_by', None)), models.Q(('used_at__isnull', False), ('used_by__isnull', False)), _connector='OR'), name='used_invitation_says_by_whom'),
        ),
        migrations.AddConstraint(
            model_name='registrationinvitation',
            constraint=models.CheckConstraint(condition=models.Q(('used_at', None), ('revoked_at', None), _connector='OR'), name='invitation_is_used_or_revoked_not_both'),
        ),
        migrations.AddIndex(
            model_name='lead',
            index=models.Index(fields=['client', '-captured_at', '-id'], name='leads_by_client'),
        ),
        migrations.AddIndex(
            model_name='lead',
            index=models.Index(fields=['book', '-id'], name='leads_by_book'),
        ),
        migrations.AddIndex(
            model_name='lead',
            index=models.Index(fields=['assigned_to', '-assigned_at'], name='leads_by_agent'),
        ),
        migrations.AddIndex(
            model_name='lead',
            index=models.Index(fields=['campaign', '-captured_at'], name='leads_by_campaign'),
        ),
        migrations.AddIndex(
            model_name='lead',
            index=models.Index(condition=models.Q(('sla_due_at__isnull', False), ('touched_at__isnull', True)), fields=['sla_due_at'], name='leads_running_out'),
        ),
        migrations.AddIndex(
            model_name='lead',
            index=models.Index(condition=models.Q(('assigned_to__isnull', True), ('is_duplicate', False), ('touched_at__isnull', True)), fields=['brand', 'id'], name='leads_waiting_in_pools'),
        ),
        migrations.AddConstraint(
            model_name='lead',
            constraint=models.UniqueConstraint(condition=models.Q(('idempotency_key', ''), _negated=True), fields=('brand', 'idempotency_key'), name='a_lead_is_captured_once'),
        ),
        migrations.AddConstraint(
            model_name='lead',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('assigned_at', None), ('assigned_to', None)), models.Q(('assigned_at__isnull', False), ('assigned_to__isnull', False)), _connector='OR'), name='assigned_lead_says_who_and_when'),
        ),
        migrations.AddConstraint(
            model_name='lead',
            constraint=models.CheckConstraint(condition=models.Q(('score__lte', 100)), name='lead_score_is_at_most_a_hundred'),
        ),
        migrations.AddConstraint(
            model_name='lead',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('learned_score', None), ('probability', None)), models.Q(('learned_score__isnull', False), ('learned_score__lte', 100), ('probability__gte', 0), ('probability__isnull', False), ('probability__lte', 1)), _connector='OR'), name='learned_score_has_its_probability'),
        ),
        migrations.AddConstraint(
            model_name='leadmodel',
            constraint=models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('is_active',), name='one_lead_model_is_in_use'),
        ),
        migrations.AddConstraint(
            model_name='leadmodel',
            constraint=models.CheckConstraint(condition=models.Q(('auc__gte', 0), ('auc__lte', 1)), name='lead_model_has_an_auc'),
        ),
        migrations.AddIndex(
            model_name='salesstatuschange',
            index=models.Index(fields=['client', '-id'], name='status_changes_by_client'),
        ),
        migrations.AddIndex(
            model_name='salesstatuschange',
            index=models.Index(fields=['actor', '-at'], name='status_changes_by_actor'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='salesstatuschange',
            trigger=pgtrigger.compiler.Trigger(name='sales_status_change_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'sales_status_change is append-only: write a new row instead';", hash='15bba3c6edf5143da54d872d93929ba7ee867ba4', operation='UPDATE OR DELETE', pgid='pgtrigger_sales_status_change_no_change_84ee1', table='leads_salesstatuschange', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='salesstatuschange',
            trigger=pgtrigger.compiler.Trigger(name='sales_status_change_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'sales_status_change is append-only: write a new row instead';", hash='63c0f4c444e06da29e02562e699eca9a9245f571', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_sales_status_change_no_truncate_5f325', table='leads_salesstatuschange', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='scorerule',
            constraint=models.CheckConstraint(condition=models.Q(('points__gte', -100), ('points__lte', 100)), name='score_rule_points_are_within_a_hundred'),
        ),
        migrations.AddConstraint(
            model_name='scorerule',
            constraint=models.CheckConstraint(condition=models.Q(('valid_to', None), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='score_rule_ends_after_it_begins'),
        ),
        migrations.AddConstraint(
            model_name='scorerule',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(django.db.models.functions.comparison.Coalesce(models.F('brand_id'), models.Value(0)), '='), (models.F('name'), '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='daterange', output_field=django.contrib.postgres.fields.ranges.DateRangeField()), '&&')], name='score_rule_has_one_version_a_day'),
        ),
        migrations.AddConstraint(
            model_name='shift',
            constraint=models.CheckConstraint(condition=models.Q(('ends__gt', models.F('starts'))), name='shift_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='shift',
            constraint=models.CheckConstraint(condition=models.Q(('weekday__lte', 6)), name='shift_is_on_a_weekday'),
        ),
        migrations.AddConstraint(
            model_name='shift',
            constraint=models.UniqueConstraint(fields=('agent', 'weekday', 'starts'), name='shift_starts_once'),
        ),
        migrations.AddConstraint(
            model_name='lead',
            constraint=models.CheckConstraint(condition=models.Q(('refusal', ''), ('sla_due_at', None), _connector='OR'), name='refused_lead_has_no_clock'),
        ),
        migrations.AddConstraint(
            model_name='landingpage',
            constraint=models.CheckConstraint(condition=models.Q(('required_fields__contained_by', models.F('shown_fields'))), name='required_fields_are_on_the_form'),
        ),
        migrations.AddConstraint(
            model_name='landingpage',
            constraint=models.CheckConstraint(condition=models.Q(('shown_fields__len__lte', 10)), name='landing_form_stays_short'),
        ),
        migrations.CreateModel(
            name='LeadFacts',
            fields=[
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='%(app_label)s_facts', serialize=False, to='clients.client')),
                ('refusal', models.CharField(choices=[('country', 'Country not accepted')], max_length=8, null=True)),
                ('experience', models.CharField(choices=[('none', 'No trading experience'), ('some', 'Some trading experience'), ('experienced', 'Experienced trader')], max_length=12, null=True)),
                ('intended_deposit', models.DecimalField(decimal_places=8, max_digits=21, null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('refusal__isnull', False)), fields=['refusal'], name='facts_by_refusal'), models.Index(condition=models.Q(('experience__isnull', False)), fields=['experience'], name='facts_by_experience'), models.Index(condition=models.Q(('intended_deposit__isnull', False)), fields=['intended_deposit'], name='facts_by_intended_deposit')],
            },
        ),
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField()),
            ],
            options={
                'ordering': ['agent_id', 'starts_on'],
            },
        ),
        migrations.CreateModel(
            name='AgentCount',
            fields=[
                ('agent', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('day', models.DateField()),
                ('given', models.PositiveIntegerField(default=0)),
            ],
            options={
                'ordering': ['agent_id'],
            },
        ),
        migrations.CreateModel(
            name='HistoricalAbsence',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField()),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical absence',
                'verbose_name_plural': 'historical absences',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='PoolPass',
            fields=[
                ('brand', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='crm.brand')),
                ('after_lead', models.BigIntegerField(default=0)),
            ],
            options={
                'ordering': ['brand_id'],
            },
        ),
        migrations.CreateModel(
            name='RuleTurn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.BigIntegerField(default=0)),
                ('served_at', models.BigIntegerField(default=0)),
            ],
            options={
                'ordering': ['rule_id', 'agent_id'],
            },
        ),
        migrations.AddField(
            model_name='historicalroutingrule',
            name='weights',
            field=models.JSONField(blank=True, default=dict, help_text='Shares by agent id, from 1 to 100; others have 1'),
        ),
        migrations.AddField(
            model_name='leadimport',
            name='written',
            field=models.JSONField(default=dict, help_text='Leads imported so far: new, known, and new ones by agent'),
        ),
        migrations.AddField(
            model_name='routingrule',
            name='weights',
            field=models.JSONField(blank=True, default=dict, help_text='Shares by agent id, from 1 to 100; others have 1'),
        ),
        migrations.AlterField(
            model_name='historicalroutingrule',
            name='strategy',
            field=models.CharField(choices=[('round_robin', 'Round robin'), ('weighted', 'Weighted shares'), ('least_loaded', 'Fewest leads waiting'), ('language', "Best command of the lead's language"), ('referrer', "Owner of the referring partner's record, else in turn"), ('pool', 'None: leads wait in the pool until somebody takes them')], default='round_robin', max_length=14),
        ),
        migrations.AlterField(
            model_name='routingrule',
            name='strategy',
            field=models.CharField(choices=[('round_robin', 'Round robin'), ('weighted', 'Weighted shares'), ('least_loaded', 'Fewest leads waiting'), ('language', "Best command of the lead's language"), ('referrer', "Owner of the referring partner's record, else in turn"), ('pool', 'None: leads wait in the pool until somebody takes them')], default='round_robin', max_length=14),
        ),
        migrations.AddIndex(
            model_name='lead',
            index=models.Index(condition=models.Q(('assigned_to__isnull', False), ('is_duplicate', False), ('touched_at__isnull', True)), fields=['assigned_to'], name='leads_untouched_by_agent'),
        ),
        migrations.AddField(
            model_name='absence',
            name='agent',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='absences', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='historicalabsence',
            name='agent',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='historicalabsence',
            name='history_user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='ruleturn',
            name='agent',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='ruleturn',
            name='rule',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='turns', to='leads.routingrule'),
        ),
        migrations.AddConstraint(
            model_name='absence',
            constraint=models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='absence_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='absence',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('agent', '='), (models.Func(models.F('starts_on'), models.F('ends_on'), models.Value('[]'), function='daterange', output_field=django.contrib.postgres.fields.ranges.DateRangeField()), '&&')], name='absences_of_an_agent_do_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='ruleturn',
            constraint=models.UniqueConstraint(fields=('rule', 'agent'), name='one_turn_per_rule_and_agent'),
        ),
        migrations.CreateModel(
            name='DuplicatePass',
            fields=[
                ('brand', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='crm.brand')),
                ('after_new', models.BigIntegerField(default=0)),
                ('after_nightly', models.BigIntegerField(default=0)),
            ],
            options={
                'ordering': ['brand_id'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='PossibleDuplicate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Open'), ('dismissed', 'Not the same person'), ('merged', 'Merged')], default='open', max_length=10)),
                ('is_household', models.BooleanField(default=False)),
                ('points', models.SmallIntegerField()),
                ('reasons', models.JSONField(default=list)),
                ('facts_hash', models.CharField(max_length=64)),
                ('found_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('first', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clients.client')),
                ('second', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clients.client')),
            ],
            options={
                'ordering': ['-points', '-id'],
                'default_permissions': (),
                'indexes': [models.Index(fields=['brand', 'state', '-points', '-id'], name='possible_duplicates_by_points'), models.Index(fields=['second'], name='possible_duplicates_of_second')],
                'constraints': [models.UniqueConstraint(fields=('first', 'second'), name='a_pair_of_records_is_listed_once'), models.CheckConstraint(condition=models.Q(('first__lt', models.F('second'))), name='the_older_record_of_a_pair_is_first'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'dismissed'), _negated=True), models.Q(('decided_at__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='a_dismissed_pair_says_when_and_why')],
            },
        ),
        migrations.CreateModel(
            name='Automation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('paused', 'Paused'), ('archived', 'Archived')], default='draft', max_length=8)),
                ('draft', models.JSONField(help_text='As leads.automations.definition reads it')),
                ('template', models.CharField(blank=True, help_text='The shipped template that it was made from', max_length=40)),
                ('failures', models.PositiveIntegerField(default=0, help_text='Failed tries since the last step that was done')),
                ('pause_reason', models.CharField(blank=True, max_length=300)),
                ('dates_until', models.DateTimeField(help_text='Up to when its dates were looked at', null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='automations', to='crm.brand')),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('subscription', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.eventsubscription')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('manage_automation', 'May make automations, activate and pause them')],
            },
        ),
        migrations.CreateModel(
            name='AutomationVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('definition', models.JSONField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('automation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='leads.automation')),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['automation_id', '-number'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AutomationStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('variant', models.CharField(blank=True, choices=[('', 'Everyone'), ('a', 'Group A'), ('b', 'Group B')], max_length=1)),
                ('wait_minutes', models.PositiveIntegerField()),
                ('action', models.CharField(max_length=30)),
                ('options', models.JSONField()),
                ('condition', models.JSONField(null=True)),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='leads.automationversion')),
            ],
            options={
                'ordering': ['version_id', 'position'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AutomationRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('active', 'In progress'), ('finished', 'Finished'), ('goal', 'Goal reached'), ('left', 'Left early'), ('not_started', 'Not started'), ('failed', 'Failed')], default='active', max_length=11)),
                ('variant', models.CharField(blank=True, choices=[('', 'Everyone'), ('a', 'Group A'), ('b', 'Group B')], max_length=1)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('is_watching', models.BooleanField(default=False)),
                ('trigger_key', models.CharField(max_length=80)),
                ('event_id', models.BigIntegerField(null=True)),
                ('entered_at', models.DateTimeField()),
                ('next_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='Failed tries of the next step')),
                ('error', models.CharField(blank=True, max_length=300)),
                ('reason', models.CharField(blank=True, choices=[('', ''), ('condition', "The step's conditions aren't met"), ('no_consent', 'No marketing consent'), ('do_not_contact', 'Marked as not to be contacted'), ('no_address', 'No e-mail address'), ('no_assignee', 'No one to assign it to'), ('not_possible', 'Not possible for this client now'), ('already', 'Nothing to change'), ('limit', 'The limit of entries is reached'), ('exit', 'The exit conditions are met'), ('closed', 'The record was closed, merged or erased'), ('happened', 'It happened in time'), ('conditions', "The conditions aren't met"), ('failures', 'The step failed repeatedly'), ('ended', 'The automation was archived')], max_length=14)),
                ('finished_at', models.DateTimeField(null=True)),
                ('automation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='leads.automation')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='automation_runs', to='clients.client')),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='leads.automationversion')),
            ],
            options={
                'ordering': ['-id'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AutomationActivation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('automation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='activations', to='leads.automation')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='activation', to='leads.automationversion')),
            ],
            options={
                'ordering': ['-id'],
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='automation',
            name='version',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='leads.automationversion'),
        ),
        migrations.CreateModel(
            name='AutomationRunStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('state', models.CharField(choices=[('done', 'Done'), ('skipped', 'Skipped'), ('failed', 'Failed')], max_length=7)),
                ('reason', models.CharField(blank=True, choices=[('', ''), ('condition', "The step's conditions aren't met"), ('no_consent', 'No marketing consent'), ('do_not_contact', 'Marked as not to be contacted'), ('no_address', 'No e-mail address'), ('no_assignee', 'No one to assign it to'), ('not_possible', 'Not possible for this client now'), ('already', 'Nothing to change'), ('limit', 'The limit of entries is reached'), ('exit', 'The exit conditions are met'), ('closed', 'The record was closed, merged or erased'), ('happened', 'It happened in time'), ('conditions', "The conditions aren't met"), ('failures', 'The step failed repeatedly'), ('ended', 'The automation was archived')], max_length=14)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='leads.automationrun')),
            ],
            options={
                'ordering': ['run_id', 'position'],
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('run', 'position'), name='a_step_of_a_run_is_done_once')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='automationrunstep',
            trigger=pgtrigger.compiler.Trigger(name='automation_run_step_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'automation_run_step is append-only: write a new row instead';", hash='ea3e056d85103e95a52ae51167b611708f760eaa', operation='UPDATE OR DELETE', pgid='pgtrigger_automation_run_step_no_change_492e1', table='leads_automationrunstep', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='automationrunstep',
            trigger=pgtrigger.compiler.Trigger(name='automation_run_step_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'automation_run_step is append-only: write a new row instead';", hash='f3c5922941220a35a195508d49e01b96df4f8c6a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_automation_run_step_no_truncate_2ca11', table='leads_automationrunstep', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='automationversion',
            constraint=models.UniqueConstraint(fields=('automation', 'number'), name='automation_version_has_its_own_number'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='automationversion',
            trigger=pgtrigger.compiler.Trigger(name='automation_version_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'automation_version is append-only: write a new row instead';", hash='3f62f5af5b9ac6a10509751c36f940e5711c43e8', operation='UPDATE OR DELETE', pgid='pgtrigger_automation_version_no_change_4fa81', table='leads_automationversion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='automationversion',
            trigger=pgtrigger.compiler.Trigger(name='automation_version_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'automation_version is append-only: write a new row instead';", hash='dfabc3926a8d0dddecc13d7db9d8a6d4abd5a6ff', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_automation_version_no_truncate_f3df7', table='leads_automationversion', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='automationstep',
            constraint=models.UniqueConstraint(fields=('version', 'position'), name='automation_step_has_its_place'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='automationstep',
            trigger=pgtrigger.compiler.Trigger(name='automation_step_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'automation_step is append-only: write a new row instead';", hash='d06f54a7970110b0d0ce71db8a30505a050e3138', operation='UPDATE OR DELETE', pgid='pgtrigger_automation_step_no_change_6c11c', table='leads_automationstep', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='automationstep',
            trigger=pgtrigger.compiler.Trigger(name='automation_step_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'automation_step is append-only: write a new row instead';", hash='cd8b0e0a1dc3a08cfb95d0fd06853c9069f4d42e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_automation_step_no_truncate_7fe1f', table='leads_automationstep', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='automationrun',
            index=models.Index(fields=['client', '-id'], name='automation_runs_by_client'),
        ),
        migrations.AddIndex(
            model_name='automationrun',
            index=models.Index(fields=['automation', '-id'], name='automation_runs_newest'),
        ),
        migrations.AddIndex(
            model_name='automationrun',
            index=models.Index(fields=['automation', 'client', 'entered_at'], name='automation_entries'),
        ),
        migrations.AddIndex(
            model_name='automationrun',
            index=models.Index(fields=['version', 'state', 'position'], name='automation_runs_by_step'),
        ),
        migrations.AddConstraint(
            model_name='automationrun',
            constraint=models.UniqueConstraint(fields=('client', 'automation', 'trigger_key'), name='a_trigger_lets_a_client_in_once'),
        ),
        migrations.AddConstraint(
            model_name='automationrun',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'active')), fields=('client', 'automation'), name='a_client_is_in_an_automation_once'),
        ),
        migrations.AddConstraint(
            model_name='automationrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state', 'active')), models.Q(models.Q(('state', 'active'), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='automation_run_ends_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='automationactivation',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='automation_activation_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='automationactivation',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='automation_activation_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='automationactivation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='automation_activation_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='automationactivation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='automation_activation_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='automationactivation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='automation_activation_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='automationactivation',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('automation',), name='one_open_activation_per_automation'),
        ),
        migrations.AddIndex(
            model_name='automation',
            index=models.Index(fields=['brand', '-id'], name='automations_by_brand'),
        ),
        migrations.AddConstraint(
            model_name='automation',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'archived'), _negated=True), fields=('brand', 'name'), name='automation_name_is_unique_in_its_brand'),
        ),
        migrations.AddConstraint(
            model_name='automation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['active', 'paused']), _negated=True), ('version__isnull', False), _connector='OR'), name='active_automation_has_a_version'),
        ),
        migrations.AddField(
            model_name='lead',
            name='sub_id',
            field=models.CharField(blank=True, help_text="The partner's own name for where the link was placed", max_length=60),
        ),
        migrations.AlterField(
            model_name='lead',
            name='channel',
            field=models.CharField(choices=[('landing', 'Landing page'), ('api', 'API'), ('import', 'Import'), ('portal', 'Client portal'), ('manual', 'Entered manually'), ('email', 'E-mail')], max_length=8),
        ),
        migrations.CreateModel(
            name='BulkChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('status', 'Change status'), ('list', 'Add to list'), ('task', 'Add follow-up'), ('tag', 'Tag'), ('start', 'Start automation'), ('mail', 'Send e-mail')], max_length=8)),
                ('options', models.JSONField()),
                ('changes', models.JSONField(default=list)),
                ('left_out', models.JSONField(default=list)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('undone_at', models.DateTimeField(null=True)),
                ('undone', models.PositiveIntegerField(help_text='How many of the changes were undone', null=True)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-made_at', '-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('undone__isnull', True), ('undone_at__isnull', True)), models.Q(('undone__isnull', False), ('undone_at__isnull', False)), _connector='OR'), name='undone_bulk_change_says_how_many')],
            },
        ),
        migrations.AddField(
            model_name='campaign',
            name='network_names',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list, help_text='Names or numbers of its campaigns at Google Ads or Meta Ads, one per line', size=None),
        ),
        migrations.AddField(
            model_name='historicalcampaign',
            name='network_names',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list, help_text='Names or numbers of its campaigns at Google Ads or Meta Ads, one per line', size=None),
        ),
        migrations.AlterField(
            model_name='campaign',
            name='cost',
            field=models.DecimalField(decimal_places=2, default=0, help_text="Spent so far, in the brand's base currency; not used once there is spend by day", max_digits=14),
        ),
        migrations.AlterField(
            model_name='historicalcampaign',
            name='cost',
            field=models.DecimalField(decimal_places=2, default=0, help_text="Spent so far, in the brand's base currency; not used once there is spend by day", max_digits=14),
        ),
        migrations.CreateModel(
            name='CampaignSpend',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('network', models.CharField(choices=[('google', 'Google Ads'), ('meta', 'Meta Ads'), ('other', 'Other file'), ('manual', 'Entered by hand')], max_length=8)),
                ('network_campaign', models.CharField(blank=True, help_text='Its name at the ad network', max_length=200)),
                ('country', models.CharField(blank=True, help_text='Empty: not reported by country', max_length=2)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14)),
                ('charged', models.DecimalField(decimal_places=2, max_digits=18)),
                ('charged_currency', models.CharField(max_length=5)),
                ('entered_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='spend', to='leads.campaign')),
                ('entered_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-day', '-id'],
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('campaign', 'day', 'network', 'network_campaign', 'country'), name='one_spend_per_campaign_day_and_country'), models.CheckConstraint(condition=models.Q(('amount__gte', 0), ('charged__gte', 0)), name='spend_is_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='LeadSourceRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message_id', models.CharField(max_length=80)),
                ('received_at', models.DateTimeField(db_index=True)),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='leads.leadsource')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AlterField(
            model_name='automationrun',
            name='reason',
            field=models.CharField(blank=True, choices=[('', ''), ('condition', "The step's conditions aren't met"), ('no_consent', 'No marketing consent'), ('do_not_contact', 'Marked as not to be contacted'), ('no_address', 'No e-mail address'), ('no_assignee', 'No one to assign it to'), ('not_possible', 'Not possible for this client now'), ('already', 'Nothing to change'), ('limit', 'The limit of entries is reached'), ('exit', 'The exit conditions are met'), ('closed', 'The record was closed, merged or erased'), ('happened', 'It happened in time'), ('conditions', "The conditions aren't met"), ('failures', 'The step failed repeatedly'), ('ended', 'The automation was archived'), ('taken_back', 'The bulk start was undone')], max_length=14),
        ),
        migrations.AlterField(
            model_name='automationrunstep',
            name='reason',
            field=models.CharField(blank=True, choices=[('', ''), ('condition', "The step's conditions aren't met"), ('no_consent', 'No marketing consent'), ('do_not_contact', 'Marked as not to be contacted'), ('no_address', 'No e-mail address'), ('no_assignee', 'No one to assign it to'), ('not_possible', 'Not possible for this client now'), ('already', 'Nothing to change'), ('limit', 'The limit of entries is reached'), ('exit', 'The exit conditions are met'), ('closed', 'The record was closed, merged or erased'), ('happened', 'It happened in time'), ('conditions', "The conditions aren't met"), ('failures', 'The step failed repeatedly'), ('ended', 'The automation was archived'), ('taken_back', 'The bulk start was undone')], max_length=14),
        ),
        migrations.AlterField(
            model_name='historicalscorerule',
            name='kind',
            field=models.CharField(choices=[('base', 'Every lead'), ('country', 'Country'), ('language', 'Language supported by the brand'), ('email', 'Type of e-mail address'), ('phone', 'Validity of the phone number'), ('campaign', 'Campaign quality (0 to 10)'), ('source', 'Source'), ('hour', 'Local time of the lead'), ('repeat', 'Repeat enquiry'), ('referral', 'Partner referral'), ('consent', 'Marketing consent'), ('opened', 'E-mails opened'), ('clicked', 'Links clicked'), ('login', 'Sign-ins'), ('call', 'Calls answered'), ('reply', 'E-mails received'), ('experience', 'Trading experience'), ('deposit', 'Intended deposit'), ('field', 'Custom field'), ('segment', 'Segment')], max_length=10),
        ),
        migrations.AlterField(
            model_name='scorerule',
            name='kind',
            field=models.CharField(choices=[('base', 'Every lead'), ('country', 'Country'), ('language', 'Language supported by the brand'), ('email', 'Type of e-mail address'), ('phone', 'Validity of the phone number'), ('campaign', 'Campaign quality (0 to 10)'), ('source', 'Source'), ('hour', 'Local time of the lead'), ('repeat', 'Repeat enquiry'), ('referral', 'Partner referral'), ('consent', 'Marketing consent'), ('opened', 'E-mails opened'), ('clicked', 'Links clicked'), ('login', 'Sign-ins'), ('call', 'Calls answered'), ('reply', 'E-mails received'), ('experience', 'Trading experience'), ('deposit', 'Intended deposit'), ('field', 'Custom field'), ('segment', 'Segment')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='lead',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('intended_currency', ''), ('intended_deposit', None), ('intended_in_base', None)), models.Q(('intended_deposit__isnull', False), ('intended_in_base__isnull', False), ('intended_deposit__gt', 0), ('intended_in_base__gt', 0), models.Q(('intended_currency', ''), _negated=True)), _connector='OR'), name='intended_deposit_has_a_currency'),
        ),
        migrations.RunPython(add, migrations.RunPython.noop),
        *sql_files("leads", "erasure", "change_numbers", "lead_books"),
        migrations.AddConstraint(
            model_name='leadsource',
            constraint=models.CheckConstraint(condition=models.Q(('needs_signature', False), ('sealed_signing_secret__isnull', False), _connector='OR'), name='a_source_that_signs_has_a_secret'),
        ),
        migrations.AddConstraint(
            model_name='leadsource',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('old_signing_secret_until__isnull', True), ('sealed_old_signing_secret__isnull', True)), models.Q(('old_signing_secret_until__isnull', False), ('sealed_old_signing_secret__isnull', False)), _connector='OR'), name='an_old_signing_secret_has_an_end'),
        ),
        migrations.AddConstraint(
            model_name='leadsourcerequest',
            constraint=models.UniqueConstraint(fields=('source', 'message_id'), name='a_signed_request_is_taken_once'),
        ),
    ]

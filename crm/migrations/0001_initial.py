import datetime

import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.operations
import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        django.contrib.postgres.operations.TrigramExtension(),
        django.contrib.postgres.operations.BtreeGistExtension(),
        migrations.CreateModel(
            name='AccessEvent',
            fields=[
                ('pk', models.CompositePrimaryKey('at', 'id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('id', models.BigIntegerField()),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('view', 'Viewed'), ('search', 'Searched'), ('reveal', "Contact revealed"), ('export', 'Exported'), ('call', 'Called'), ('download', "Document opened"), ('login', 'Signed in'), ('login_failed', "Sign-in failed"), ('logout', 'Signed out')], max_length=16)),
                ('client_id', models.BigIntegerField(null=True)),
                ('brand_id', models.BigIntegerField(null=True)),
                ('target', models.CharField(blank=True, help_text="What was looked at, e.g. 'kyc.document:17'", max_length=80)),
                ('rows', models.PositiveIntegerField(default=1, help_text='Rows shown or exported')),
                ('in_book', models.BooleanField(help_text='Whether the client was in a book this user owns at that time', null=True)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('session', models.CharField(blank=True, help_text="First characters of the session key's hash", max_length=16)),
                ('request_id', models.CharField(blank=True, max_length=40)),
            ],
            options={
                'db_table': 'crm_accessevent',
                'ordering': ['-at', '-id'],
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('kind', models.CharField(choices=[('staff', 'Staff'), ('client', 'Client'), ('partner', 'Partner')], default='staff', max_length=8)),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), blank=True, default=list, size=None)),
                ('countries', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), blank=True, default=list, size=None)),
                ('language', models.CharField(default='en', max_length=8)),
                ('time_zone', models.CharField(default='UTC', max_length=40)),
                ('is_accepting_leads', models.BooleanField(default=True)),
                ('lead_capacity_per_day', models.PositiveIntegerField(default=40)),
                ('preferences', models.JSONField(blank=True, default=dict)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'ordering': ['id'],
                'permissions': [('manage_staff', 'May invite staff and change their roles and access'), ('see_unmasked_contacts', 'May see phone numbers and e-mail addresses without revealing them one by one'), ('view_audit', 'May read the audit log'), ('export_audit', 'May export a sealed audit pack'), ('view_access_log', 'May read the access log'), ('explain_access', 'May see why a user has access to a record'), ('manage_events', 'May resend and skip failed events')],
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='Brand',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(help_text="Short name used in URLs, e.g. 'meridian'", max_length=20, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('legal_name', models.CharField(max_length=160)),
                ('jurisdiction', models.CharField(choices=[('CY', 'Cyprus (CySEC)'), ('UK', 'United Kingdom (FCA)'), ('AU', 'Australia (ASIC)'), ('SC', 'Seychelles (FSA)'), ('MU', 'Mauritius (FSC)')], max_length=8)),
                ('licence_number', models.CharField(blank=True, max_length=60)),
                ('base_currency', models.CharField(default='EUR', max_length=5)),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), default=list, size=None)),
                ('default_language', models.CharField(default='en', max_length=8)),
                ('time_zone', models.CharField(default='UTC', max_length=40)),
                ('support_email', models.EmailField(max_length=254)),
                ('colour', models.CharField(default='#1d4ed8', help_text='Main colour, as #rrggbb', max_length=7)),
                ('accent_colour', models.CharField(default='#0f766e', max_length=7)),
                ('logo_version', models.CharField(blank=True, help_text='Changes with the logo; empty without one', max_length=12)),
                ('is_logo_wide', models.BooleanField(default=False, help_text="The logo contains the brand's name")),
                ('picture_version', models.CharField(blank=True, max_length=12)),
                ('risk_warning', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('archived_at', models.DateTimeField(null=True)),
                ('currencies', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=5), blank=True, default=list, help_text='Of wallets and accounts; empty: any', size=None)),
                ('loss_percentage', models.PositiveSmallIntegerField(blank=True, help_text='Retail accounts that lose money, in per cent', null=True)),
                ('policies_version', models.CharField(blank=True, help_text="Changes with the brand's policies", max_length=12)),
                ('risk_warnings', models.JSONField(blank=True, default=dict, help_text='In other languages: {code: text}')),
                ('sender_email', models.EmailField(blank=True, help_text="Sender of e-mails; empty: the installation's own", max_length=254)),
            ],
            options={
                'ordering': ['code'],
                'permissions': [('access_brand', 'May see everything of this brand that the role allows')],
            },
        ),
        migrations.CreateModel(
            name='FxFeed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, unique=True)),
                ('checked_at', models.DateTimeField()),
                ('succeeded_at', models.DateTimeField(null=True)),
                ('latest_on', models.DateField(help_text="Day of the newest rate supplied", null=True)),
                ('error', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='LastingKey',
            fields=[
                ('purpose', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('wrapped', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='LinkRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('invitation', 'Staff invitation'), ('password_reset', 'Password reset'), ('verify_email', 'E-mail confirmation')], max_length=20)),
                ('username', models.CharField(max_length=150)),
                ('requested_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='SecondFactorStep',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('step', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed_at', models.DateTimeField()),
                ('leaf_count', models.PositiveIntegerField()),
                ('root', models.BinaryField(max_length=32)),
                ('seal_hash', models.BinaryField(max_length=32)),
                ('signature', models.BinaryField(help_text="Ed25519 by the instance's key over seal_hash", max_length=64)),
                ('horizon', models.BigIntegerField(help_text='Every row of an older transaction is in this seal or an earlier one')),
                ('previous', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='next', to='crm.auditseal')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='AuditLeaf',
            fields=[
                ('event_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('leaf_hash', models.BinaryField(max_length=32)),
                ('seal', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='leaves', to='crm.auditseal')),
            ],
            options={
                'ordering': ['seal_id', 'position'],
            },
        ),
        migrations.AddField(
            model_name='user',
            name='brand',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='users', to='crm.brand'),
        ),
        migrations.CreateModel(
            name='DayMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('task', models.CharField(max_length=40)),
                ('subject', models.CharField(max_length=80)),
                ('done_to', models.DateField()),
            ],
            options={
                'ordering': ['task', 'subject'],
                'constraints': [models.UniqueConstraint(fields=('task', 'subject'), name='one_day_mark_per_task_and_subject')],
            },
        ),
        migrations.CreateModel(
            name='Desk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), default=list, size=None)),
                ('countries', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), blank=True, default=list, size=None)),
                ('time_zone', models.CharField(default='UTC', max_length=40)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='desks', to='crm.brand')),
                ('archived_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['brand_id', 'name'],
                'permissions': [('access_desk', 'May see the clients of this desk')],
            },
        ),
        migrations.CreateModel(
            name='Book',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('is_pool', models.BooleanField(default=False, help_text="New leads without an owner go here")),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='books', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='books', to='crm.brand')),
                ('desk', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='books', to='crm.desk')),
                ('archived_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['brand_id', 'name'],
                'permissions': [('access_book', 'May see the clients of this book')],
            },
        ),
        migrations.AddField(
            model_name='user',
            name='desk',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='crm.desk'),
        ),
        migrations.CreateModel(
            name='FxRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField()),
                ('currency', models.CharField(max_length=5)),
                ('rate', models.DecimalField(decimal_places=12, max_digits=22)),
                ('source', models.CharField(default='ECB', max_length=40)),
                ('loaded_at', models.DateTimeField(help_text="When the source last supplied it", null=True)),
            ],
            options={
                'ordering': ['-on', 'currency'],
                'constraints': [models.UniqueConstraint(fields=('currency', 'on'), name='one_fx_rate_per_currency_and_day'), models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='fx_rate_is_positive')],
            },
        ),
        migrations.CreateModel(
            name='GrantRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('role', 'Role'), ('brand', 'Brand'), ('desk', 'Desk'), ('book', 'Book')], max_length=8)),
                ('role', models.CharField(blank=True, choices=[('agent', 'Sales agent'), ('retention', 'Retention agent'), ('desk_head', 'Desk head'), ('kyc_officer', 'KYC officer'), ('mlro', 'MLRO'), ('finance', 'Finance'), ('ib_manager', 'IB manager'), ('support', 'Support'), ('marketing', 'Marketing'), ('auditor', 'Auditor'), ('administrator', 'Administrator')], max_length=20)),
                ('reason', models.CharField(max_length=300)),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('book', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.book')),
                ('brand', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('desk', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.desk')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grant_requests', to=settings.AUTH_USER_MODEL)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='HistoricalBook',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('is_pool', models.BooleanField(default=False, help_text="New leads without an owner go here")),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('desk', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.desk')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('archived_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'historical book',
                'verbose_name_plural': 'historical books',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalBrand',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('code', models.SlugField(help_text="Short name used in URLs, e.g. 'meridian'", max_length=20)),
                ('name', models.CharField(max_length=80)),
                ('legal_name', models.CharField(max_length=160)),
                ('jurisdiction', models.CharField(choices=[('CY', 'Cyprus (CySEC)'), ('UK', 'United Kingdom (FCA)'), ('AU', 'Australia (ASIC)'), ('SC', 'Seychelles (FSA)'), ('MU', 'Mauritius (FSC)')], max_length=8)),
                ('licence_number', models.CharField(blank=True, max_length=60)),
                ('base_currency', models.CharField(default='EUR', max_length=5)),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), default=list, size=None)),
                ('default_language', models.CharField(default='en', max_length=8)),
                ('time_zone', models.CharField(default='UTC', max_length=40)),
                ('support_email', models.EmailField(max_length=254)),
                ('colour', models.CharField(default='#1d4ed8', help_text='Main colour, as #rrggbb', max_length=7)),
                ('accent_colour', models.CharField(default='#0f766e', max_length=7)),
                ('logo_version', models.CharField(blank=True, help_text='Changes with the logo; empty without one', max_length=12)),
                ('is_logo_wide', models.BooleanField(default=False, help_text="The logo contains the brand's name")),
                ('picture_version', models.CharField(blank=True, max_length=12)),
                ('risk_warning', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(blank=True, editable=False)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('archived_at', models.DateTimeField(null=True)),
                ('currencies', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=5), blank=True, default=list, help_text='Of wallets and accounts; empty: any', size=None)),
                ('loss_percentage', models.PositiveSmallIntegerField(blank=True, help_text='Retail accounts that lose money, in per cent', null=True)),
                ('policies_version', models.CharField(blank=True, help_text="Changes with the brand's policies", max_length=12)),
                ('risk_warnings', models.JSONField(blank=True, default=dict, help_text='In other languages: {code: text}')),
                ('sender_email', models.EmailField(blank=True, help_text="Sender of e-mails; empty: the installation's own", max_length=254)),
            ],
            options={
                'verbose_name': 'historical brand',
                'verbose_name_plural': 'historical brands',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalDesk',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), default=list, size=None)),
                ('countries', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), blank=True, default=list, size=None)),
                ('time_zone', models.CharField(default='UTC', max_length=40)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('archived_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'historical desk',
                'verbose_name_plural': 'historical desks',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalUser',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(db_index=True, error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('kind', models.CharField(choices=[('staff', 'Staff'), ('client', 'Client'), ('partner', 'Partner')], default='staff', max_length=8)),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), blank=True, default=list, size=None)),
                ('countries', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), blank=True, default=list, size=None)),
                ('language', models.CharField(default='en', max_length=8)),
                ('time_zone', models.CharField(default='UTC', max_length=40)),
                ('is_accepting_leads', models.BooleanField(default=True)),
                ('lead_capacity_per_day', models.PositiveIntegerField(default=40)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('desk', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.desk')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical user',
                'verbose_name_plural': 'historical users',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=80)),
                ('title', models.CharField(max_length=160)),
                ('parameters', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=10)),
                ('done', models.PositiveBigIntegerField(default=0)),
                ('total', models.PositiveBigIntegerField(default=0, help_text='0 while unknown')),
                ('message', models.CharField(blank=True, max_length=300)),
                ('cancel_requested', models.BooleanField(default=False)),
                ('result_name', models.CharField(blank=True, max_length=160)),
                ('result_path', models.CharField(blank=True, help_text='Below PRIVATE_DIR/jobs', max_length=300)),
                ('result_url', models.CharField(blank=True, max_length=300)),
                ('error', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=60)),
                ('title', models.CharField(max_length=160)),
                ('body', models.CharField(blank=True, max_length=400)),
                ('said', models.JSONField(default=dict, help_text='Messages and values of title and body')),
                ('url', models.CharField(blank=True, max_length=300)),
                ('dedupe_key', models.CharField(blank=True, max_length=120)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('read_at', models.DateTimeField(null=True)),
                ('is_in_app', models.BooleanField(default=True, help_text='In the bell; False where the person wants e-mail only')),
                ('email', models.CharField(blank=True, choices=[('', 'No e-mail'), ('at_once', 'E-mail immediately'), ('daily', 'Daily summary')], default='', max_length=8)),
                ('email_due_at', models.DateTimeField(help_text='Empty once it was e-mailed or needs no e-mail any more', null=True)),
                ('emailed_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notifications', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='NotificationChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=60)),
                ('is_in_app', models.BooleanField()),
                ('email', models.CharField(blank=True, choices=[('', 'No e-mail'), ('at_once', 'E-mail immediately'), ('daily', 'Daily summary')], max_length=8)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notification_choices', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='NotificationSchedule',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='notification_schedule', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('summary_at', models.TimeField(default=datetime.time(8, 0))),
                ('quiet_from', models.TimeField(null=True)),
                ('quiet_to', models.TimeField(null=True)),
                ('paused_until', models.DateField(help_text='No e-mails before this day', null=True)),
            ],
        ),
        migrations.CreateModel(
            name='OutboxEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('payload', models.JSONField()),
                ('client_id', models.BigIntegerField(help_text='Whose event: deliveries keep their order per client', null=True)),
                ('brand_id', models.BigIntegerField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(fields=['client_id', 'id'], name='outbox_by_client'), models.Index(fields=['name', 'id'], name='outbox_by_name')],
            },
        ),
        migrations.CreateModel(
            name='EventDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('handler', models.CharField(max_length=160)),
                ('client_id', models.BigIntegerField(null=True)),
                ('state', models.CharField(choices=[('pending', "Pending"), ('done', 'Delivered'), ('dead', 'Failed'), ('skipped', "Skipped")], default='pending', max_length=8)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField()),
                ('error', models.TextField(blank=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('event', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='crm.outboxevent')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='OutgoingMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(help_text="What the mail is for, e.g. 'accounts.invitation'", max_length=60)),
                ('to', models.EmailField(max_length=254)),
                ('subject', models.CharField(max_length=200)),
                ('body', models.BinaryField(help_text="Text and HTML as JSON; encrypted under the instance's key when secret")),
                ('is_secret', models.BooleanField(default=False)),
                ('sender_name', models.CharField(blank=True, max_length=80)),
                ('reply_to', models.EmailField(blank=True, max_length=254)),
                ('client_id', models.BigIntegerField(null=True)),
                ('dedupe_key', models.CharField(blank=True, max_length=120)),
                ('state', models.CharField(choices=[('waiting', "Pending"), ('sent', 'Sent'), ('failed', 'Failed')], default='waiting', max_length=8)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField()),
                ('error', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('brand', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table', models.CharField(max_length=60)),
                ('name', models.CharField(max_length=60)),
                ('query', models.TextField(blank=True, help_text='Filters, search and order as a query string')),
                ('columns', models.JSONField(blank=True, default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('desk', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to='crm.desk')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='SubjectKey',
            fields=[
                ('client_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('wrapped', models.BinaryField(help_text='Empty once destroyed', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('destroyed_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('destroyed_at__isnull', True), ('wrapped__isnull', False)), models.Q(('destroyed_at__isnull', False), ('wrapped__isnull', True)), _connector='OR'), name='subject_key_is_there_or_destroyed')],
            },
        ),
        migrations.CreateModel(
            name='AccessLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('invitation', 'Staff invitation'), ('password_reset', 'Password reset'), ('verify_email', 'E-mail confirmation')], max_length=20)),
                ('email', models.EmailField(help_text="The address it was sent to; the link dies when the login's address changes", max_length=254)),
                ('secret_hash', models.BinaryField(max_length=32)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='access_links', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('revoked_at__isnull', True), ('used_at__isnull', True)), fields=('user', 'kind'), name='one_open_link_per_user_and_kind'), models.CheckConstraint(condition=models.Q(('used_at__isnull', True), ('revoked_at__isnull', True), _connector='OR'), name='a_used_link_is_not_revoked')],
            },
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('transaction_id', models.BigIntegerField(help_text="PostgreSQL's transaction id: bounds the sealer's search")),
                ('actor_label', models.CharField(max_length=160)),
                ('action', models.CharField(max_length=80)),
                ('target_type', models.CharField(max_length=80)),
                ('target_id', models.CharField(max_length=40)),
                ('client_id', models.BigIntegerField(null=True)),
                ('brand_id', models.BigIntegerField(null=True)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('request_id', models.CharField(blank=True, max_length=40)),
                ('body', models.BinaryField()),
                ('is_encrypted', models.BooleanField(default=False)),
                ('actor', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(condition=models.Q(('client_id__isnull', False)), fields=['client_id', '-id'], name='audit_by_client'), models.Index(fields=['actor', '-id'], name='audit_by_actor'), models.Index(fields=['action', '-id'], name='audit_by_action'), models.Index(fields=['transaction_id'], name='audit_by_transaction'), models.Index(fields=['target_type', 'target_id', '-id'], name='audit_by_target'), django.contrib.postgres.indexes.BrinIndex(fields=['at'], name='audit_by_time', pages_per_range=32)],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditevent',
            trigger=pgtrigger.compiler.Trigger(name='audit_event_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'audit_event is append-only: write a new row instead';", hash='988541be3701b6b99b3f285864c12fa9afd19f5f', operation='UPDATE OR DELETE', pgid='pgtrigger_audit_event_no_change_76eae', table='crm_auditevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditevent',
            trigger=pgtrigger.compiler.Trigger(name='audit_event_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'audit_event is append-only: write a new row instead';", hash='c7f50104361ba6488f3b4ecbfa29e1a8029d044a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_audit_event_no_truncate_fa7f3', table='crm_auditevent', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='auditseal',
            constraint=models.CheckConstraint(condition=models.Q(('leaf_count__gt', 0)), name='audit_seal_is_never_empty'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditseal',
            trigger=pgtrigger.compiler.Trigger(name='audit_seal_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'audit_seal is append-only: write a new row instead';", hash='48b86102ec9b0f1fe27e1f8205abc4a905e204e6', operation='UPDATE OR DELETE', pgid='pgtrigger_audit_seal_no_change_2d546', table='crm_auditseal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditseal',
            trigger=pgtrigger.compiler.Trigger(name='audit_seal_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'audit_seal is append-only: write a new row instead';", hash='e375d1bb4ff94bfb6141672ed1c952e06173637e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_audit_seal_no_truncate_ceb58', table='crm_auditseal', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='auditleaf',
            constraint=models.UniqueConstraint(fields=('seal', 'position'), name='audit_leaf_has_one_place_in_its_seal'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditleaf',
            trigger=pgtrigger.compiler.Trigger(name='audit_leaf_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'audit_leaf is append-only: write a new row instead';", hash='e100e81701a0077c0ea92ee1b3f956fc210a97df', operation='UPDATE OR DELETE', pgid='pgtrigger_audit_leaf_no_change_df676', table='crm_auditleaf', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditleaf',
            trigger=pgtrigger.compiler.Trigger(name='audit_leaf_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'audit_leaf is append-only: write a new row instead';", hash='d6e750c44cc8d4511296cba8871b81c4652b95da', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_audit_leaf_no_truncate_a5b52', table='crm_auditleaf', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='desk',
            constraint=models.UniqueConstraint(fields=('brand', 'name'), name='desk_name_is_unique_in_its_brand'),
        ),
        migrations.AddConstraint(
            model_name='book',
            constraint=models.UniqueConstraint(fields=('brand', 'name'), name='book_name_is_unique_in_its_brand'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'staff'), ('brand__isnull', False), _connector='OR'), name='client_or_partner_login_has_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'staff'), models.Q(('is_staff', False), ('is_superuser', False)), _connector='OR'), name='client_or_partner_login_is_never_staff'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'staff')), fields=('email',), name='staff_email_is_unique'),
        ),
        migrations.AddIndex(
            model_name='grantrequest',
            index=models.Index(fields=['user', '-id'], name='grant_requests_by_user'),
        ),
        migrations.AddConstraint(
            model_name='grantrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'role'), models.Q(('role', ''), _negated=True), ('book', None), ('brand', None), ('desk', None)), models.Q(('book', None), ('brand__isnull', False), ('desk', None), ('kind', 'brand'), ('role', '')), models.Q(('book', None), ('brand', None), ('desk__isnull', False), ('kind', 'desk'), ('role', '')), models.Q(('book__isnull', False), ('brand', None), ('desk', None), ('kind', 'book'), ('role', '')), _connector='OR'), name='grant_request_names_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='grantrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), models.Q(('decided_by', models.F('user')), _negated=True), _connector='OR'), name='nobody_approves_a_grant_for_themselves'),
        ),
        migrations.AddConstraint(
            model_name='grantrequest',
            constraint=models.CheckConstraint(condition=models.Q(('requested_by', models.F('user')), _negated=True), name='nobody_asks_a_grant_for_themselves'),
        ),
        migrations.AddConstraint(
            model_name='grantrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('user', 'kind', 'role', 'brand', 'desk', 'book'), name='one_open_request_per_grant', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='grantrequest',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='grant_request_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='grantrequest',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='grant_request_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='grantrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='grant_request_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='grantrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='grant_request_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='grantrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='grant_request_is_decided_by_a_person'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['owner', '-id'], name='jobs_by_owner'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('total', 0), ('done__lte', models.F('total')), _connector='OR'), name='job_done_is_at_most_total'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(fields=['user', '-id'], name='notifications_by_user'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('read_at__isnull', True)), fields=['user'], name='notifications_unread'),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.UniqueConstraint(condition=models.Q(('dedupe_key', ''), _negated=True), fields=('user', 'dedupe_key'), name='a_notification_is_told_once'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('email_due_at__isnull', False)), fields=['email_due_at', 'user'], name='notifications_to_email'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('emailed_at__isnull', False)), fields=['user', 'emailed_at'], name='notifications_emailed'),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.CheckConstraint(condition=models.Q(('is_in_app', True), models.Q(('email', ''), _negated=True), _connector='OR'), name='notification_reaches_its_person'),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.CheckConstraint(condition=models.Q(('email_due_at__isnull', True), models.Q(models.Q(('email', ''), _negated=True), ('emailed_at__isnull', True)), _connector='OR'), name='notification_is_emailed_once'),
        ),
        migrations.AddConstraint(
            model_name='notificationschedule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('quiet_from__isnull', True), ('quiet_to__isnull', True)), models.Q(('quiet_from__isnull', False), ('quiet_to__isnull', False), models.Q(('quiet_from', models.F('quiet_to')), _negated=True)), _connector='OR'), name='quiet_hours_have_both_ends'),
        ),
        migrations.AddConstraint(
            model_name='notificationchoice',
            constraint=models.UniqueConstraint(fields=('user', 'kind'), name='one_choice_per_person_and_kind'),
        ),
        migrations.AddConstraint(
            model_name='notificationchoice',
            constraint=models.CheckConstraint(condition=models.Q(('email__in', ['', 'at_once', 'daily'])), name='notification_choice_has_a_known_channel'),
        ),
        migrations.AddIndex(
            model_name='eventdelivery',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['due_at', 'id'], name='deliveries_due'),
        ),
        migrations.AddIndex(
            model_name='eventdelivery',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['handler', 'client_id', 'id'], name='deliveries_in_order'),
        ),
        migrations.AddIndex(
            model_name='eventdelivery',
            index=models.Index(condition=models.Q(('state', 'dead')), fields=['id'], name='deliveries_dead'),
        ),
        migrations.AddConstraint(
            model_name='eventdelivery',
            constraint=models.UniqueConstraint(fields=('event', 'handler'), name='an_event_is_handled_once_per_handler'),
        ),
        migrations.AddConstraint(
            model_name='eventdelivery',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'pending'), ('finished_at__isnull', False), _connector='OR'), name='finished_delivery_has_a_time'),
        ),
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['due_at', 'id'], name='mail_due'),
        ),
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(fields=['client_id', '-id'], name='mail_by_client'),
        ),
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['finished_at'], name='mail_failed'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmail',
            constraint=models.UniqueConstraint(condition=models.Q(('dedupe_key', ''), _negated=True), fields=('dedupe_key',), name='a_mail_is_sent_once_per_key'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmail',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'waiting'), ('finished_at__isnull', False), _connector='OR'), name='finished_mail_has_a_time'),
        ),
        migrations.AddIndex(
            model_name='savedview',
            index=models.Index(fields=['table', 'desk'], name='saved_views_by_desk'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.UniqueConstraint(fields=('owner', 'table', 'name'), name='saved_view_name_is_unique_per_owner'),
        ),
        migrations.CreateModel(
            name='BrandLook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('logo', models.BinaryField(blank=True, default=b'', help_text='PNG or SVG')),
                ('picture', models.BinaryField(blank=True, default=b'', help_text='PNG or SVG')),
                ('changed_at', models.DateTimeField()),
                ('brand', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='look', to='crm.brand')),
                ('changed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['brand_id'],
                'permissions': [('manage_brand_look', "May change colours, logo and picture of a brand's pages")],
            },
        ),
        migrations.CreateModel(
            name='PolicyProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('key', models.SlugField(db_index=False, max_length=60)),
                ('value', models.JSONField(null=True)),
                ('effective_on', models.DateField()),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PolicyValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.SlugField(db_index=False, max_length=60)),
                ('value', models.JSONField(help_text="As the policy's kind stores it; empty: the default again", null=True)),
                ('effective_on', models.DateField()),
                ('set_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=300)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('propose_policies', 'May propose and approve policies in their own areas'), ('manage_policies', "May change a brand's policies on access, monitoring and promises"), ('manage_money_policies', "May propose and approve a brand's policies on money"), ('manage_identity_policies', "May propose and approve a brand's policies on registration and identity")],
            },
        ),
        migrations.CreateModel(
            name='HistoricalLegalEntity',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(db_index=True, max_length=160)),
                ('registration_number', models.CharField(blank=True, max_length=60)),
                ('address', models.CharField(blank=True, max_length=300)),
                ('jurisdiction', models.CharField(choices=[('CY', 'Cyprus (CySEC)'), ('UK', 'United Kingdom (FCA)'), ('AU', 'Australia (ASIC)'), ('SC', 'Seychelles (FSA)'), ('MU', 'Mauritius (FSC)')], max_length=8)),
                ('licence_number', models.CharField(blank=True, max_length=60)),
                ('archived_at', models.DateTimeField(null=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical legal entity',
                'verbose_name_plural': 'historical legal entities',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='LegalEntity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=160, unique=True)),
                ('registration_number', models.CharField(blank=True, max_length=60)),
                ('address', models.CharField(blank=True, max_length=300)),
                ('jurisdiction', models.CharField(choices=[('CY', 'Cyprus (CySEC)'), ('UK', 'United Kingdom (FCA)'), ('AU', 'Australia (ASIC)'), ('SC', 'Seychelles (FSA)'), ('MU', 'Mauritius (FSC)')], max_length=8)),
                ('licence_number', models.CharField(blank=True, max_length=60)),
                ('archived_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name_plural': 'legal entities',
                'ordering': ['name'],
                'permissions': [('manage_company', 'May set up legal entities, brands, desks and books')],
                'constraints': [models.UniqueConstraint(fields=('id', 'name', 'jurisdiction', 'licence_number'), name='legal_entity_as_printed')],
            },
        ),
        migrations.AddField(
            model_name='brand',
            name='legal_entity',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='brands', to='crm.legalentity'),
        ),
        migrations.AddField(
            model_name='historicalbrand',
            name='legal_entity',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.legalentity'),
        ),
        migrations.AddConstraint(
            model_name='brand',
            constraint=models.CheckConstraint(condition=models.Q(('loss_percentage__isnull', True), ('loss_percentage__lte', 100), _connector='OR'), name='loss_percentage_is_at_most_100'),
        ),
        migrations.AddField(
            model_name='policyproposal',
            name='brand',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='policy_proposals', to='crm.brand'),
        ),
        migrations.AddField(
            model_name='policyproposal',
            name='decided_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='policyproposal',
            name='requested_by',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='policyvalue',
            name='brand',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='policy_values', to='crm.brand'),
        ),
        migrations.AddField(
            model_name='policyvalue',
            name='set_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='policyproposal',
            index=models.Index(fields=['brand', 'key', '-id'], name='policy_proposals_of_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='policyproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='policy_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='policyproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='policy_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='policyproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='policy_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='policyproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='policy_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='policyproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='policy_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='policyproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('brand', 'key'), name='one_open_proposal_per_brand_and_policy'),
        ),
        migrations.AddIndex(
            model_name='policyvalue',
            index=models.Index(fields=['brand', 'key', '-effective_on'], name='policy_values_of_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='policyvalue',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='policy_value_has_a_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='policyvalue',
            trigger=pgtrigger.compiler.Trigger(name='policy_value_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'policy_value is append-only: write a new row instead';", hash='d0c3fb0515b754c0c2ad5ebad953f9e9ad91e5c3', operation='UPDATE OR DELETE', pgid='pgtrigger_policy_value_no_change_7b780', table='crm_policyvalue', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='policyvalue',
            trigger=pgtrigger.compiler.Trigger(name='policy_value_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'policy_value is append-only: write a new row instead';", hash='699f80c7fb7aadeb851106a00b22ff19dfd9e502', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_policy_value_no_truncate_7bbac', table='crm_policyvalue', when='BEFORE')),
        ),
    ]

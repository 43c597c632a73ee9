import clients.models.texting
from django.conf import settings
import simple_history.models
import pgtrigger.migrations
import pgtrigger.compiler
import django.db.models.lookups
import django.db.models.functions.text
import django.db.models.expressions
import django.db.models.deletion
import django.contrib.postgres.indexes
import django.contrib.postgres.fields
import clients.models.telephony
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('crm', '0002_sql'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('crm', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='AgentPhone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=120)),
                ('takes_unknown', models.BooleanField(default=False, help_text="Rings for calls of which no client's owner is known")),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='BookDesk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
            ],
            options={
                'ordering': ['book_id', 'since'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Call',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('direction', models.CharField(choices=[('outbound', 'Outgoing'), ('inbound', 'Incoming')], default='outbound', max_length=8)),
                ('outcome', models.CharField(choices=[('reached', 'Reached'), ('call_back', 'Asked to call back'), ('no_answer', 'No answer'), ('voicemail', 'Voicemail'), ('busy', 'Busy'), ('refused', 'Not interested'), ('wrong_number', 'Wrong number')], max_length=16)),
                ('started_at', models.DateTimeField()),
                ('duration_seconds', models.PositiveIntegerField(default=0)),
                ('notes', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['-started_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='CannedAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=8)),
                ('title', models.CharField(max_length=80)),
                ('body', models.TextField(max_length=2000)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('archived_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['brand_id', 'language', 'title', 'id'],
                'permissions': [('manage_canned_answer', 'Can write canned answers')],
            },
        ),
        migrations.CreateModel(
            name='Chat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Awaiting an agent'), ('open', 'In progress'), ('message', 'Message left'), ('ended', 'Ended')], default='waiting', max_length=8)),
                ('lines_count', models.PositiveIntegerField(default=0)),
                ('awaits_reply', models.BooleanField(default=True, help_text='The client wrote last')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('waiting_since', models.DateTimeField(default=django.utils.timezone.now, help_text="The client's oldest line without an answer")),
                ('answered_at', models.DateTimeField(help_text='The first answer', null=True)),
                ('last_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['-last_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='ChatLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('client', 'Client'), ('agent', 'Agent'), ('note', 'Note')], max_length=6)),
                ('text_sealed', models.BinaryField(help_text="Under the key of the chat's `sealed_for`")),
                ('key', models.CharField(blank=True, help_text='Of the form: a line that is sent twice is kept once', max_length=36)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ChatPresence',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='chat_presence', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('is_available', models.BooleanField(default=False)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddField(
            model_name='agentphone',
            name='user',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='phone', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='bookdesk',
            name='book',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.book'),
        ),
        migrations.AddField(
            model_name='bookdesk',
            name='desk',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.desk'),
        ),
        migrations.AddField(
            model_name='call',
            name='agent',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='calls', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='cannedanswer',
            name='brand',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='canned_answers', to='crm.brand'),
        ),
        migrations.AddField(
            model_name='cannedanswer',
            name='changed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='chat',
            name='agent',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='chats', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='chat',
            name='desk',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.desk'),
        ),
        migrations.AddField(
            model_name='chat',
            name='ended_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='chatline',
            name='author',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='chatline',
            name='chat',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='clients.chat'),
        ),
        migrations.CreateModel(
            name='Client',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stage', models.CharField(choices=[('lead', 'Lead'), ('related', 'Related person'), ('registered', 'Registered'), ('verified', 'Verified'), ('funded', 'Funded'), ('active', 'Active'), ('dormant', 'Dormant'), ('closed', 'Closed')], default='lead', max_length=12)),
                ('kind', models.CharField(choices=[('person', 'Person'), ('company', 'Company')], db_default='person', default='person', max_length=8)),
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
                ('source', models.CharField(blank=True, help_text='Source of the first lead, e.g. google', max_length=60)),
                ('campaign', models.CharField(blank=True, help_text='Campaign code of the first lead', max_length=60)),
                ('last_contact_at', models.DateTimeField(blank=True, help_text='Last call, or message written by a person: e-mail, SMS, WhatsApp or chat', null=True)),
                ('created_at', models.DateTimeField()),
                ('registered_at', models.DateTimeField(blank=True, null=True)),
                ('search_text', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.RawSQL("lower(first_name || ' ' || last_name || ' ' || email || ' ' || phone || ' #' || (id)::text)", ()), output_field=models.TextField())),
                ('email_canonical', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.RawSQL("\nCASE WHEN split_part(split_part(lower(email), '@', 1), '+', 1) = '' THEN lower(email)\n     WHEN split_part(lower(email), '@', 2) IN ('gmail.com', 'googlemail.com')\n     THEN replace(split_part(split_part(lower(email), '@', 1), '+', 1), '.', '') || '@gmail.com'\n     ELSE split_part(split_part(lower(email), '@', 1), '+', 1) || '@' || split_part(lower(email), '@', 2) END\n", ()), output_field=models.CharField(max_length=254))),
                ('book', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='clients', to='crm.book')),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='clients', to='crm.brand')),
                ('merged_into', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('owner', models.ForeignKey(blank=True, db_index=False, help_text='The agent', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='owned_clients', to=settings.AUTH_USER_MODEL)),
                ('user', models.OneToOneField(blank=True, help_text='The portal login', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='client', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('reveal_contact', "May reveal a client's phone and e-mail, one by one, each logged"), ('export_client', 'May export client lists'), ('move_client', 'May move clients between books'), ('log_call', 'May log calls and notes'), ('close_client', "May close a client's record"), ('merge_client', 'May merge two records of one person, and undo it'), ('view_linked_clients', 'May see who shares contact details, devices, accounts or documents with a client'), ('view_past_owners', 'May see which agents, desks and books had a client before'), ('correct_identity', 'May correct the name, birth date and nationality of a verified client')],
            },
        ),
        migrations.AddField(
            model_name='chat',
            name='client',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='chats', to='clients.client'),
        ),
        migrations.AddField(
            model_name='chat',
            name='sealed_for',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client'),
        ),
        migrations.AddField(
            model_name='call',
            name='client',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='clients.client'),
        ),
        migrations.CreateModel(
            name='ClientMerge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stage_before', models.CharField(choices=[('lead', 'Lead'), ('related', 'Related person'), ('registered', 'Registered'), ('verified', 'Verified'), ('funded', 'Funded'), ('active', 'Active'), ('dormant', 'Dormant'), ('closed', 'Closed')], max_length=12)),
                ('fields', models.BinaryField()),
                ('moved', models.JSONField(default=dict)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('merged_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('undone_at', models.DateTimeField(null=True)),
                ('undo_reason', models.CharField(blank=True, max_length=300)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('kept', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='merges', to='clients.client')),
                ('merged', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('merged_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('undone_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='CountryRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('band', models.CharField(blank=True, choices=[('low', 'Low risk'), ('standard', 'Standard risk'), ('high', 'High risk'), ('prohibited', 'Prohibited')], max_length=10)),
                ('accepted', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('lead', 'Leads'), ('registration', 'Registration'), ('login', 'Sign-in'), ('deposit', 'Deposits'), ('trading', 'Trading accounts'), ('withdrawal', 'Withdrawals')], max_length=12), blank=True, default=list, size=None)),
                ('minimum_age', models.PositiveSmallIntegerField(help_text="Empty: the brand's minimum age", null=True)),
                ('approval_age', models.PositiveSmallIntegerField(help_text='From this age, deposits and trading accounts need an exemption; empty: never', null=True)),
                ('not_offered', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('cfd', 'Trading accounts with real money'), ('crypto_cfd', 'Accounts with CFDs on crypto-assets'), ('bonus', 'Bonuses')], max_length=12), blank=True, default=list, help_text='Not offered to anybody', size=None)),
                ('not_for_retail', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('cfd', 'Trading accounts with real money'), ('crypto_cfd', 'Accounts with CFDs on crypto-assets'), ('bonus', 'Bonuses')], max_length=12), blank=True, default=list, help_text='Not offered to retail clients', size=None)),
                ('product_age', models.PositiveSmallIntegerField(help_text="Below it some products aren't offered", null=True)),
                ('not_below_age', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('cfd', 'Trading accounts with real money'), ('crypto_cfd', 'Accounts with CFDs on crypto-assets'), ('bonus', 'Bonuses')], max_length=12), blank=True, default=list, help_text='Not offered below that age', size=None)),
                ('effective_on', models.DateField()),
                ('country', models.CharField(blank=True, help_text='Empty: all countries without a rule', max_length=2)),
                ('set_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=300)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='country_rules', to='crm.brand')),
                ('set_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CountryRuleProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('band', models.CharField(blank=True, choices=[('low', 'Low risk'), ('standard', 'Standard risk'), ('high', 'High risk'), ('prohibited', 'Prohibited')], max_length=10)),
                ('accepted', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('lead', 'Leads'), ('registration', 'Registration'), ('login', 'Sign-in'), ('deposit', 'Deposits'), ('trading', 'Trading accounts'), ('withdrawal', 'Withdrawals')], max_length=12), blank=True, default=list, size=None)),
                ('minimum_age', models.PositiveSmallIntegerField(help_text="Empty: the brand's minimum age", null=True)),
                ('approval_age', models.PositiveSmallIntegerField(help_text='From this age, deposits and trading accounts need an exemption; empty: never', null=True)),
                ('not_offered', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('cfd', 'Trading accounts with real money'), ('crypto_cfd', 'Accounts with CFDs on crypto-assets'), ('bonus', 'Bonuses')], max_length=12), blank=True, default=list, help_text='Not offered to anybody', size=None)),
                ('not_for_retail', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('cfd', 'Trading accounts with real money'), ('crypto_cfd', 'Accounts with CFDs on crypto-assets'), ('bonus', 'Bonuses')], max_length=12), blank=True, default=list, help_text='Not offered to retail clients', size=None)),
                ('product_age', models.PositiveSmallIntegerField(help_text="Below it some products aren't offered", null=True)),
                ('not_below_age', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('cfd', 'Trading accounts with real money'), ('crypto_cfd', 'Accounts with CFDs on crypto-assets'), ('bonus', 'Bonuses')], max_length=12), blank=True, default=list, help_text='Not offered below that age', size=None)),
                ('effective_on', models.DateField()),
                ('countries', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(blank=True, max_length=2), size=None)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='country_rule_proposals', to='crm.brand')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CustomField',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('labels', models.JSONField(help_text='Label by language')),
                ('position', models.PositiveSmallIntegerField()),
                ('archived_at', models.DateTimeField(null=True)),
                ('key', models.CharField(max_length=40)),
                ('type', models.CharField(choices=[('text', 'Text'), ('number', 'Number'), ('money', 'Amount of money'), ('date', 'Date'), ('yes_no', 'Yes or no'), ('choice', 'One choice'), ('choices', 'Several choices')], max_length=8)),
                ('for_leads', models.BooleanField(default=True)),
                ('for_clients', models.BooleanField(default=True)),
                ('is_required', models.BooleanField(default=False)),
                ('is_personal', models.BooleanField(default=False)),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('agent', 'Sales agent'), ('retention', 'Retention agent'), ('desk_head', 'Desk head'), ('kyc_officer', 'KYC officer'), ('mlro', 'MLRO'), ('finance', 'Finance'), ('ib_manager', 'IB manager'), ('support', 'Support'), ('marketing', 'Marketing'), ('auditor', 'Auditor'), ('administrator', 'Administrator')], max_length=20), blank=True, default=list, size=None)),
                ('created_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='custom_fields', to='crm.brand')),
            ],
            options={
                'ordering': ['position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='CustomChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('labels', models.JSONField(help_text='Label by language')),
                ('position', models.PositiveSmallIntegerField()),
                ('archived_at', models.DateTimeField(null=True)),
                ('code', models.CharField(max_length=40)),
                ('field', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='choices', to='clients.customfield')),
            ],
            options={
                'ordering': ['position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='CustomValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('type', models.CharField(choices=[('text', 'Text'), ('number', 'Number'), ('money', 'Amount of money'), ('date', 'Date'), ('yes_no', 'Yes or no'), ('choice', 'One choice'), ('choices', 'Several choices')], max_length=8)),
                ('text', models.TextField(null=True)),
                ('number', models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ('day', models.DateTimeField(null=True)),
                ('flag', models.BooleanField(null=True)),
                ('code', models.CharField(max_length=40, null=True)),
                ('codes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), null=True, size=None)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='custom_values', to='clients.client')),
                ('field', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='values', to='clients.customfield')),
            ],
        ),
        migrations.CreateModel(
            name='Declaration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fact', models.CharField(choices=[('yearly_income', 'Yearly income'), ('net_worth', 'Net worth'), ('expected_deposits', 'Expected deposits per year'), ('source_of_funds', 'Source of funds'), ('occupation', 'Occupation'), ('pep', 'Political exposure')], max_length=20)),
                ('given_at', models.DateTimeField()),
                ('until', models.DateTimeField(help_text='When something else was declared; empty for what holds now', null=True)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('given_amount', models.DecimalField(decimal_places=8, max_digits=28, null=True)),
                ('given_currency', models.CharField(blank=True, max_length=5)),
                ('codes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, default=list, size=None)),
                ('source', models.CharField(help_text='Where it was declared, as in submission:17', max_length=40)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='declarations', to='clients.client')),
            ],
            options={
                'ordering': ['-given_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='DialList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(null=True)),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='dial_lists', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='DialEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.PositiveSmallIntegerField()),
                ('skipped_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='dial_entries', to='clients.client')),
                ('dial_list', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='clients.diallist')),
            ],
            options={
                'ordering': ['place'],
            },
        ),
        migrations.CreateModel(
            name='DoNotCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('asked', 'Client asked not to be called'), ('register', 'Listed in a do-not-call register'), ('complaint', 'Complaint about calls'), ('legal', 'Legal reasons'), ('other', 'Another reason')], max_length=16)),
                ('note', models.TextField(blank=True)),
                ('set_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('lifted_at', models.DateTimeField(null=True)),
                ('lift_reason', models.TextField(blank=True)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='do_not_call', to='clients.client')),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('set_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-set_at', '-id'],
                'permissions': [('lift_do_not_call', 'Can let a client be called again')],
            },
        ),
        migrations.CreateModel(
            name='Exemption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('gates', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('lead', 'Leads'), ('registration', 'Registration'), ('login', 'Sign-in'), ('deposit', 'Deposits'), ('trading', 'Trading accounts'), ('withdrawal', 'Withdrawals')], max_length=12), blank=True, default=list, size=None)),
                ('ends_on', models.DateField(help_text='Last day', null=True)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='exemptions', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('exempt_client', 'May propose and approve exemptions of clients from country and age rules')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalClient',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('stage', models.CharField(choices=[('lead', 'Lead'), ('related', 'Related person'), ('registered', 'Registered'), ('verified', 'Verified'), ('funded', 'Funded'), ('active', 'Active'), ('dormant', 'Dormant'), ('closed', 'Closed')], default='lead', max_length=12)),
                ('kind', models.CharField(choices=[('person', 'Person'), ('company', 'Company')], db_default='person', default='person', max_length=8)),
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
                ('source', models.CharField(blank=True, help_text='Source of the first lead, e.g. google', max_length=60)),
                ('campaign', models.CharField(blank=True, help_text='Campaign code of the first lead', max_length=60)),
                ('last_contact_at', models.DateTimeField(blank=True, help_text='Last call, or message written by a person: e-mail, SMS, WhatsApp or chat', null=True)),
                ('created_at', models.DateTimeField()),
                ('registered_at', models.DateTimeField(blank=True, null=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('book', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.book')),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('merged_into', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clients.client')),
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
            name='Identifier',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('email', 'E-mail'), ('phone', 'Phone'), ('device', 'Device'), ('ip_prefix', 'Network'), ('card', 'Card'), ('bank_account', 'Bank account'), ('crypto_address', 'Crypto address'), ('document', 'Document number'), ('official', 'Registration or tax number'), ('lei', 'LEI'), ('photo', 'Document image')], max_length=14)),
                ('mark', models.BinaryField(max_length=32)),
                ('first_seen', models.DateTimeField()),
                ('last_seen', models.DateTimeField()),
                ('times', models.PositiveIntegerField(default=1)),
                ('client', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='identifiers', to='clients.client')),
                ('user', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='IncomingMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('unassigned', 'Unassigned'), ('threaded', 'In a thread'), ('report', 'Delivery report'), ('discarded', 'Discarded')], default='unassigned', max_length=10)),
                ('matched_by', models.CharField(blank=True, choices=[('reference', 'Reply to our e-mail'), ('token', 'Reply address of the thread'), ('chain', 'Earlier e-mail of the thread'), ('address', 'Proved address of the client'), ('person', 'Assigned manually')], max_length=10)),
                ('proof', models.CharField(choices=[('proved', 'Sender proved'), ('not_proved', 'Sender not proved'), ('failed', 'Sender forged')], default='not_proved', max_length=10)),
                ('fingerprint', models.CharField(help_text='The same for each copy of one e-mail', max_length=64)),
                ('copies', models.PositiveIntegerField(default=0, help_text='How often it came again')),
                ('message_id', models.CharField(blank=True, max_length=255)),
                ('references', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=255), default=list, size=None)),
                ('from_name', models.CharField(blank=True, max_length=100)),
                ('from_address', models.EmailField(blank=True, help_text="Empty where the sender can't be read", max_length=254)),
                ('to_addresses', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=254), default=list, size=None)),
                ('subject', models.CharField(blank=True, max_length=200)),
                ('is_automatic', models.BooleanField(default=False, help_text='An absence note, a newsletter or a machine')),
                ('note', models.TextField(blank=True, help_text="What of it couldn't be taken")),
                ('body_sealed', models.BinaryField(help_text="Under the instance's key, while no client is known", null=True)),
                ('body_for_client', models.BinaryField(help_text='Under the key of `sealed_for`', null=True)),
                ('sent_at', models.DateTimeField(help_text='As its sender says', null=True)),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_reason', models.CharField(blank=True, max_length=300)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='incoming_mail', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='incoming_mail', to='clients.client')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sealed_for', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
            ],
            options={
                'ordering': ['-received_at', '-id'],
                'permissions': [('assign_mail', 'Can assign e-mails of unknown senders to clients')],
            },
        ),
        migrations.CreateModel(
            name='MailAttachment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=120)),
                ('content_type', models.CharField(max_length=100)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('verdict', models.CharField(choices=[('kept', 'Kept'), ('too_large', 'Too large'), ('too_many', 'Too many attachments'), ('not_taken', 'File type not accepted'), ('infected', 'Malware found')], max_length=10)),
                ('store_key', models.CharField(blank=True, max_length=32)),
                ('mail', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='clients.incomingmail')),
                ('sealed_for', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='Mailbox',
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
                ('address', models.EmailField(help_text="Where clients write to; replies come to it with the thread's token", max_length=254)),
                ('auth_server', models.CharField(blank=True, help_text='Whose Authentication-Results count; empty: no sender is proved', max_length=120)),
                ('uid_validity', models.BigIntegerField(default=0)),
                ('last_uid', models.BigIntegerField(default=0, help_text='The newest e-mail that was read')),
                ('polled_at', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'name', 'id'],
            },
        ),
        migrations.AddField(
            model_name='incomingmail',
            name='mailbox',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mail', to='clients.mailbox'),
        ),
        migrations.CreateModel(
            name='MailboxProposal',
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
                ('address', models.EmailField(max_length=254)),
                ('auth_server', models.CharField(blank=True, max_length=120)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand')),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='clients.mailbox')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='MailThread',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(blank=True, max_length=200)),
                ('awaits_reply', models.BooleanField(default=False, help_text="The client wrote last, and a person hasn't replied")),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='mail_threads', to='clients.client')),
            ],
            options={
                'ordering': ['-last_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='MailDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(blank=True, max_length=160)),
                ('message', models.TextField(blank=True)),
                ('saved_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('author', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='mail_drafts', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='mail_drafts', to='clients.client')),
                ('thread', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='clients.mailthread')),
            ],
        ),
        migrations.AddField(
            model_name='incomingmail',
            name='thread',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='incoming', to='clients.mailthread'),
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('template', models.CharField(blank=True, help_text='Empty: written manually', max_length=60)),
                ('language', models.CharField(max_length=8)),
                ('to_address', models.EmailField(max_length=254)),
                ('subject', models.CharField(max_length=200)),
                ('body', models.TextField()),
                ('secret', models.BinaryField(help_text='Encrypted values for the letter; removed once it is sent', null=True)),
                ('delivery', models.CharField(blank=True, choices=[('', 'Not reported'), ('delivered', 'Delivered'), ('opened', 'Opened'), ('clicked', 'Link clicked'), ('bounced', 'Bounced'), ('complained', 'Marked as spam')], default='', max_length=10)),
                ('delivery_at', models.DateTimeField(blank=True, null=True)),
                ('delivery_detail', models.CharField(blank=True, max_length=300)),
                ('state', models.CharField(choices=[('queued', 'Waiting'), ('sending', 'Sending'), ('sent', 'Sent'), ('failed', 'Failed'), ('undone', 'Not sent')], default='queued', max_length=8)),
                ('dedupe_key', models.CharField(blank=True, max_length=120)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('forwards_files', models.BooleanField(default=False)),
                ('forwards_mail', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.incomingmail')),
                ('forwards_sent', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.message')),
                ('answers', models.ForeignKey(blank=True, help_text='What it replies to', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.incomingmail')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='clients.client')),
                ('sender', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('thread', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sent', to='clients.mailthread')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('body', models.TextField()),
                ('is_pinned', models.BooleanField(default=False)),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='clients.client')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='NoteVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('body', models.TextField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('note', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='clients.note')),
            ],
            options={
                'ordering': ['note_id', '-number'],
            },
        ),
        migrations.CreateModel(
            name='Ownership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
                ('book', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.book')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('owner', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['client_id', 'since'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='PhoneCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('direction', models.CharField(choices=[('outbound', 'Outgoing'), ('inbound', 'Incoming')], max_length=8)),
                ('state', models.CharField(choices=[('requested', 'Connecting'), ('sent', 'Sent to the exchange'), ('unknown', 'Outcome unknown'), ('agent_ringing', 'Your phone is ringing'), ('ringing', 'Ringing'), ('answered', 'On the line'), ('held', 'On hold'), ('ended', 'Call ended'), ('missed', 'Not answered'), ('voicemail', 'Voicemail'), ('failed', 'Call failed')], default='requested', max_length=16)),
                ('reference', models.CharField(default=clients.models.telephony.new_reference, max_length=32, unique=True)),
                ('leg_id', models.CharField(blank=True, help_text="The exchange's id of the first leg; empty until known", max_length=80)),
                ('sealed_number', models.BinaryField(help_text="The other side's number, under the instance's key")),
                ('agent_address', models.CharField(blank=True, max_length=120)),
                ('is_recorded', models.BooleanField(default=False)),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('sent_at', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('duration_seconds', models.PositiveIntegerField(default=0, help_text='How long both sides were connected')),
                ('end', models.CharField(blank=True, choices=[('completed', 'Ended'), ('busy', 'Busy'), ('no_answer', 'No answer'), ('cancelled', 'Cancelled'), ('failed', 'Failed')], help_text="How the other side's leg ended", max_length=10)),
                ('was_dialled', models.BooleanField(default=False, help_text='Whether the other side was rung at all')),
                ('has_voicemail', models.BooleanField(default=False)),
                ('due_at', models.DateTimeField(help_text='When to place it, look it up, or log it without the agent', null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='Without a usable answer')),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('agent', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='phone_calls', to=settings.AUTH_USER_MODEL)),
                ('call', models.OneToOneField(help_text='What it was logged as', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='phone_call', to='clients.call')),
                ('client', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='phone_calls', to='clients.client')),
            ],
            options={
                'ordering': ['-requested_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='PhoneExchange',
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
                ('caller_number', models.CharField(help_text='E.164: shown to who is called, and rung by who calls back', max_length=20)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='PhoneEvent',
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
                ('phone_call', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='clients.phonecall')),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='clients.phoneexchange')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='phonecall',
            name='exchange',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='clients.phoneexchange'),
        ),
        migrations.CreateModel(
            name='PhoneExchangeProposal',
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
                ('caller_number', models.CharField(max_length=20)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand')),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='clients.phoneexchange')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PhoneLeg',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('leg_id', models.CharField(max_length=80)),
                ('is_first', models.BooleanField()),
                ('started_at', models.DateTimeField(null=True)),
                ('ringing_at', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('held_at', models.DateTimeField(help_text='When it was last put on hold', null=True)),
                ('resumed_at', models.DateTimeField(help_text='When it was last taken off hold', null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('end', models.CharField(blank=True, choices=[('completed', 'Ended'), ('busy', 'Busy'), ('no_answer', 'No answer'), ('cancelled', 'Cancelled'), ('failed', 'Failed')], max_length=10)),
                ('seconds', models.PositiveIntegerField(help_text='As the exchange counts it', null=True)),
                ('phone_call', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='legs', to='clients.phonecall')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='PhoneRecording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recording_id', models.CharField(help_text="The exchange's", max_length=80)),
                ('state', models.CharField(choices=[('waiting', 'Being fetched'), ('kept', 'Available'), ('failed', 'Not available'), ('deleted', 'Deleted')], default='waiting', max_length=8)),
                ('seconds', models.PositiveIntegerField(default=0)),
                ('is_voicemail', models.BooleanField(default=False)),
                ('store_key', models.CharField(blank=True, max_length=32)),
                ('size_bytes', models.PositiveBigIntegerField(default=0)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('kept_at', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField(help_text='When to fetch it', null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('phone_call', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='recordings', to='clients.phonecall')),
                ('sealed_for', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
            ],
            options={
                'ordering': ['id'],
                'permissions': [('listen_recording', 'Can listen to recordings of calls')],
            },
        ),
        migrations.CreateModel(
            name='Segment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('kind', models.CharField(choices=[('rule', 'By conditions'), ('list', 'Fixed list')], max_length=4)),
                ('condition', models.JSONField(help_text='As crm.conditions stores it; of a segment by conditions only', null=True)),
                ('size', models.PositiveIntegerField(default=0, help_text='Members at the last refresh')),
                ('refreshed_at', models.DateTimeField(null=True)),
                ('problem', models.CharField(blank=True, choices=[('', ''), ('unreadable', 'The conditions name a field that no longer exists. Change them.'), ('slow', 'Finding the records takes longer than a minute. Use fewer conditions.')], max_length=10)),
                ('created_at', models.DateTimeField()),
                ('archived_at', models.DateTimeField(null=True)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='segments', to='crm.brand')),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('manage_segment', 'May make segments and change who is in them')],
            },
        ),
        migrations.CreateModel(
            name='SegmentMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entered_at', models.DateTimeField()),
                ('left_at', models.DateTimeField(null=True)),
                ('is_initial', models.BooleanField(default=False)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='segment_spells', to='clients.client')),
                ('segment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='clients.segment')),
            ],
        ),
        migrations.CreateModel(
            name='SentAttachment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=120)),
                ('content_type', models.CharField(max_length=100)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('store_key', models.CharField(max_length=32)),
                ('message', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='clients.message')),
                ('sealed_for', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='SignInCountry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('day', models.DateField()),
                ('first_at', models.DateTimeField()),
                ('times', models.PositiveIntegerField(default=1)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='sign_in_countries', to='clients.client')),
            ],
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.EmailField(max_length=254)),
                ('reason', models.CharField(choices=[('bounce', "Address doesn't exist"), ('complaint', 'Marked as spam'), ('unsubscribed', 'Unsubscribed'), ('manual', 'Added manually')], max_length=12)),
                ('detail', models.CharField(blank=True, max_length=300)),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('lifted_at', models.DateTimeField(null=True)),
                ('lift_reason', models.CharField(blank=True, max_length=300)),
                ('added_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='suppressions', to='crm.brand')),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-added_at', '-id'],
                'permissions': [('lift_suppression', 'Can let an address get e-mails again')],
            },
        ),
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=160)),
                ('due_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('times_snoozed', models.PositiveSmallIntegerField(default=0)),
                ('remind_before_minutes', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('moved_from', models.DateTimeField(blank=True, null=True)),
                ('assignee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='clients.client')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['due_at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='TimelineEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('call', 'Call'), ('email', 'E-mail'), ('chat', 'Chat'), ('note', 'Note'), ('task', 'Task'), ('stage', 'Stage'), ('lead', 'Lead'), ('document', 'Document'), ('payment', 'Payment'), ('trading', 'Trading'), ('compliance', 'Compliance'), ('partner', 'Partner'), ('ticket', 'Ticket')], max_length=12)),
                ('title', models.CharField(max_length=200)),
                ('body', models.TextField(blank=True)),
                ('url', models.CharField(blank=True, max_length=300)),
                ('data', models.JSONField(default=dict)),
                ('dedupe_key', models.CharField(blank=True, max_length=120)),
                ('is_visible_to_client', models.BooleanField(default=False)),
                ('actor', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='timeline', to='clients.client')),
            ],
            options={
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.AddConstraint(
            model_name='agentphone',
            constraint=models.CheckConstraint(condition=models.Q(('address', ''), _negated=True), name='agent_phone_has_an_address'),
        ),
        migrations.AddConstraint(
            model_name='bookdesk',
            constraint=models.UniqueConstraint(fields=('book', 'since'), name='book_has_one_desk_at_a_time'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bookdesk',
            trigger=pgtrigger.compiler.Trigger(name='book_desk_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'book_desk is append-only: write a new row instead';", hash='6f402fae475b4a3625c2a6ffa91f5a3f8dd16254', operation='UPDATE OR DELETE', pgid='pgtrigger_book_desk_no_change_0c5ef', table='clients_bookdesk', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bookdesk',
            trigger=pgtrigger.compiler.Trigger(name='book_desk_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'book_desk is append-only: write a new row instead';", hash='abdf6ae1b08c1dd09899f438cca02706d3d264c8', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_book_desk_no_truncate_fcbe3', table='clients_bookdesk', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='cannedanswer',
            constraint=models.UniqueConstraint(condition=models.Q(('archived_at__isnull', True)), fields=('brand', 'language', 'title'), name='a_canned_answer_has_its_own_title'),
        ),
        migrations.AddConstraint(
            model_name='cannedanswer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('body', ''), _negated=True), models.Q(('title', ''), _negated=True)), name='a_canned_answer_has_title_and_text'),
        ),
        migrations.AddIndex(
            model_name='chatline',
            index=models.Index(fields=['chat', 'id'], name='lines_by_chat'),
        ),
        migrations.AddConstraint(
            model_name='chatline',
            constraint=models.UniqueConstraint(condition=models.Q(('key', ''), _negated=True), fields=('chat', 'key'), name='a_line_is_kept_once'),
        ),
        migrations.AddConstraint(
            model_name='chatline',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'note'), ('author__isnull', False), _connector='OR'), name='a_line_of_a_person_has_an_author'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(fields=['book', '-id'], name='clients_by_book'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(fields=['book', 'stage', '-id'], name='clients_by_stage'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(fields=['owner', '-id'], include=('stage', 'book', 'score', 'last_contact_at'), name='clients_by_owner'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead'), models.Q(('campaign', ''), _negated=True)), fields=['campaign', 'last_contact_at', 'id'], include=('book', 'score'), name='leads_by_campaign_contact'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(fields=['language', 'last_contact_at', 'id'], include=('stage', 'book', 'score'), name='clients_by_language'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(fields=['country', '-id'], name='clients_by_country'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('phone', ''), _negated=True), fields=['brand', 'phone'], name='clients_by_phone'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('email', ''), _negated=True), fields=['brand', 'email_canonical'], name='clients_by_mailbox'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('date_of_birth__isnull', False)), fields=['brand', 'date_of_birth', 'country'], name='clients_by_birth_date'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('campaign', ''), _negated=True), fields=['campaign', '-id'], name='clients_by_campaign'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('campaign', ''), _negated=True), fields=['campaign', 'country', '-id'], name='clients_by_campaign_country'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('source', ''), _negated=True), fields=['source', '-id'], name='clients_by_source'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['merged_into'], name='clients_merged'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search_text'], name='clients_search', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead')), fields=['score', 'id'], name='leads_by_score'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead')), fields=['book', 'score', 'id'], name='leads_by_book_score'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead')), fields=['sales_status', '-id'], name='leads_by_status'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead')), fields=['book', 'sales_status', '-id'], include=('score', 'last_contact_at', 'country', 'language', 'source', 'campaign', 'owner', 'brand'), name='leads_by_book_status'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead')), fields=['last_contact_at', 'id'], name='leads_by_contact'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead')), fields=['book', 'last_contact_at', 'id'], name='leads_by_book_contact'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead')), fields=['-id'], name='leads_newest'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead'), _negated=True), fields=['-id'], name='customers_newest'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead'), _negated=True), fields=['net_deposits', 'id'], name='customers_by_net_deposits'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead'), _negated=True), fields=['first_deposit_at', 'id'], name='customers_by_ftd'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead'), _negated=True), fields=['last_trade_at', 'id'], name='customers_by_last_trade'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead'), _negated=True), fields=['last_contact_at', 'id'], name='customers_by_contact'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead'), ('first_deposit_at__isnull', False)), fields=['first_deposit_at', 'id'], name='leads_by_ftd'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead'), ('last_trade_at__isnull', False)), fields=['last_trade_at', 'id'], name='leads_by_last_trade'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('stage', 'lead'), models.Q(('net_deposits', 0), _negated=True)), fields=['net_deposits', 'id'], name='leads_by_net_deposits'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.UniqueConstraint(condition=models.Q(('email', ''), _negated=True), fields=('brand', 'email'), name='one_client_per_email_and_brand'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower('email'))), name='client_email_is_lower_case'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.CheckConstraint(condition=models.Q(('stage__in', ['lead', 'related', 'closed']), ('registered_at__isnull', False), _connector='OR'), name='registered_client_has_a_date'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.CheckConstraint(condition=models.Q(('merged_into', None), models.Q(('merged_into', models.F('id')), _negated=True), _connector='OR'), name='client_is_merged_into_another'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'person'), models.Q(('first_name', ''), models.Q(('last_name', ''), _negated=True)), _connector='OR'), name='company_is_named_by_its_last_name'),
        ),
        migrations.AddIndex(
            model_name='chat',
            index=models.Index(fields=['client', '-id'], name='chats_by_client'),
        ),
        migrations.AddIndex(
            model_name='chat',
            index=models.Index(fields=['-last_at', '-id'], name='chats_newest'),
        ),
        migrations.AddIndex(
            model_name='chat',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['agent'], name='chats_by_agent'),
        ),
        migrations.AddIndex(
            model_name='chat',
            index=models.Index(fields=['sealed_for'], name='chats_by_key'),
        ),
        migrations.AddConstraint(
            model_name='chat',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['message', 'open', 'waiting'])), fields=('client',), name='a_client_has_one_running_chat'),
        ),
        migrations.AddConstraint(
            model_name='chat',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state', 'ended')), models.Q(models.Q(('state', 'ended'), _negated=True), ('ended_at__isnull', True)), _connector='OR'), name='an_ended_chat_says_when'),
        ),
        migrations.AddConstraint(
            model_name='chat',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'open'), _negated=True), ('agent__isnull', False), _connector='OR'), name='a_chat_in_progress_has_an_agent'),
        ),
        migrations.AddConstraint(
            model_name='chat',
            constraint=models.CheckConstraint(condition=models.Q(('answered_at__isnull', True), ('answered_at__gte', models.F('started_at')), _connector='OR'), name='a_chat_is_answered_after_its_start'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['client', '-started_at'], name='calls_by_client'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['agent', '-started_at'], name='calls_by_agent'),
        ),
        migrations.AddConstraint(
            model_name='call',
            constraint=models.CheckConstraint(condition=models.Q(('duration_seconds__lte', 86400)), name='call_lasts_a_day_at_most'),
        ),
        migrations.AddIndex(
            model_name='clientmerge',
            index=models.Index(fields=['kept', '-id'], name='merges_of_a_client'),
        ),
        migrations.AddIndex(
            model_name='clientmerge',
            index=models.Index(fields=['merged', '-id'], name='merges_of_a_merged_client'),
        ),
        migrations.AddConstraint(
            model_name='clientmerge',
            constraint=models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('merged',), name='a_client_is_merged_into_one_other'),
        ),
        migrations.AddConstraint(
            model_name='clientmerge',
            constraint=models.CheckConstraint(condition=models.Q(('kept', models.F('merged')), _negated=True), name='no_client_is_merged_into_itself'),
        ),
        migrations.AddConstraint(
            model_name='clientmerge',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('undone_at', None), ('undone_by', None)), ('undone_at__isnull', False), _connector='OR'), name='undone_merge_has_a_time'),
        ),
        migrations.AddIndex(
            model_name='countryrule',
            index=models.Index(fields=['brand', 'country', '-effective_on'], name='country_rules_of_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='countryrule',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='country_rule_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='countryrule',
            constraint=models.CheckConstraint(condition=models.Q(('accepted__contained_by', ['lead', 'registration', 'login', 'deposit', 'trading', 'withdrawal'])), name='country_rule_names_known_gates'),
        ),
        migrations.AddConstraint(
            model_name='countryrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('band', ''), _negated=True), models.Q(('accepted', []), ('approval_age', None), ('minimum_age', None), ('not_for_retail', []), ('not_offered', []), ('not_below_age', []), ('product_age', None)), _connector='OR'), name='country_rule_without_band_is_the_default'),
        ),
        migrations.AddConstraint(
            model_name='countryrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('minimum_age', None), models.Q(('minimum_age__gte', 18), ('minimum_age__lte', 120)), _connector='OR'), models.Q(('approval_age', None), models.Q(('approval_age__gt', 18), ('approval_age__lte', 120)), _connector='OR'), models.Q(('minimum_age', None), ('approval_age', None), ('approval_age__gt', models.F('minimum_age')), _connector='OR'), models.Q(models.Q(('not_below_age', []), ('product_age', None)), models.Q(('product_age__gt', 18), ('product_age__lte', 120), models.Q(('not_below_age', []), _negated=True)), _connector='OR')), name='country_rule_has_possible_ages'),
        ),
        migrations.AddConstraint(
            model_name='countryrule',
            constraint=models.CheckConstraint(condition=models.Q(('not_below_age__contained_by', ['cfd', 'crypto_cfd', 'bonus']), ('not_for_retail__contained_by', ['cfd', 'crypto_cfd', 'bonus']), ('not_offered__contained_by', ['cfd', 'crypto_cfd', 'bonus'])), name='country_rule_names_known_products'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='countryrule',
            trigger=pgtrigger.compiler.Trigger(name='country_rule_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'country_rule is append-only: write a new row instead';", hash='5613341a6713b97d070e16a2ac78fb3db53d922e', operation='UPDATE OR DELETE', pgid='pgtrigger_country_rule_no_change_33cca', table='clients_countryrule', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='countryrule',
            trigger=pgtrigger.compiler.Trigger(name='country_rule_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'country_rule is append-only: write a new row instead';", hash='d458b945569ef2cbf00f520361b9235207e2299b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_country_rule_no_truncate_18f53', table='clients_countryrule', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='countryruleproposal',
            index=models.Index(fields=['brand', '-id'], name='country_proposals_of_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='countryruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='country_rule_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='countryruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='country_rule_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='countryruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='country_rule_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='countryruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='country_rule_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='countryruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='country_rule_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='countryruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(('countries__len__gt', 0)), name='country_rule_proposal_names_countries'),
        ),
        migrations.AddConstraint(
            model_name='countryruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(('accepted__contained_by', ['lead', 'registration', 'login', 'deposit', 'trading', 'withdrawal'])), name='country_rule_proposal_names_known_gates'),
        ),
        migrations.AddConstraint(
            model_name='countryruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('band', ''), _negated=True), models.Q(('accepted', []), ('approval_age', None), ('minimum_age', None), ('not_for_retail', []), ('not_offered', []), ('not_below_age', []), ('product_age', None)), _connector='OR'), name='country_rule_proposal_without_band_is_the_default'),
        ),
        migrations.AddConstraint(
            model_name='countryruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('minimum_age', None), models.Q(('minimum_age__gte', 18), ('minimum_age__lte', 120)), _connector='OR'), models.Q(('approval_age', None), models.Q(('approval_age__gt', 18), ('approval_age__lte', 120)), _connector='OR'), models.Q(('minimum_age', None), ('approval_age', None), ('approval_age__gt', models.F('minimum_age')), _connector='OR'), models.Q(models.Q(('not_below_age', []), ('product_age', None)), models.Q(('product_age__gt', 18), ('product_age__lte', 120), models.Q(('not_below_age', []), _negated=True)), _connector='OR')), name='country_rule_proposal_has_possible_ages'),
        ),
        migrations.AddConstraint(
            model_name='countryruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(('not_below_age__contained_by', ['cfd', 'crypto_cfd', 'bonus']), ('not_for_retail__contained_by', ['cfd', 'crypto_cfd', 'bonus']), ('not_offered__contained_by', ['cfd', 'crypto_cfd', 'bonus'])), name='country_rule_proposal_names_known_products'),
        ),
        migrations.AddConstraint(
            model_name='customfield',
            constraint=models.UniqueConstraint(fields=('brand', 'key'), name='custom_field_key_is_unique_per_brand'),
        ),
        migrations.AddConstraint(
            model_name='customfield',
            constraint=models.CheckConstraint(condition=models.Q(('key__regex', '^[a-z][a-z0-9_]*$')), name='custom_field_key_is_a_plain_word'),
        ),
        migrations.AddConstraint(
            model_name='customfield',
            constraint=models.CheckConstraint(condition=models.Q(('for_leads', True), ('for_clients', True), _connector='OR'), name='custom_field_is_on_leads_or_clients'),
        ),
        migrations.AddConstraint(
            model_name='customfield',
            constraint=models.CheckConstraint(condition=models.Q(('type__in', ['text', 'number', 'money', 'date', 'yes_no', 'choice', 'choices'])), name='custom_field_has_a_known_type'),
        ),
        migrations.AddConstraint(
            model_name='customfield',
            constraint=models.CheckConstraint(condition=models.Q(('roles__contained_by', ['agent', 'retention', 'desk_head', 'kyc_officer', 'mlro', 'finance', 'ib_manager', 'support', 'marketing', 'auditor', 'administrator'])), name='custom_field_names_known_roles'),
        ),
        migrations.AddConstraint(
            model_name='customchoice',
            constraint=models.UniqueConstraint(fields=('field', 'code'), name='custom_choice_code_is_unique_per_field'),
        ),
        migrations.AddIndex(
            model_name='customvalue',
            index=models.Index(condition=models.Q(('number__isnull', False)), fields=['field', 'number'], name='custom_by_number'),
        ),
        migrations.AddIndex(
            model_name='customvalue',
            index=models.Index(condition=models.Q(('day__isnull', False)), fields=['field', 'day'], name='custom_by_day'),
        ),
        migrations.AddIndex(
            model_name='customvalue',
            index=models.Index(condition=models.Q(('code__isnull', False)), fields=['field', 'code'], name='custom_by_code'),
        ),
        migrations.AddIndex(
            model_name='customvalue',
            index=models.Index(fields=['field', 'client'], name='custom_by_field'),
        ),
        migrations.AddIndex(
            model_name='customvalue',
            index=django.contrib.postgres.indexes.GinIndex(condition=models.Q(('codes__isnull', False)), fields=['codes'], name='custom_by_codes'),
        ),
        migrations.AddIndex(
            model_name='customvalue',
            index=django.contrib.postgres.indexes.GinIndex(condition=models.Q(('text__isnull', False)), fields=['text'], name='custom_by_text', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddConstraint(
            model_name='customvalue',
            constraint=models.UniqueConstraint(fields=('client', 'field'), name='one_custom_value_per_client_and_field'),
        ),
        migrations.AddConstraint(
            model_name='customvalue',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('type', 'text'), ('text__isnull', False), ('code__isnull', True), ('codes__isnull', True), ('day__isnull', True), ('flag__isnull', True), ('number__isnull', True)), models.Q(('type', 'number'), ('number__isnull', False), ('code__isnull', True), ('codes__isnull', True), ('day__isnull', True), ('flag__isnull', True), ('text__isnull', True)), models.Q(('type', 'money'), ('number__isnull', False), ('code__isnull', True), ('codes__isnull', True), ('day__isnull', True), ('flag__isnull', True), ('text__isnull', True)), models.Q(('type', 'date'), ('day__isnull', False), ('code__isnull', True), ('codes__isnull', True), ('flag__isnull', True), ('number__isnull', True), ('text__isnull', True)), models.Q(('type', 'yes_no'), ('flag__isnull', False), ('code__isnull', True), ('codes__isnull', True), ('day__isnull', True), ('number__isnull', True), ('text__isnull', True)), models.Q(('type', 'choice'), ('code__isnull', False), ('codes__isnull', True), ('day__isnull', True), ('flag__isnull', True), ('number__isnull', True), ('text__isnull', True)), models.Q(('type', 'choices'), ('codes__isnull', False), ('code__isnull', True), ('day__isnull', True), ('flag__isnull', True), ('number__isnull', True), ('text__isnull', True)), _connector='OR'), name='custom_value_fits_its_type'),
        ),
        migrations.AddConstraint(
            model_name='customvalue',
            constraint=models.CheckConstraint(condition=models.Q(('text__isnull', True), models.Q(models.Q(('text', ''), _negated=True), django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length('text'), 2000)), _connector='OR'), name='custom_text_is_short_and_not_blank'),
        ),
        migrations.AddConstraint(
            model_name='customvalue',
            constraint=models.CheckConstraint(condition=models.Q(('codes__isnull', True), ('codes__len__gt', 0), _connector='OR'), name='custom_choices_are_some'),
        ),
        migrations.AddIndex(
            model_name='declaration',
            index=models.Index(fields=['client', 'fact', 'given_at'], name='declarations_of_a_client'),
        ),
        migrations.AddConstraint(
            model_name='declaration',
            constraint=models.UniqueConstraint(condition=models.Q(('until__isnull', True)), fields=('client', 'fact'), name='one_declaration_per_fact_holds'),
        ),
        migrations.AddConstraint(
            model_name='declaration',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gte', 0), ('amount__isnull', False), ('codes', []), ('fact__in', ('yearly_income', 'net_worth', 'expected_deposits'))), models.Q(models.Q(('fact__in', ('yearly_income', 'net_worth', 'expected_deposits')), _negated=True), ('amount__isnull', True), models.Q(('codes', []), _negated=True)), _connector='OR'), name='declaration_is_an_amount_or_codes'),
        ),
        migrations.AddConstraint(
            model_name='declaration',
            constraint=models.CheckConstraint(condition=models.Q(('until__isnull', True), ('until__gte', models.F('given_at')), _connector='OR'), name='declaration_ends_after_it_began'),
        ),
        migrations.AddIndex(
            model_name='diallist',
            index=models.Index(fields=['owner', '-id'], name='dial_lists_by_owner'),
        ),
        migrations.AddConstraint(
            model_name='diallist',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('owner',), name='a_person_dials_one_list_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='diallist',
            constraint=models.CheckConstraint(condition=models.Q(('ended_at__isnull', True), ('ended_at__gte', models.F('created_at')), _connector='OR'), name='a_dial_list_ends_after_its_start'),
        ),
        migrations.AddIndex(
            model_name='dialentry',
            index=models.Index(fields=['client'], name='dial_entries_by_client'),
        ),
        migrations.AddConstraint(
            model_name='dialentry',
            constraint=models.UniqueConstraint(fields=('dial_list', 'client'), name='a_client_is_on_a_dial_list_once'),
        ),
        migrations.AddConstraint(
            model_name='dialentry',
            constraint=models.UniqueConstraint(fields=('dial_list', 'place'), name='a_dial_list_has_an_order'),
        ),
        migrations.AddIndex(
            model_name='donotcall',
            index=models.Index(fields=['client', '-id'], name='do_not_call_by_client'),
        ),
        migrations.AddConstraint(
            model_name='donotcall',
            constraint=models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('client',), name='a_client_is_marked_once_as_not_to_be_called'),
        ),
        migrations.AddConstraint(
            model_name='donotcall',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lift_reason', ''), ('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False), models.Q(('lift_reason', ''), _negated=True)), _connector='OR'), name='a_lifted_do_not_call_says_by_whom_and_why'),
        ),
        migrations.AddIndex(
            model_name='exemption',
            index=models.Index(fields=['client', '-id'], name='exemptions_of_a_client'),
        ),
        migrations.AddConstraint(
            model_name='exemption',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='exemption_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='exemption',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='exemption_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='exemption',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='exemption_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='exemption',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='exemption_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='exemption',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='exemption_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='exemption',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('client',), name='one_open_exemption_proposal_per_client'),
        ),
        migrations.AddConstraint(
            model_name='exemption',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ends_on', None), ('gates', [])), models.Q(models.Q(('gates', []), _negated=True), ('ends_on__isnull', False)), _connector='OR'), name='exemption_has_a_last_day'),
        ),
        migrations.AddConstraint(
            model_name='exemption',
            constraint=models.CheckConstraint(condition=models.Q(('gates__contained_by', ['login', 'deposit', 'trading', 'withdrawal'])), name='exemption_is_for_gates_of_a_client'),
        ),
        migrations.AddIndex(
            model_name='identifier',
            index=models.Index(condition=models.Q(('client__isnull', False)), fields=['client', 'kind'], name='identifiers_of_a_client'),
        ),
        migrations.AddIndex(
            model_name='identifier',
            index=models.Index(condition=models.Q(('user__isnull', False)), fields=['user', 'kind'], name='identifiers_of_staff'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.UniqueConstraint(condition=models.Q(('client__isnull', False)), fields=('kind', 'mark', 'client'), name='identifier_is_kept_once_per_client'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.UniqueConstraint(condition=models.Q(('user__isnull', False)), fields=('kind', 'mark', 'user'), name='identifier_is_kept_once_per_user'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('client__isnull', False), ('user__isnull', True)), models.Q(('client__isnull', True), ('user__isnull', False)), _connector='OR'), name='identifier_is_of_a_client_or_of_staff'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.CheckConstraint(condition=models.Q(('first_seen__lte', models.F('last_seen'))), name='identifier_seen_in_order'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['email', 'phone', 'device', 'ip_prefix', 'card', 'bank_account', 'crypto_address', 'document', 'official', 'lei', 'photo'])), name='identifier_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(models.Func(models.F('mark'), function='octet_length', output_field=models.IntegerField()), 32)), name='identifier_mark_is_a_hash'),
        ),
        migrations.AddIndex(
            model_name='mailattachment',
            index=models.Index(condition=models.Q(('sealed_for__isnull', False)), fields=['sealed_for'], name='mail_attachments_by_key'),
        ),
        migrations.AddIndex(
            model_name='mailattachment',
            index=models.Index(condition=models.Q(('store_key', ''), _negated=True), fields=['store_key'], name='mail_attachments_by_file'),
        ),
        migrations.AddConstraint(
            model_name='mailattachment',
            constraint=models.UniqueConstraint(fields=('mail', 'number'), name='an_attachment_is_kept_once'),
        ),
        migrations.AddConstraint(
            model_name='mailattachment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('verdict', 'kept'), models.Q(('store_key', ''), _negated=True)), models.Q(models.Q(('verdict', 'kept'), _negated=True), ('store_key', '')), _connector='OR'), name='a_kept_attachment_has_its_file'),
        ),
        migrations.AddConstraint(
            model_name='mailbox',
            constraint=models.UniqueConstraint(condition=models.Q(('is_enabled', True)), fields=('brand',), name='a_brand_reads_one_mailbox'),
        ),
        migrations.AddConstraint(
            model_name='mailbox',
            constraint=models.CheckConstraint(condition=models.Q(('address', ''), _negated=True), name='mailbox_has_an_address'),
        ),
        migrations.AddIndex(
            model_name='mailboxproposal',
            index=models.Index(fields=['brand', '-id'], name='mailbox_proposals'),
        ),
        migrations.AddConstraint(
            model_name='mailboxproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='mailbox_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='mailboxproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='mailbox_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='mailboxproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='mailbox_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='mailboxproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='mailbox_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='mailboxproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='mailbox_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='mailboxproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('brand',), name='one_open_mailbox_per_brand'),
        ),
        migrations.AddConstraint(
            model_name='mailboxproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'pending'), ('sealed_credentials__isnull', True), _connector='OR'), name='mailbox_proposal_keeps_no_keys'),
        ),
        migrations.AddIndex(
            model_name='mailthread',
            index=models.Index(fields=['client', '-last_at', '-id'], name='mail_threads_by_client'),
        ),
        migrations.AddIndex(
            model_name='mailthread',
            index=models.Index(fields=['-last_at', '-id'], name='mail_threads_by_time'),
        ),
        migrations.AddIndex(
            model_name='maildraft',
            index=models.Index(fields=['author', '-saved_at'], name='mail_drafts_by_author'),
        ),
        migrations.AddConstraint(
            model_name='maildraft',
            constraint=models.UniqueConstraint(fields=('client', 'author'), name='one_mail_draft_per_client_and_person'),
        ),
        migrations.AddIndex(
            model_name='incomingmail',
            index=models.Index(fields=['client', '-received_at'], name='incoming_mail_by_client'),
        ),
        migrations.AddIndex(
            model_name='incomingmail',
            index=models.Index(fields=['thread', 'received_at'], name='incoming_mail_by_thread'),
        ),
        migrations.AddIndex(
            model_name='incomingmail',
            index=models.Index(fields=['brand', '-received_at', '-id'], name='incoming_mail_by_brand'),
        ),
        migrations.AddIndex(
            model_name='incomingmail',
            index=models.Index(condition=models.Q(('state', 'unassigned')), fields=['-received_at', '-id'], name='incoming_mail_unassigned'),
        ),
        migrations.AddIndex(
            model_name='incomingmail',
            index=models.Index(fields=['brand', 'message_id'], name='incoming_mail_by_message_id'),
        ),
        migrations.AddIndex(
            model_name='incomingmail',
            index=models.Index(condition=models.Q(('sealed_for__isnull', False)), fields=['sealed_for'], name='incoming_mail_by_key'),
        ),
        migrations.AddIndex(
            model_name='incomingmail',
            index=django.contrib.postgres.indexes.GinIndex(fields=['references'], name='incoming_mail_by_reference'),
        ),
        migrations.AddConstraint(
            model_name='incomingmail',
            constraint=models.UniqueConstraint(fields=('brand', 'fingerprint'), name='an_incoming_mail_is_kept_once'),
        ),
        migrations.AddConstraint(
            model_name='incomingmail',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('client__isnull', False), ('state', 'threaded'), ('thread__isnull', False)), models.Q(models.Q(('state', 'threaded'), _negated=True), ('thread__isnull', True)), _connector='OR'), name='threaded_mail_has_client_and_thread'),
        ),
        migrations.AddConstraint(
            model_name='incomingmail',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('body_for_client__isnull', False), ('body_sealed__isnull', True), ('sealed_for__isnull', False)), models.Q(('body_for_client__isnull', True), ('body_sealed__isnull', False), ('sealed_for__isnull', True)), _connector='OR'), name='incoming_mail_is_sealed_under_one_key'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['client', '-id'], name='messages_by_client'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('thread__isnull', False)), fields=['thread', 'created_at'], name='messages_by_thread'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('state__in', ['queued', 'sending'])), fields=['due_at'], name='messages_due'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(condition=models.Q(('dedupe_key', ''), _negated=True), fields=('client', 'dedupe_key'), name='a_letter_is_sent_once'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at__isnull', False), _connector='OR'), name='sent_message_has_a_time'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('forwards_mail__isnull', False), ('forwards_sent__isnull', True), ('template', 'clients.forward')), models.Q(('forwards_mail__isnull', True), ('forwards_sent__isnull', False), ('template', 'clients.forward')), models.Q(models.Q(('template', 'clients.forward'), _negated=True), ('forwards_mail__isnull', True), ('forwards_sent__isnull', True)), _connector='OR'), name='a_forward_quotes_one_e_mail'),
        ),
        migrations.AddIndex(
            model_name='note',
            index=models.Index(fields=['client', '-id'], name='notes_by_client'),
        ),
        migrations.AddIndex(
            model_name='note',
            index=models.Index(condition=models.Q(('is_pinned', True)), fields=['client'], name='notes_pinned'),
        ),
        migrations.AddConstraint(
            model_name='noteversion',
            constraint=models.UniqueConstraint(fields=('note', 'number'), name='note_version_has_its_own_number'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='noteversion',
            trigger=pgtrigger.compiler.Trigger(name='note_version_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'UPDATE' AND NEW.body = 'Erased'\n  AND (NEW.id, NEW.note_id, NEW.number, NEW.author_id, NEW.at) = (OLD.id, OLD.note_id, OLD.number, OLD.author_id, OLD.at)\n  AND EXISTS (SELECT FROM clients_note n JOIN crm_subjectkey k ON k.client_id = n.client_id\n    WHERE n.id = OLD.note_id AND k.wrapped IS NULL)\nTHEN RETURN NEW; END IF;\nRAISE EXCEPTION 'note_version is append-only: write a new row instead';\n", hash='58bc872f5e85a1523dac1e2551476726815ea41c', operation='UPDATE OR DELETE', pgid='pgtrigger_note_version_no_change_cf085', table='clients_noteversion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='noteversion',
            trigger=pgtrigger.compiler.Trigger(name='note_version_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'note_version is append-only: write a new row instead';", hash='63fbce63111c1bc0532f93d129d0440020121a79', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_note_version_no_truncate_af648', table='clients_noteversion', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='ownership',
            constraint=models.UniqueConstraint(fields=('client', 'since'), name='client_has_one_owner_at_a_time'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ownership',
            trigger=pgtrigger.compiler.Trigger(name='ownership_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'ownership is append-only: write a new row instead';", hash='f3207e19979734dae1a421607736279240ee0fff', operation='UPDATE OR DELETE', pgid='pgtrigger_ownership_no_change_8b7b3', table='clients_ownership', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ownership',
            trigger=pgtrigger.compiler.Trigger(name='ownership_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'ownership is append-only: write a new row instead';", hash='014716ed85891ea693dcb5832bb55ec1f0b13eb0', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_ownership_no_truncate_98f8d', table='clients_ownership', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='phoneexchange',
            constraint=models.UniqueConstraint(condition=models.Q(('is_enabled', True)), fields=('brand',), name='a_brand_uses_one_phone_exchange'),
        ),
        migrations.AddConstraint(
            model_name='phoneexchange',
            constraint=models.CheckConstraint(condition=models.Q(('caller_number', ''), _negated=True), name='phone_exchange_has_a_number'),
        ),
        migrations.AddIndex(
            model_name='phoneevent',
            index=models.Index(fields=['connection', '-id'], name='phone_events_by_exchange'),
        ),
        migrations.AddIndex(
            model_name='phoneevent',
            index=models.Index(fields=['connection', 'subject_id'], name='phone_events_by_leg'),
        ),
        migrations.AddIndex(
            model_name='phoneevent',
            index=models.Index(condition=models.Q(('phone_call__isnull', False)), fields=['phone_call'], name='phone_events_by_call'),
        ),
        migrations.AddIndex(
            model_name='phoneevent',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['due_at', 'id'], name='phone_events_due'),
        ),
        migrations.AddConstraint(
            model_name='phoneevent',
            constraint=models.UniqueConstraint(condition=models.Q(('verdict', 'accepted')), fields=('connection', 'message_id'), name='a_phone_event_is_accepted_once'),
        ),
        migrations.AddConstraint(
            model_name='phoneevent',
            constraint=models.CheckConstraint(condition=models.Q(('verdict', 'accepted'), ('state__in', ['received', 'refused']), _connector='OR'), name='only_an_accepted_phone_event_is_acted_on'),
        ),
        migrations.AddIndex(
            model_name='phonecall',
            index=models.Index(fields=['client', '-requested_at'], name='phone_calls_by_client'),
        ),
        migrations.AddIndex(
            model_name='phonecall',
            index=models.Index(fields=['agent', '-requested_at'], name='phone_calls_by_agent'),
        ),
        migrations.AddIndex(
            model_name='phonecall',
            index=models.Index(fields=['exchange', '-id'], name='phone_calls_by_exchange'),
        ),
        migrations.AddIndex(
            model_name='phonecall',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at', 'id'], name='phone_calls_due'),
        ),
        migrations.AddConstraint(
            model_name='phonecall',
            constraint=models.UniqueConstraint(condition=models.Q(('leg_id', ''), _negated=True), fields=('exchange', 'leg_id'), name='a_leg_begins_one_phone_call'),
        ),
        migrations.AddConstraint(
            model_name='phonecall',
            constraint=models.UniqueConstraint(condition=models.Q(('direction', 'outbound'), ('state__in', ['agent_ringing', 'answered', 'held', 'requested', 'ringing', 'sent', 'unknown'])), fields=('agent',), name='an_agent_places_one_call_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='phonecall',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ['ended', 'failed', 'missed', 'voicemail'])), models.Q(('ended_at__isnull', True), ('state__in', ['agent_ringing', 'answered', 'held', 'requested', 'ringing', 'sent', 'unknown'])), _connector='OR'), name='an_ended_phone_call_says_when'),
        ),
        migrations.AddConstraint(
            model_name='phonecall',
            constraint=models.CheckConstraint(condition=models.Q(('answered_at__isnull', True), ('ended_at__isnull', True), ('ended_at__gte', models.F('answered_at')), _connector='OR'), name='a_phone_call_ends_after_its_answer'),
        ),
        migrations.AddConstraint(
            model_name='phonecall',
            constraint=models.CheckConstraint(condition=models.Q(('call__isnull', True), models.Q(('agent__isnull', False), ('client__isnull', False)), _connector='OR'), name='a_logged_phone_call_has_client_and_agent'),
        ),
        migrations.AddIndex(
            model_name='phoneexchangeproposal',
            index=models.Index(fields=['brand', '-id'], name='phone_exchange_proposals'),
        ),
        migrations.AddConstraint(
            model_name='phoneexchangeproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='phone_exchange_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='phoneexchangeproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='phone_exchange_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='phoneexchangeproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='phone_exchange_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='phoneexchangeproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='phone_exchange_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='phoneexchangeproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='phone_exchange_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='phoneexchangeproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('brand',), name='one_open_phone_exchange_per_brand'),
        ),
        migrations.AddConstraint(
            model_name='phoneexchangeproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'pending'), ('sealed_credentials__isnull', True), _connector='OR'), name='phone_exchange_proposal_keeps_no_keys'),
        ),
        migrations.AddConstraint(
            model_name='phoneleg',
            constraint=models.UniqueConstraint(fields=('phone_call', 'leg_id'), name='a_leg_is_kept_once'),
        ),
        migrations.AddIndex(
            model_name='phonerecording',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at', 'id'], name='phone_recordings_due'),
        ),
        migrations.AddIndex(
            model_name='phonerecording',
            index=models.Index(condition=models.Q(('state', 'kept')), fields=['kept_at'], name='phone_recordings_kept'),
        ),
        migrations.AddIndex(
            model_name='phonerecording',
            index=models.Index(condition=models.Q(('sealed_for__isnull', False)), fields=['sealed_for'], name='phone_recordings_by_key'),
        ),
        migrations.AddConstraint(
            model_name='phonerecording',
            constraint=models.UniqueConstraint(fields=('phone_call', 'recording_id'), name='a_recording_is_kept_once'),
        ),
        migrations.AddConstraint(
            model_name='phonerecording',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'kept'), models.Q(('store_key', ''), _negated=True), ('kept_at__isnull', False)), models.Q(models.Q(('state', 'kept'), _negated=True), ('store_key', '')), _connector='OR'), name='a_kept_recording_has_its_file'),
        ),
        migrations.AddIndex(
            model_name='segment',
            index=models.Index(fields=['brand', '-id'], name='segments_by_brand'),
        ),
        migrations.AddConstraint(
            model_name='segment',
            constraint=models.UniqueConstraint(condition=models.Q(('archived_at__isnull', True)), fields=('brand', 'name'), name='segment_name_is_unique_in_its_brand'),
        ),
        migrations.AddConstraint(
            model_name='segment',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['rule', 'list'])), name='segment_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='segment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('condition__isnull', False), ('kind', 'rule')), models.Q(('condition__isnull', True), ('kind', 'list')), _connector='OR'), name='segment_by_conditions_has_them'),
        ),
        migrations.AddIndex(
            model_name='segmentmember',
            index=models.Index(condition=models.Q(('left_at__isnull', True)), fields=['client', 'segment'], name='segments_of_a_client'),
        ),
        migrations.AddIndex(
            model_name='segmentmember',
            index=models.Index(fields=['segment', '-entered_at'], name='segment_entries_by_time'),
        ),
        migrations.AddIndex(
            model_name='segmentmember',
            index=models.Index(condition=models.Q(('left_at__isnull', False)), fields=['segment', '-left_at'], name='segment_leavings_by_time'),
        ),
        migrations.AddConstraint(
            model_name='segmentmember',
            constraint=models.UniqueConstraint(condition=models.Q(('left_at__isnull', True)), fields=('segment', 'client'), name='a_record_is_in_a_segment_once'),
        ),
        migrations.AddConstraint(
            model_name='segmentmember',
            constraint=models.CheckConstraint(condition=models.Q(('left_at__isnull', True), ('left_at__gte', models.F('entered_at')), _connector='OR'), name='segment_member_leaves_after_entering'),
        ),
        migrations.AddIndex(
            model_name='sentattachment',
            index=models.Index(fields=['sealed_for'], name='sent_attachments_by_key'),
        ),
        migrations.AddIndex(
            model_name='sentattachment',
            index=models.Index(fields=['store_key'], name='sent_attachments_by_file'),
        ),
        migrations.AddConstraint(
            model_name='sentattachment',
            constraint=models.UniqueConstraint(fields=('message', 'number'), name='a_sent_attachment_is_kept_once'),
        ),
        migrations.AddConstraint(
            model_name='sentattachment',
            constraint=models.CheckConstraint(condition=models.Q(('store_key', ''), _negated=True), name='a_sent_attachment_has_its_file'),
        ),
        migrations.AddConstraint(
            model_name='signincountry',
            constraint=models.UniqueConstraint(fields=('client', 'day', 'country'), name='sign_ins_of_a_day_and_country_are_counted_together'),
        ),
        migrations.AddConstraint(
            model_name='signincountry',
            constraint=models.CheckConstraint(condition=models.Q(('country__regex', '^[A-Z]{2}$')), name='sign_in_country_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='signincountry',
            constraint=models.CheckConstraint(condition=models.Q(('times__gt', 0)), name='sign_ins_are_counted_from_one'),
        ),
        migrations.AddIndex(
            model_name='suppression',
            index=models.Index(fields=['brand', '-added_at', '-id'], name='suppressions_by_brand'),
        ),
        migrations.AddConstraint(
            model_name='suppression',
            constraint=models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('brand', 'address', 'reason'), name='an_address_is_suppressed_once_per_reason'),
        ),
        migrations.AddConstraint(
            model_name='suppression',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lift_reason', ''), ('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False), models.Q(('lift_reason', ''), _negated=True)), _connector='OR'), name='a_lifted_suppression_says_by_whom_and_why'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('done_at__isnull', True)), fields=['assignee', 'due_at', 'id'], name='tasks_open'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('done_at__isnull', False)), fields=['assignee', '-done_at'], name='tasks_done'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(fields=['client', 'due_at'], name='tasks_by_client'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', True), ('done_by__isnull', True)), models.Q(('done_at__isnull', False), ('done_by__isnull', False)), _connector='OR'), name='done_task_says_who_and_when'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='task_has_a_title'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(('remind_before_minutes__lte', 10080)), name='task_reminds_a_week_before_at_most'),
        ),
        migrations.AddIndex(
            model_name='timelineentry',
            index=models.Index(fields=['client', '-at', '-id'], name='timeline_by_client'),
        ),
        migrations.AddConstraint(
            model_name='timelineentry',
            constraint=models.UniqueConstraint(condition=models.Q(('dedupe_key', ''), _negated=True), fields=('client', 'dedupe_key'), name='timeline_tells_a_thing_once'),
        ),
        migrations.AlterField(
            model_name='timelineentry',
            name='kind',
            field=models.CharField(choices=[('call', 'Call'), ('email', 'E-mail'), ('chat', 'Chat'), ('text', 'SMS and WhatsApp'), ('note', 'Note'), ('task', 'Task'), ('stage', 'Stage'), ('lead', 'Lead'), ('document', 'Document'), ('payment', 'Payment'), ('trading', 'Trading'), ('compliance', 'Compliance'), ('partner', 'Partner'), ('ticket', 'Ticket')], max_length=12),
        ),
        migrations.CreateModel(
            name='TextService',
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
                ('sms_number', models.CharField(blank=True, help_text='E.164: SMS come from it and go to it', max_length=20)),
                ('whatsapp_number', models.CharField(blank=True, help_text='E.164, registered with WhatsApp', max_length=20)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='TextMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed', models.BinaryField(help_text="Under the instance's key, while no client is known", null=True)),
                ('for_client', models.BinaryField(help_text='Under the key of `sealed_for`', null=True)),
                ('state', models.CharField(choices=[('received', 'Received'), ('queued', 'Waiting'), ('sending', 'Sending'), ('unknown', 'Outcome unknown'), ('sent', 'Sent'), ('delivered', 'Delivered'), ('read', 'Read'), ('undelivered', 'Not delivered'), ('failed', 'Failed'), ('undone', 'Not sent')], default='queued', max_length=12)),
                ('reference', models.CharField(default=clients.models.texting.new_text_reference, max_length=32, unique=True)),
                ('remote_id', models.CharField(blank=True, help_text="The service's id; empty until known", max_length=80)),
                ('template', models.CharField(blank=True, help_text='Key of its text; empty: free text', max_length=60)),
                ('content_id', models.CharField(blank=True, help_text='The approved WhatsApp template it is sent as', max_length=40)),
                ('content_values', models.BinaryField(help_text="Its values, under the client's key", null=True)),
                ('is_marketing', models.BooleanField(default=False)),
                ('segments', models.PositiveSmallIntegerField(default=1, help_text='As how many SMS it is billed')),
                ('files', models.PositiveSmallIntegerField(default=0, help_text='How many came with it')),
                ('dedupe_key', models.CharField(blank=True, max_length=120)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('sent_at', models.DateTimeField(help_text='When it was handed to the service', null=True)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField(help_text='When to send it, or to look it up', null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('sealed_for', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('sender', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='clients.textservice')),
            ],
            options={
                'ordering': ['created_at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='TextEvent',
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
                ('text_message', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='clients.textmessage')),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='clients.textservice')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='TextServiceProposal',
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
                ('sms_number', models.CharField(blank=True, max_length=20)),
                ('whatsapp_number', models.CharField(blank=True, max_length=20)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand')),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='clients.textservice')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='TextThread',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed', models.BinaryField(help_text="Under the instance's key, while no client is known", null=True)),
                ('for_client', models.BinaryField(help_text='Under the key of `sealed_for`', null=True)),
                ('channel', models.CharField(choices=[('sms', 'SMS'), ('whatsapp', 'WhatsApp')], max_length=8)),
                ('number_mark', models.BinaryField(help_text="Empty after the client's erasure", null=True)),
                ('awaits_reply', models.BooleanField(default=False, help_text="The client wrote last, and a person hasn't replied")),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_received_at', models.DateTimeField(help_text='WhatsApp takes free text for 24 hours after it', null=True)),
                ('discarded_at', models.DateTimeField(null=True)),
                ('discard_reason', models.CharField(blank=True, max_length=300)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='text_threads', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='text_threads', to='clients.client')),
                ('discarded_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sealed_for', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
            ],
            options={
                'ordering': ['-last_at', '-id'],
            },
        ),
        migrations.AddField(
            model_name='textmessage',
            name='thread',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='clients.textthread'),
        ),
        migrations.CreateModel(
            name='TextFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('remote_id', models.CharField(help_text="The service's", max_length=80)),
                ('state', models.CharField(choices=[('waiting', 'Being fetched'), ('kept', 'Available'), ('failed', 'Not available')], default='waiting', max_length=8)),
                ('name', models.CharField(blank=True, max_length=120)),
                ('content_type', models.CharField(blank=True, max_length=100)),
                ('size_bytes', models.PositiveBigIntegerField(default=0)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('store_key', models.CharField(blank=True, max_length=32)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_at', models.DateTimeField(help_text='When to fetch it', null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('message', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='clients.textmessage')),
                ('sealed_for', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
            ],
            options={
                'ordering': ['number'],
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at', 'id'], name='text_files_due'), models.Index(condition=models.Q(('sealed_for__isnull', False)), fields=['sealed_for'], name='text_files_by_key'), models.Index(condition=models.Q(('store_key', ''), _negated=True), fields=['store_key'], name='text_files_by_file')],
                'constraints': [models.UniqueConstraint(fields=('message', 'remote_id'), name='a_text_file_is_kept_once'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'kept'), models.Q(('store_key', ''), _negated=True)), models.Q(models.Q(('state', 'kept'), _negated=True), ('store_key', '')), _connector='OR'), name='a_kept_text_file_has_its_file')],
            },
        ),
        migrations.CreateModel(
            name='TextOptOut',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('sms', 'SMS'), ('whatsapp', 'WhatsApp')], max_length=8)),
                ('number_mark', models.BinaryField()),
                ('reason', models.CharField(choices=[('stop', 'Replied STOP'), ('refused', 'Opted out at the service'), ('manual', 'Added manually')], max_length=8)),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('lifted_at', models.DateTimeField(null=True)),
                ('lift_reason', models.CharField(blank=True, max_length=300)),
                ('added_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='text_opt_outs', to='crm.brand')),
                ('lifted_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-added_at', '-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('brand', 'channel', 'number_mark', 'reason'), name='a_number_opts_out_once_per_reason'), models.CheckConstraint(condition=models.Q(models.Q(('lift_reason', ''), ('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lifted_at__isnull', False), models.Q(('lift_reason', ''), _negated=True)), _connector='OR'), name='a_lifted_opt_out_says_why')],
            },
        ),
        migrations.AddConstraint(
            model_name='textservice',
            constraint=models.UniqueConstraint(condition=models.Q(('is_enabled', True)), fields=('brand',), name='a_brand_uses_one_text_service'),
        ),
        migrations.AddConstraint(
            model_name='textservice',
            constraint=models.CheckConstraint(condition=models.Q(('sms_number', ''), ('whatsapp_number', ''), _negated=True), name='text_service_has_a_number'),
        ),
        migrations.AddIndex(
            model_name='textevent',
            index=models.Index(fields=['connection', '-id'], name='text_events_by_service'),
        ),
        migrations.AddIndex(
            model_name='textevent',
            index=models.Index(fields=['connection', 'subject_id'], name='text_events_by_subject'),
        ),
        migrations.AddIndex(
            model_name='textevent',
            index=models.Index(condition=models.Q(('text_message__isnull', False)), fields=['text_message'], name='text_events_by_message'),
        ),
        migrations.AddIndex(
            model_name='textevent',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['due_at', 'id'], name='text_events_due'),
        ),
        migrations.AddConstraint(
            model_name='textevent',
            constraint=models.UniqueConstraint(condition=models.Q(('verdict', 'accepted')), fields=('connection', 'message_id'), name='a_text_event_is_accepted_once'),
        ),
        migrations.AddConstraint(
            model_name='textevent',
            constraint=models.CheckConstraint(condition=models.Q(('verdict', 'accepted'), ('state__in', ['received', 'refused']), _connector='OR'), name='only_an_accepted_text_event_is_acted_on'),
        ),
        migrations.AddIndex(
            model_name='textserviceproposal',
            index=models.Index(fields=['brand', '-id'], name='text_service_proposals'),
        ),
        migrations.AddConstraint(
            model_name='textserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='text_service_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='textserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='text_service_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='textserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='text_service_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='textserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='text_service_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='textserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='text_service_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='textserviceproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('brand',), name='one_open_text_service_per_brand'),
        ),
        migrations.AddConstraint(
            model_name='textserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'pending'), ('sealed_credentials__isnull', True), _connector='OR'), name='text_service_proposal_keeps_no_keys'),
        ),
        migrations.AddIndex(
            model_name='textthread',
            index=models.Index(fields=['client', '-last_at', '-id'], name='text_threads_by_client'),
        ),
        migrations.AddIndex(
            model_name='textthread',
            index=models.Index(fields=['-last_at', '-id'], name='text_threads_by_time'),
        ),
        migrations.AddIndex(
            model_name='textthread',
            index=models.Index(condition=models.Q(('client__isnull', True)), fields=['-last_at', '-id'], name='text_threads_unassigned'),
        ),
        migrations.AddIndex(
            model_name='textthread',
            index=models.Index(condition=models.Q(('sealed_for__isnull', False)), fields=['sealed_for'], name='text_threads_by_key'),
        ),
        migrations.AddConstraint(
            model_name='textthread',
            constraint=models.UniqueConstraint(fields=('brand', 'channel', 'number_mark'), name='a_number_has_one_text_thread'),
        ),
        migrations.AddConstraint(
            model_name='textthread',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('discard_reason', ''), ('discarded_at__isnull', True), ('discarded_by__isnull', True)), models.Q(('discarded_at__isnull', False), ('discarded_by__isnull', False), models.Q(('discard_reason', ''), _negated=True)), _connector='OR'), name='a_discarded_text_thread_says_by_whom_and_why'),
        ),
        migrations.AddConstraint(
            model_name='textthread',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('for_client__isnull', False), ('sealed__isnull', True), ('sealed_for__isnull', False)), models.Q(('for_client__isnull', True), ('sealed__isnull', False), ('sealed_for__isnull', True)), _connector='OR'), name='text_thread_is_sealed_under_one_key'),
        ),
        migrations.AddIndex(
            model_name='textmessage',
            index=models.Index(fields=['thread', '-created_at', '-id'], name='text_messages_by_thread'),
        ),
        migrations.AddIndex(
            model_name='textmessage',
            index=models.Index(fields=['service', '-id'], name='text_messages_by_service'),
        ),
        migrations.AddIndex(
            model_name='textmessage',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at', 'id'], name='text_messages_due'),
        ),
        migrations.AddIndex(
            model_name='textmessage',
            index=models.Index(condition=models.Q(('sealed_for__isnull', False)), fields=['sealed_for'], name='text_messages_by_key'),
        ),
        migrations.AddConstraint(
            model_name='textmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('remote_id', ''), _negated=True), fields=('service', 'remote_id'), name='a_text_message_is_kept_once'),
        ),
        migrations.AddConstraint(
            model_name='textmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('dedupe_key', ''), _negated=True), fields=('thread', 'dedupe_key'), name='a_text_message_is_sent_once'),
        ),
        migrations.AddConstraint(
            model_name='textmessage',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'sending', 'sent', 'unknown']), ('due_at__isnull', True), _connector='OR'), name='only_an_open_text_message_is_due'),
        ),
        migrations.AddConstraint(
            model_name='textmessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('for_client__isnull', False), ('sealed__isnull', True), ('sealed_for__isnull', False)), models.Q(('for_client__isnull', True), ('sealed__isnull', False), ('sealed_for__isnull', True)), _connector='OR'), name='text_message_is_sealed_under_one_key'),
        ),
        migrations.AlterField(
            model_name='incomingmail',
            name='matched_by',
            field=models.CharField(blank=True, choices=[('reference', 'Reply to our e-mail'), ('token', 'Reply address of the thread'), ('chain', 'Earlier e-mail of the thread'), ('address', 'Proved address of the client'), ('person', 'Assigned manually'), ('lead', 'Lead captured from it')], max_length=10),
        ),
        migrations.CreateModel(
            name='MailService',
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
            ],
            options={
                'ordering': ['brand_id', 'name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='MailServiceEvent',
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
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='MailServiceProposal',
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
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddIndex(
            model_name='textoptout',
            index=models.Index(fields=['brand', '-added_at'], name='text_opt_outs_by_brand'),
        ),
        migrations.AddField(
            model_name='mailservice',
            name='brand',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand'),
        ),
        migrations.AddField(
            model_name='mailserviceevent',
            name='connection',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='clients.mailservice'),
        ),
        migrations.AddField(
            model_name='mailserviceproposal',
            name='brand',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand'),
        ),
        migrations.AddField(
            model_name='mailserviceproposal',
            name='connection',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='clients.mailservice'),
        ),
        migrations.AddField(
            model_name='mailserviceproposal',
            name='decided_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='mailserviceproposal',
            name='requested_by',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='mailservice',
            constraint=models.UniqueConstraint(condition=models.Q(('is_enabled', True)), fields=('brand',), name='a_brand_uses_one_mail_service'),
        ),
        migrations.AddIndex(
            model_name='mailserviceevent',
            index=models.Index(fields=['connection', '-id'], name='mail_service_events_by_service'),
        ),
        migrations.AddIndex(
            model_name='mailserviceevent',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['due_at', 'id'], name='mail_service_events_due'),
        ),
        migrations.AddConstraint(
            model_name='mailserviceevent',
            constraint=models.UniqueConstraint(condition=models.Q(('verdict', 'accepted')), fields=('connection', 'message_id'), name='a_mail_service_event_is_accepted_once'),
        ),
        migrations.AddConstraint(
            model_name='mailserviceevent',
            constraint=models.CheckConstraint(condition=models.Q(('verdict', 'accepted'), ('state__in', ['received', 'refused']), _connector='OR'), name='only_an_accepted_mail_service_event_is_acted_on'),
        ),
        migrations.AddIndex(
            model_name='mailserviceproposal',
            index=models.Index(fields=['brand', '-id'], name='mail_service_proposals'),
        ),
        migrations.AddConstraint(
            model_name='mailserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='mail_service_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='mailserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='mail_service_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='mailserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='mail_service_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='mailserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='mail_service_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='mailserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='mail_service_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='mailserviceproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('brand',), name='one_open_mail_service_per_brand'),
        ),
        migrations.AddConstraint(
            model_name='mailserviceproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'pending'), ('sealed_credentials__isnull', True), _connector='OR'), name='mail_service_proposal_keeps_no_keys'),
        ),
    ]

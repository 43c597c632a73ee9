import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from crm.db.migration_operations import AtOnce
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clients', '0001_initial'),
        ('crm', '0002_access_log'),
    ]

    operations = [
        AtOnce([
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
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calls', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='clients.client')),
            ],
            options={
                'ordering': ['-started_at', '-id'],
                'indexes': [models.Index(fields=['client', '-started_at'], name='calls_by_client'), models.Index(fields=['agent', '-started_at'], name='calls_by_agent')],
                'constraints': [models.CheckConstraint(condition=models.Q(('duration_seconds__lte', 86400)), name='call_lasts_a_day_at_most')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalMailTemplate',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('key', models.CharField(help_text='Which letter, e.g. leads.registration_link', max_length=60)),
                ('language', models.CharField(max_length=8)),
                ('subject', models.CharField(max_length=160)),
                ('body', models.TextField(help_text='Plain text; an empty line starts a paragraph; {{ first_name }} fills in')),
                ('is_active', models.BooleanField(default=True)),
                ('changed_at', models.DateTimeField(blank=True, editable=False)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='crm.brand')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical mail template',
                'verbose_name_plural': 'historical mail templates',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='MailTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='Which letter, e.g. leads.registration_link', max_length=60)),
                ('language', models.CharField(max_length=8)),
                ('subject', models.CharField(max_length=160)),
                ('body', models.TextField(help_text='Plain text; an empty line starts a paragraph; {{ first_name }} fills in')),
                ('is_active', models.BooleanField(default=True)),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mail_templates', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'key', 'language'],
                'permissions': [('manage_mail_templates', 'May change the texts of letters to clients')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('brand', 'key', 'language'), name='one_active_text_per_brand_letter_and_language')],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('template', models.CharField(blank=True, help_text='Empty: written by hand', max_length=60)),
                ('language', models.CharField(max_length=8)),
                ('to_address', models.EmailField(max_length=254)),
                ('subject', models.CharField(max_length=200)),
                ('body', models.TextField()),
                ('secret', models.BinaryField(help_text='Encrypted values for the letter; removed once it is sent', null=True)),
                ('state', models.CharField(choices=[('queued', 'Waiting'), ('sending', 'Being sent'), ('sent', 'Sent'), ('failed', 'Failed')], default='queued', max_length=8)),
                ('dedupe_key', models.CharField(blank=True, max_length=120)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='clients.client')),
                ('sender', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['client', '-id'], name='messages_by_client'), models.Index(condition=models.Q(('state__in', ['queued', 'sending'])), fields=['due_at'], name='messages_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('dedupe_key', ''), _negated=True), fields=('client', 'dedupe_key'), name='a_letter_is_sent_once'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at__isnull', False), _connector='OR'), name='sent_message_has_a_time')],
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
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='clients.client')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['client', '-id'], name='notes_by_client'), models.Index(condition=models.Q(('is_pinned', True)), fields=['client'], name='notes_pinned')],
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
                ('note', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='clients.note')),
            ],
            options={
                'ordering': ['note_id', '-number'],
                'constraints': [models.UniqueConstraint(fields=('note', 'number'), name='note_version_has_its_own_number')],
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
                ('assignee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='clients.client')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['due_at', 'id'],
                'indexes': [models.Index(condition=models.Q(('done_at__isnull', True)), fields=['assignee', 'due_at', 'id'], name='tasks_open'), models.Index(condition=models.Q(('done_at__isnull', False)), fields=['assignee', '-done_at'], name='tasks_done'), models.Index(fields=['client', 'due_at'], name='tasks_by_client')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', True), ('done_by__isnull', True)), models.Q(('done_at__isnull', False), ('done_by__isnull', False)), _connector='OR'), name='done_task_says_who_and_when'), models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='task_has_a_title')],
            },
        ),
        migrations.AlterModelOptions(
            name='client',
            options={'ordering': ['-id'], 'permissions': [('reveal_contact', "May reveal a client's phone and e-mail, one by one, each logged"), ('export_client', 'May export client lists'), ('move_client', 'May move clients between books'), ('log_call', 'May log calls and notes'), ('close_client', "May close a client's record")]},
        ),
        migrations.RemoveIndex(
            model_name='client',
            name='clients_by_country',
        ),
        migrations.AddField(
            model_name='client',
            name='campaign',
            field=models.CharField(blank=True, help_text="The code of the first lead's campaign", max_length=60),
        ),
        migrations.AddField(
            model_name='client',
            name='email_canonical',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.expressions.RawSQL("\nCASE WHEN split_part(split_part(lower(email), '@', 1), '+', 1) = '' THEN lower(email)\n     WHEN split_part(lower(email), '@', 2) IN ('gmail.com', 'googlemail.com')\n     THEN replace(split_part(split_part(lower(email), '@', 1), '+', 1), '.', '') || '@gmail.com'\n     ELSE split_part(split_part(lower(email), '@', 1), '+', 1) || '@' || split_part(lower(email), '@', 2) END\n", ()), output_field=models.CharField(max_length=254)),
        ),
        migrations.AddField(
            model_name='client',
            name='source',
            field=models.CharField(blank=True, help_text='Where the first lead came from, e.g. google', max_length=60),
        ),
        migrations.AddField(
            model_name='historicalclient',
            name='campaign',
            field=models.CharField(blank=True, help_text="The code of the first lead's campaign", max_length=60),
        ),
        migrations.AddField(
            model_name='historicalclient',
            name='source',
            field=models.CharField(blank=True, help_text='Where the first lead came from, e.g. google', max_length=60),
        ),
        migrations.AlterField(
            model_name='client',
            name='last_contact_at',
            field=models.DateTimeField(blank=True, help_text='Last call, or mail written by a person', null=True),
        ),
        migrations.RemoveIndex(
            model_name='client',
            name='clients_search',
        ),
        migrations.RemoveField(
            model_name='client',
            name='search_text',
        ),
        migrations.AddField(
            model_name='client',
            name='search_text',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.expressions.RawSQL("lower(first_name || ' ' || last_name || ' ' || email || ' ' || phone || ' #' || (id)::text)", ()), output_field=models.TextField()),
        ),
        migrations.AddIndex(
            model_name='client',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search_text'], name='clients_search', opclasses=['gin_trgm_ops']),
        ),
        migrations.AlterField(
            model_name='historicalclient',
            name='last_contact_at',
            field=models.DateTimeField(blank=True, help_text='Last call, or mail written by a person', null=True),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(fields=['country', '-id'], name='clients_by_country'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('email', ''), _negated=True), fields=['brand', 'email_canonical'], name='clients_by_mailbox'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('campaign', ''), _negated=True), fields=['campaign', '-id'], name='clients_by_campaign'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('source', ''), _negated=True), fields=['source', '-id'], name='clients_by_source'),
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
            index=models.Index(condition=models.Q(('stage', 'lead')), fields=['book', 'sales_status', '-id'], name='leads_by_book_status'),
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
        migrations.AddConstraint(
            model_name='client',
            constraint=models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower('email'))), name='client_email_is_lower_case'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='noteversion',
            trigger=pgtrigger.compiler.Trigger(name='note_version_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'note_version is append-only: write a new row instead';", hash='5dbab7bfc8db3eb38b697e91711719c1ec42d559', operation='UPDATE OR DELETE', pgid='pgtrigger_note_version_no_change_cf085', table='clients_noteversion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='noteversion',
            trigger=pgtrigger.compiler.Trigger(name='note_version_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'note_version is append-only: write a new row instead';", hash='63fbce63111c1bc0532f93d129d0440020121a79', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_note_version_no_truncate_af648', table='clients_noteversion', when='BEFORE')),
        ),
        ]),
    ]

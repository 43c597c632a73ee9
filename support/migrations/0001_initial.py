
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from crm.db.migration_operations import sql_files
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('crm', '0001_initial'),
        ('clients', '0002_sql'),
        ('crm', '0002_sql'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='TicketNumber',
            fields=[
                ('brand', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='crm.brand')),
                ('last', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='SupportFacts',
            fields=[
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='%(app_label)s_facts', serialize=False, to='clients.client')),
                ('tickets_awaiting_us', models.PositiveIntegerField(db_default=0)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('tickets_awaiting_us__gt', 0)), fields=['tickets_awaiting_us'], name='facts_by_tickets')],
            },
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(help_text='Counted per brand')),
                ('subject', models.CharField(max_length=160)),
                ('category', models.CharField(choices=[('account', 'Account and sign-in'), ('verification', 'Verification and documents'), ('deposit', 'Deposit'), ('withdrawal', 'Withdrawal'), ('trading', 'Trading and orders'), ('platform', 'Trading platform'), ('partner', 'Partner programme'), ('complaint', 'Complaint'), ('other', 'Other')], default='other', max_length=12)),
                ('channel', models.CharField(choices=[('portal', 'Client portal'), ('email', 'E-mail'), ('phone', 'Phone'), ('chat', 'Chat')], default='portal', max_length=6)),
                ('state', models.CharField(choices=[('new', 'New'), ('open', 'Open'), ('pending', 'Awaiting client'), ('solved', 'Solved'), ('closed', 'Closed'), ('merged', 'Merged')], default='new', max_length=8)),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_at', models.DateTimeField(default=django.utils.timezone.now, help_text='Of the newest message that the client reads or wrote')),
                ('first_reply_due_at', models.DateTimeField()),
                ('first_replied_at', models.DateTimeField(null=True)),
                ('pending_since', models.DateTimeField(help_text='The resolution clock is paused', null=True)),
                ('solved_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('reopened', models.PositiveSmallIntegerField(default=0)),
                ('is_reply_late', models.BooleanField(default=False)),
                ('is_solution_late', models.BooleanField(default=False)),
                ('rating', models.PositiveSmallIntegerField(help_text='1 to 5, by the client', null=True)),
                ('rating_sealed', models.BinaryField(help_text="The client's comment, under the key of `rating_sealed_for`", null=True)),
                ('rated_at', models.DateTimeField(null=True)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('chat', models.OneToOneField(help_text='The chat that it was opened from', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ticket', to='clients.chat')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='clients.client')),
                ('first_replied_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('follows', models.ForeignKey(help_text='The closed ticket it continues', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='follow_ups', to='support.ticket')),
                ('merged_into', models.ForeignKey(help_text='Which shows its messages too', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged', to='support.ticket')),
                ('opened_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rating_sealed_for', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('solved_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('thread', models.OneToOneField(help_text='Its e-mails, once there are any', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='ticket', to='clients.mailthread')),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='ticket', to='crm.workitem')),
            ],
            options={
                'ordering': ['-opened_at', '-id'],
                'permissions': [('work_ticket', 'May reply to tickets, solve and assign them'), ('report_tickets', 'May see how quickly and how well tickets are answered')],
            },
        ),
        migrations.CreateModel(
            name='TicketMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('reply', 'Reply'), ('note', 'Internal note')], max_length=5)),
                ('is_from_client', models.BooleanField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('text_sealed', models.BinaryField()),
                ('author', models.ForeignKey(db_index=False, help_text='NULL: an e-mail', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('incoming', models.OneToOneField(help_text='The e-mail it came as', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ticket_message', to='clients.incomingmail')),
                ('sealed_for', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('sent', models.OneToOneField(help_text='The e-mail it went out as', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ticket_message', to='clients.message')),
                ('ticket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='support.ticket')),
            ],
            options={
                'ordering': ['at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='TicketFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=120)),
                ('content_type', models.CharField(max_length=100)),
                ('size_bytes', models.PositiveIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('store_key', models.CharField(max_length=32, unique=True)),
                ('sealed_for', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('message', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='files', to='support.ticketmessage')),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='Macro',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('text', models.TextField()),
                ('then', models.CharField(blank=True, choices=[('new', 'New'), ('open', 'Open'), ('pending', 'Awaiting client'), ('solved', 'Solved'), ('closed', 'Closed'), ('merged', 'Merged')], max_length=8)),
                ('category', models.CharField(blank=True, choices=[('account', 'Account and sign-in'), ('verification', 'Verification and documents'), ('deposit', 'Deposit'), ('withdrawal', 'Withdrawal'), ('trading', 'Trading and orders'), ('platform', 'Trading platform'), ('partner', 'Partner programme'), ('complaint', 'Complaint'), ('other', 'Other')], max_length=12)),
                ('is_active', models.BooleanField(default=True)),
                ('assign_to', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'name'],
                'permissions': [('manage_macro', "May write a brand's macros for tickets")],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('name'), models.F('brand'), name='a_macro_has_its_name_in_the_brand'), models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('text', ''), _negated=True)), name='macro_has_name_and_text'), models.CheckConstraint(condition=models.Q(('then__in', ['', 'open', 'pending', 'solved'])), name='macro_goes_on_or_solves')],
            },
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(fields=['client', '-last_at', '-id'], name='tickets_by_client'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(fields=['-last_at', '-id'], name='tickets_by_time'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(fields=['-opened_at', '-id'], name='tickets_by_opening'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(condition=models.Q(('state__in', ('new', 'open', 'pending'))), fields=['state', '-last_at', '-id'], name='tickets_unsolved'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.UniqueConstraint(fields=('brand', 'number'), name='a_ticket_has_its_number_in_the_brand'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['solved', 'closed']), ('solved_at__isnull', False)), models.Q(models.Q(('state__in', ['solved', 'closed']), _negated=True), ('solved_at__isnull', True)), _connector='OR'), name='solved_ticket_says_when'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('state', 'closed')), models.Q(models.Q(('state', 'closed'), _negated=True), ('closed_at__isnull', True)), _connector='OR'), name='closed_ticket_says_when'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('pending_since__isnull', False), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('pending_since__isnull', True)), _connector='OR'), name='clock_is_paused_while_client_is_awaited'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rated_at__isnull', True), ('rating__isnull', True), ('rating_sealed__isnull', True)), models.Q(('rated_at__isnull', False), ('rating__gte', 1), ('rating__isnull', False), ('rating__lte', 5)), _connector='OR'), name='ticket_rating_is_one_to_five'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(('rating_sealed__isnull', True), ('rating_sealed_for__isnull', False), _connector='OR'), name='ticket_rating_says_whose_key'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(('subject', ''), _negated=True), name='ticket_has_a_subject'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('merged_into__isnull', False), ('state', 'merged')), models.Q(models.Q(('state', 'merged'), _negated=True), ('merged_into__isnull', True)), _connector='OR'), name='merged_ticket_says_into_which'),
        ),
        migrations.AddIndex(
            model_name='ticketmessage',
            index=models.Index(fields=['ticket', '-at', '-id'], name='ticket_messages_by_ticket'),
        ),
        migrations.AddIndex(
            model_name='ticketmessage',
            index=models.Index(fields=['sealed_for'], name='ticket_messages_by_key'),
        ),
        migrations.AddConstraint(
            model_name='ticketmessage',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'reply'), models.Q(('incoming__isnull', True), ('is_from_client', False), ('sent__isnull', True)), _connector='OR'), name='ticket_note_is_never_sent'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticketmessage',
            trigger=pgtrigger.compiler.Trigger(name='ticket_message_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'ticket_message is append-only: write a new row instead';", hash='0917b517d586970f05f8f62daebe2c0795db5949', operation='UPDATE OR DELETE', pgid='pgtrigger_ticket_message_no_change_2277b', table='support_ticketmessage', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticketmessage',
            trigger=pgtrigger.compiler.Trigger(name='ticket_message_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'ticket_message is append-only: write a new row instead';", hash='e80bbdc66dd10fafb5d63a2dbc2159d377c46129', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_ticket_message_no_truncate_efd07', table='support_ticketmessage', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='ticketfile',
            index=models.Index(fields=['sealed_for'], name='ticket_files_by_key'),
        ),
        migrations.AddConstraint(
            model_name='ticketfile',
            constraint=models.UniqueConstraint(fields=('message', 'number'), name='a_ticket_file_has_its_place'),
        ),
        migrations.AddConstraint(
            model_name='ticketfile',
            constraint=models.CheckConstraint(condition=models.Q(('size_bytes__gt', 0), models.Q(('store_key', ''), _negated=True)), name='ticket_file_has_content'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticketfile',
            trigger=pgtrigger.compiler.Trigger(name='ticket_file_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND NEW.name IS NOT DISTINCT FROM 'erased' AND to_jsonb(NEW) - ARRAY['name'] = to_jsonb(OLD) - ARRAY['name'] AND EXISTS (SELECT FROM crm_subjectkey k WHERE k.client_id = OLD.sealed_for_id AND k.wrapped IS NULL) THEN RETURN NEW; END IF; RAISE EXCEPTION 'ticket_file is append-only: write a new row instead';", hash='eb606911c8e30366fc243a1cdf2d04880f30e410', operation='UPDATE OR DELETE', pgid='pgtrigger_ticket_file_no_change_0bbd4', table='support_ticketfile', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticketfile',
            trigger=pgtrigger.compiler.Trigger(name='ticket_file_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'ticket_file is append-only: write a new row instead';", hash='c3899151693564acb45cbecd0436bbb07eb4b469', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_ticket_file_no_truncate_4a4ea', table='support_ticketfile', when='BEFORE')),
        ),
        *sql_files("support", "erasure"),
    ]


import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.db.models.deletion
import monitoring.models
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('wallet', '0002_sql'),
        ('trading', '0002_sql_and_leverage_caps'),
        ('ib', '0001_initial'),
        ('clients', '0002_sql'),
        ('crm', '0001_initial'),
        ('crm', '0002_sql'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('in_review', 'In review'), ('decided', 'Decided')], default='open', max_length=10)),
                ('severity', models.CharField(choices=[('elevated', 'Elevated'), ('high', 'High'), ('severe', 'Severe')], max_length=8)),
                ('probability', models.FloatField()),
                ('rules', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), default=list, size=None)),
                ('reasons', models.JSONField(default=list, help_text='Codes with figures; `monitoring.reasons` turns them into text')),
                ('score', models.FloatField(default=0, help_text='How far the day stands out; days compete by it')),
                ('last_day', models.DateField(help_text='Last day of the case, where further days followed', null=True)),
                ('was_watched', models.BooleanField(default=False)),
                ('raised_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(help_text="When it should be reviewed, in the brand's working hours", null=True)),
                ('updated_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to=settings.AUTH_USER_MODEL)),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('desk', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.desk')),
                ('reviewer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('decide_alert', 'May review and decide alerts about agents'), ('view_baselines', "May see agents' baselines"), ('see_agent_names', "May see agents' names in monitoring instead of pseudonyms"), ('manage_watchlist', 'May manage the agent watchlist'), ('limit_agents', "May limit agents' exports, reveals and view of contact details for a time")],
            },
        ),
        migrations.CreateModel(
            name='Baseline',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('feature', models.CharField(choices=[('views', 'Client records opened'), ('clients', 'Different clients opened'), ('busiest_hour', 'Records opened in the busiest hour'), ('searches', 'Searches'), ('lists', 'Lists opened'), ('list_rows', 'Records shown in lists'), ('outside_views', 'Records opened outside own book'), ('outside_clients', 'Different clients outside own book'), ('outside_share', 'Share of records outside own book'), ('outside_silent', 'Clients outside own book opened without contact'), ('outside_silent_share', 'Share of clients outside own book opened without contact'), ('new_clients', 'Clients new to the agent and not in own book'), ('one_owner', 'Clients of one colleague'), ('dormant_views', 'Dormant clients opened'), ('dormant_share', 'Share of dormant clients'), ('high_value_outside', 'High-value clients outside own book'), ('high_value_share', 'Share of high-value clients'), ('money_looks', 'Records opened after a large deposit or withdrawal, outside own book'), ('silent_clients', 'Share of clients opened without contact'), ('silent_reveals', 'Share of revealed contacts without a call'), ('reveals', 'Contacts revealed'), ('reveals_without_call', 'Contacts revealed without a call that day'), ('reveal_share', 'Share of clients whose contact was revealed'), ('reveals_outside', 'Contacts revealed outside own book'), ('exports', 'Exports'), ('downloads', 'Documents opened'), ('prints', 'Prints'), ('off_hours', 'Actions outside working hours'), ('short_calls', 'Answered calls under 10 seconds'), ('calls', 'Calls'), ('calls_without_record', 'Calls without opening the record'), ('repeat_calls', 'Repeated calls to one client'), ('new_devices', 'New devices'), ('new_countries', 'New countries'), ('new_networks', 'New networks'), ('second_devices', 'Second device while a session is open'), ('steady_pace', 'Records opened at an even pace'), ('fast_steps', 'Records opened within 5 seconds of one another'), ('sequential', 'Records opened in the order of their numbers'), ('edits', 'Records changed'), ('edits_outside', 'Records changed outside own book')], max_length=24)),
                ('slow_count', models.FloatField(default=0)),
                ('slow_hours', models.FloatField(default=0)),
                ('fast_count', models.FloatField(default=0)),
                ('fast_hours', models.FloatField(default=0)),
                ('spread', models.FloatField(default=0, help_text='Sum of (x − μ)² − μ')),
                ('spread_weight', models.FloatField(default=0, help_text='Sum of μ²')),
                ('days', models.FloatField(default=0)),
                ('drift', models.FloatField(default=0, help_text='How far above the habit for weeks, in standard deviations added up')),
                ('through', models.DateField(help_text='Last day included')),
                ('agent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='baselines', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['agent_id', 'feature'],
            },
        ),
        migrations.CreateModel(
            name='Calibration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('family', models.CharField(help_text='A family and window such as reach:5, or overall', max_length=32)),
                ('fitted_on', models.DateField()),
                ('threshold', models.FloatField(help_text='−log₁₀ p exceeded by 2 % of days')),
                ('scale', models.FloatField()),
                ('agent_days', models.PositiveIntegerField()),
            ],
            options={
                'ordering': ['family', '-fitted_on'],
                'constraints': [models.UniqueConstraint(fields=('family', 'fitted_on'), name='one_calibration_per_family_and_day'), models.CheckConstraint(condition=models.Q(('scale__gt', 0)), name='calibration_scale_is_positive')],
            },
        ),
        migrations.CreateModel(
            name='ConfirmationProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('text', models.CharField(max_length=2000)),
                ('alert', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='confirmations', to='monitoring.alert')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='DayScore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('expected', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ('dispersion', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ('feature_p', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ('slow_mean', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), default=list, size=None)),
                ('lane_p', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), default=list, size=None)),
                ('omnibus', models.FloatField(default=1)),
                ('family_p', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ('probability', models.FloatField()),
                ('is_final', models.BooleanField(default=False, help_text='The day is complete and included')),
                ('scored_at', models.DateTimeField()),
                ('agent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='day_scores', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['agent_id', 'day'],
            },
        ),
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.CharField(choices=[('task', 'Explained: a task or campaign'), ('change', 'Explained: another role, desk or shift'), ('no_concern', 'No concern'), ('reminder', 'Policy reminder given'), ('confirmed', 'Misuse confirmed'), ('escalated', 'Escalated to compliance')], max_length=12)),
                ('text', models.TextField()),
                ('decided_at', models.DateTimeField()),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('alert', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='monitoring.alert')),
                ('reviewer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('second', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Escalation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Open'), ('no_action', 'No further action'), ('measures', 'Disciplinary measures'), ('reported', 'Reported to the authority')], default='open', max_length=10)),
                ('raised_at', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=2000)),
                ('decided_at', models.DateTimeField(null=True)),
                ('agent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('alert', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='escalation', to='monitoring.alert')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('raised_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.workitem')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('decide_escalation', 'May decide alerts that were escalated to the reporting officer')],
            },
        ),
        migrations.CreateModel(
            name='Explanation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('question', models.CharField(max_length=1000)),
                ('due_on', models.DateField()),
                ('asked_at', models.DateTimeField()),
                ('answer', models.CharField(blank=True, max_length=4000)),
                ('answered_at', models.DateTimeField(null=True)),
                ('agent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('alert', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='explanations', to='monitoring.alert')),
                ('asked_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Watch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('notice', 'Leaving'), ('role_change', 'Changing role'), ('privileged', 'Privileged access'), ('new_joiner', 'New joiner')], max_length=12)),
                ('from_on', models.DateField()),
                ('to_on', models.DateField()),
                ('reason', models.CharField(max_length=200)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='watches', to=settings.AUTH_USER_MODEL)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='AgentDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('views', models.PositiveIntegerField(default=0)),
                ('clients', models.PositiveIntegerField(default=0)),
                ('busiest_hour', models.PositiveIntegerField(default=0)),
                ('searches', models.PositiveIntegerField(default=0)),
                ('outside_views', models.PositiveIntegerField(default=0)),
                ('outside_clients', models.PositiveIntegerField(default=0)),
                ('dormant_views', models.PositiveIntegerField(default=0)),
                ('reveals', models.PositiveIntegerField(default=0)),
                ('reveals_without_call', models.PositiveIntegerField(default=0)),
                ('calls', models.PositiveIntegerField(default=0)),
                ('lists', models.PositiveIntegerField(default=0)),
                ('list_rows', models.PositiveIntegerField(default=0)),
                ('outside_silent', models.PositiveIntegerField(default=0)),
                ('silent_clients', models.PositiveIntegerField(default=0)),
                ('odd_hours', models.PositiveSmallIntegerField(default=0)),
                ('new_clients', models.PositiveIntegerField(default=0)),
                ('one_owner', models.PositiveIntegerField(default=0)),
                ('high_value_outside', models.PositiveIntegerField(default=0)),
                ('high_value_clients', models.PositiveIntegerField(default=0)),
                ('money_looks', models.PositiveIntegerField(default=0)),
                ('revealed_clients', models.PositiveIntegerField(default=0)),
                ('reveals_outside', models.PositiveIntegerField(default=0)),
                ('prints', models.PositiveIntegerField(default=0)),
                ('answered_calls', models.PositiveIntegerField(default=0)),
                ('short_calls', models.PositiveIntegerField(default=0)),
                ('calls_without_record', models.PositiveIntegerField(default=0)),
                ('repeat_calls', models.PositiveIntegerField(default=0)),
                ('new_devices', models.PositiveIntegerField(default=0)),
                ('new_countries', models.PositiveIntegerField(default=0)),
                ('new_networks', models.PositiveIntegerField(default=0)),
                ('second_devices', models.PositiveIntegerField(default=0)),
                ('steps', models.PositiveIntegerField(default=0)),
                ('steady_pace', models.PositiveIntegerField(default=0)),
                ('fast_steps', models.PositiveIntegerField(default=0)),
                ('sequential', models.PositiveIntegerField(default=0)),
                ('edits', models.PositiveIntegerField(default=0)),
                ('edits_outside', models.PositiveIntegerField(default=0)),
                ('exports', models.PositiveIntegerField(default=0)),
                ('export_rows', models.PositiveBigIntegerField(default=0)),
                ('downloads', models.PositiveIntegerField(default=0)),
                ('off_hours', models.PositiveIntegerField(default=0)),
                ('hours', models.IntegerField(default=0, help_text="Hours with any action, one bit each, in the agent's time zone")),
                ('active_hours', models.PositiveSmallIntegerField(default=0, help_text='Different hours with any action')),
                ('addresses', models.PositiveSmallIntegerField(default=0, help_text='Different IP addresses')),
                ('first_at', models.DateTimeField(null=True)),
                ('last_at', models.DateTimeField(null=True)),
                ('is_excluded', models.BooleanField(default=False, help_text='Confirmed misuse: excluded from baselines')),
                ('agent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='monitored_days', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['agent_id', 'day'],
                'indexes': [models.Index(fields=['day', 'agent'], name='agent_days_by_day')],
                'constraints': [models.UniqueConstraint(fields=('agent', 'day'), name='one_row_per_agent_and_day')],
            },
        ),
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(fields=['desk', '-id'], name='alerts_by_desk'),
        ),
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(condition=models.Q(('state', 'decided'), _negated=True), fields=['state', '-id'], name='alerts_by_state'),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.UniqueConstraint(fields=('agent', 'day'), name='one_alert_per_agent_and_day'),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.CheckConstraint(condition=models.Q(('reviewer__isnull', True), models.Q(('reviewer', models.F('agent')), _negated=True), _connector='OR'), name='nobody_reviews_their_own_alert'),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'in_review'), _negated=True), ('reviewer__isnull', False), _connector='OR'), name='alert_in_review_has_a_reviewer'),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', False), ('state', 'decided')), models.Q(models.Q(('state', 'decided'), _negated=True), ('decided_at__isnull', True)), _connector='OR'), name='decided_alert_says_when'),
        ),
        migrations.AddConstraint(
            model_name='baseline',
            constraint=models.UniqueConstraint(fields=('agent', 'feature'), name='one_baseline_per_agent_and_feature'),
        ),
        migrations.AddIndex(
            model_name='confirmationproposal',
            index=models.Index(fields=['alert', '-id'], name='confirmations_of_an_alert'),
        ),
        migrations.AddConstraint(
            model_name='confirmationproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='misuse_confirmation_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='confirmationproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='misuse_confirmation_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='confirmationproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='misuse_confirmation_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='confirmationproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='misuse_confirmation_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='confirmationproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='misuse_confirmation_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='confirmationproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('alert',), name='one_open_confirmation_per_alert'),
        ),
        migrations.AddIndex(
            model_name='dayscore',
            index=models.Index(fields=['day', 'agent'], name='day_scores_by_day'),
        ),
        migrations.AddConstraint(
            model_name='dayscore',
            constraint=models.UniqueConstraint(fields=('agent', 'day'), name='one_score_per_agent_and_day'),
        ),
        migrations.AddConstraint(
            model_name='dayscore',
            constraint=models.CheckConstraint(condition=models.Q(('probability__gte', 0), ('probability__lte', 1)), name='score_is_a_probability'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('reviewer', models.F('agent')), _negated=True), name='nobody_decides_on_themselves'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='decision_says_why'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('verdict', 'confirmed'), _negated=True), models.Q(('second__isnull', False), models.Q(('second', models.F('reviewer')), _negated=True), models.Q(('second', models.F('agent')), _negated=True)), _connector='OR'), name='confirmed_misuse_has_a_second_person'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='decision',
            trigger=pgtrigger.compiler.Trigger(name='alert_decision_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'alert_decision is append-only: write a new row instead';", hash='abd1ed79816498540f8790237d26c2d7fadaa08c', operation='UPDATE OR DELETE', pgid='pgtrigger_alert_decision_no_change_883c5', table='monitoring_decision', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='decision',
            trigger=pgtrigger.compiler.Trigger(name='alert_decision_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'alert_decision is append-only: write a new row instead';", hash='c320433041991816decb79c66d9be5de3578b5bd', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_alert_decision_no_truncate_0383e', table='monitoring_decision', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='escalation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('reason', ''), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='decided_escalation_says_who_when_and_why'),
        ),
        migrations.AddConstraint(
            model_name='escalation',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('agent')), _negated=True), _connector='OR'), name='nobody_decides_an_escalation_about_themselves'),
        ),
        migrations.AddIndex(
            model_name='explanation',
            index=models.Index(fields=['agent', '-id'], name='explanations_of_an_agent'),
        ),
        migrations.AddIndex(
            model_name='explanation',
            index=models.Index(fields=['alert', '-id'], name='explanations_of_an_alert'),
        ),
        migrations.AddConstraint(
            model_name='explanation',
            constraint=models.UniqueConstraint(condition=models.Q(('answered_at__isnull', True)), fields=('alert',), name='one_open_question_per_alert'),
        ),
        migrations.AddConstraint(
            model_name='explanation',
            constraint=models.CheckConstraint(condition=models.Q(('question', ''), _negated=True), name='explanation_has_a_question'),
        ),
        migrations.AddConstraint(
            model_name='explanation',
            constraint=models.CheckConstraint(condition=models.Q(('asked_by', models.F('agent')), _negated=True), name='nobody_questions_themselves'),
        ),
        migrations.AddConstraint(
            model_name='explanation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at__isnull', True)), models.Q(models.Q(('answer', ''), _negated=True), ('answered_at__isnull', False)), _connector='OR'), name='explanation_is_answered_with_text'),
        ),
        migrations.AddConstraint(
            model_name='watch',
            constraint=models.CheckConstraint(condition=models.Q(('to_on__gte', models.F('from_on'))), name='watch_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='watch',
            constraint=models.CheckConstraint(condition=models.Q(('made_by', models.F('agent')), _negated=True), name='nobody_watches_themselves'),
        ),
        migrations.AddConstraint(
            model_name='watch',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('ended_at__isnull', True)), expressions=[('agent', '='), (monitoring.models.DateRange(models.F('from_on'), models.F('to_on'), models.Value('[]')), '&&')], name='one_watch_per_agent_at_a_time'),
        ),
        migrations.AlterModelOptions(
            name='alert',
            options={'ordering': ['-id'], 'permissions': [('decide_alert', 'May review and decide alerts about agents'), ('view_baselines', "May see agents' baselines"), ('see_agent_names', "May see agents' names in monitoring instead of pseudonyms"), ('manage_watchlist', 'May manage the agent watchlist'), ('offboard_agents', 'May hand over what leavers leave behind and confirm their offboarding'), ('limit_agents', "May limit agents' exports, reveals and view of contact details for a time")]},
        ),
        migrations.AddField(
            model_name='agentday',
            name='refusals',
            field=models.PositiveIntegerField(default=0, help_text='Exports and reveals refused by a limit on access'),
        ),
        migrations.CreateModel(
            name='ServiceSlot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('signal', models.CharField(choices=[('deposits', "Deposits far above the client's habit"), ('stakes', "Traded volume far above the client's habit"), ('trades', "Trades far above the client's habit"), ('odd_hours', 'Trading at hours unusual for the client'), ('clicks', "Clicks far above the partner's habit"), ('clicks_fall', "Clicks far below the partner's habit"), ('registrations', "Registrations far above the partner's habit"), ('conversion_fall', "Few registrations for the partner's clicks"), ('declines', 'Declined payments of a PSP'), ('method_declines', 'Declined payments of a payment method'), ('psp_latency', 'Slow answers of a PSP'), ('reading_failures', 'Failed reads from a trading server'), ('reading_time', 'Slow reads from a trading server'), ('queue_age', 'Work waiting in a queue')], max_length=20)),
                ('subject', models.BigIntegerField()),
                ('at', models.DateTimeField(help_text='Start of the ten minutes')),
                ('count', models.FloatField()),
                ('trials', models.FloatField()),
            ],
            options={
                'ordering': ['at', 'id'],
                'indexes': [models.Index(fields=['at'], name='service_slots_by_age')],
                'constraints': [models.UniqueConstraint(fields=('signal', 'subject', 'at'), name='one_service_slot_per_signal_and_subject')],
            },
        ),
        migrations.CreateModel(
            name='Anomaly',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('signal', models.CharField(choices=[('deposits', "Deposits far above the client's habit"), ('stakes', "Traded volume far above the client's habit"), ('trades', "Trades far above the client's habit"), ('odd_hours', 'Trading at hours unusual for the client'), ('clicks', "Clicks far above the partner's habit"), ('clicks_fall', "Clicks far below the partner's habit"), ('registrations', "Registrations far above the partner's habit"), ('conversion_fall', "Few registrations for the partner's clicks"), ('declines', 'Declined payments of a PSP'), ('method_declines', 'Declined payments of a payment method'), ('psp_latency', 'Slow answers of a PSP'), ('reading_failures', 'Failed reads from a trading server'), ('reading_time', 'Slow reads from a trading server'), ('queue_age', 'Work waiting in a queue')], max_length=20)),
                ('queue', models.PositiveSmallIntegerField(choices=[(1, 'Jobs that people asked for'), (2, 'Events'), (3, 'Scheduled work'), (4, 'E-mails to send'), (5, 'Webhooks of PSPs')], null=True)),
                ('state', models.CharField(choices=[('open', 'Open'), ('acted', 'Action taken'), ('explained', 'Explained'), ('not_unusual', 'Nothing unusual')], default='open', max_length=12)),
                ('slots', models.PositiveSmallIntegerField(help_text='Over how many days, or ten minutes, it was seen')),
                ('observed', models.FloatField()),
                ('expected', models.FloatField()),
                ('low', models.FloatField(help_text='Between low and high are nine of ten such times')),
                ('high', models.FloatField()),
                ('trials', models.FloatField(help_text='Out of how many; days for plain counts')),
                ('probability', models.FloatField()),
                ('course', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(null=True), help_text='The figures up to it, the last one is the newest', size=None)),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField(help_text='Last time that it was as unusual')),
                ('recovered_at', models.DateTimeField(help_text='When a service was back to normal', null=True)),
                ('raised_at', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=2000)),
                ('decided_at', models.DateTimeField(null=True)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('client', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('method', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.paymentmethod')),
                ('partner', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ib.partner')),
                ('psp', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallet.psp')),
                ('server', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='trading.tradingserver')),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.workitem')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('decide_anomaly', 'May decide anomalies of clients, partners and operations')],
                'indexes': [models.Index(fields=['signal', '-id'], name='anomalies_by_signal'), models.Index(condition=models.Q(('client__isnull', False)), fields=['client', '-id'], name='anomalies_of_a_client'), models.Index(condition=models.Q(('state', 'open')), fields=['id'], name='anomalies_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('client__isnull', False), ('method__isnull', True), ('partner__isnull', True), ('psp__isnull', True), ('queue__isnull', True), ('server__isnull', True)), models.Q(('client__isnull', True), ('method__isnull', True), ('partner__isnull', False), ('psp__isnull', True), ('queue__isnull', True), ('server__isnull', True)), models.Q(('client__isnull', True), ('method__isnull', True), ('partner__isnull', True), ('psp__isnull', False), ('queue__isnull', True), ('server__isnull', True)), models.Q(('client__isnull', True), ('method__isnull', False), ('partner__isnull', True), ('psp__isnull', True), ('queue__isnull', True), ('server__isnull', True)), models.Q(('client__isnull', True), ('method__isnull', True), ('partner__isnull', True), ('psp__isnull', True), ('queue__isnull', True), ('server__isnull', False)), models.Q(('client__isnull', True), ('method__isnull', True), ('partner__isnull', True), ('psp__isnull', True), ('queue__isnull', False), ('server__isnull', True)), _connector='OR'), name='anomaly_is_about_one_subject'), models.CheckConstraint(condition=models.Q(('probability__gte', 0), ('probability__lte', 1)), name='anomaly_has_a_probability'), models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('signal', 'client', 'partner', 'psp', 'method', 'server', 'queue'), name='one_open_anomaly_per_signal_and_subject', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('reason', ''), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='decided_anomaly_says_who_when_and_why')],
            },
        ),
        migrations.AddField(
            model_name='agentday',
            name='left_after_looks',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='agentday',
            name='no_result',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='agentday',
            name='one_partner',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='agentday',
            name='reached_before',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='baseline',
            name='feature',
            field=models.CharField(choices=[('views', 'Client records opened'), ('clients', 'Different clients opened'), ('busiest_hour', 'Records opened in the busiest hour'), ('searches', 'Searches'), ('lists', 'Lists opened'), ('list_rows', 'Records shown in lists'), ('outside_views', 'Records opened outside own book'), ('outside_clients', 'Different clients outside own book'), ('outside_share', 'Share of records outside own book'), ('outside_silent', 'Clients outside own book opened without contact'), ('outside_silent_share', 'Share of clients outside own book opened without contact'), ('new_clients', 'Clients new to the agent and not in own book'), ('one_owner', 'Clients of one colleague'), ('dormant_views', 'Dormant clients opened'), ('dormant_share', 'Share of dormant clients'), ('high_value_outside', 'High-value clients outside own book'), ('high_value_share', 'Share of high-value clients'), ('money_looks', 'Records opened after a large deposit or withdrawal, outside own book'), ('silent_clients', 'Share of clients opened without contact'), ('silent_reveals', 'Share of revealed contacts without a call'), ('reveals', 'Contacts revealed'), ('reveals_without_call', 'Contacts revealed without a call that day'), ('reveal_share', 'Share of clients whose contact was revealed'), ('reveals_outside', 'Contacts revealed outside own book'), ('exports', 'Exports'), ('downloads', 'Documents opened'), ('prints', 'Prints'), ('off_hours', 'Actions outside working hours'), ('short_calls', 'Answered calls under 10 seconds'), ('calls', 'Calls'), ('calls_without_record', 'Calls without opening the record'), ('repeat_calls', 'Repeated calls to one client'), ('new_devices', 'New devices'), ('new_countries', 'New countries'), ('new_networks', 'New networks'), ('second_devices', 'Second device while a session is open'), ('steady_pace', 'Records opened at an even pace'), ('fast_steps', 'Records opened within 5 seconds of one another'), ('sequential', 'Records opened in the order of their numbers'), ('edits', 'Records changed'), ('edits_outside', 'Records changed outside own book'), ('one_partner', 'Clients of one partner, outside own book'), ('left_after_looks', 'Clients who withdrew after a look without contact'), ('no_result', 'Share of clients reached two weeks ago without a result')], max_length=24),
        ),
        migrations.CreateModel(
            name='HistoryFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=160)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('uploaded_at', models.DateTimeField()),
                ('fields', models.JSONField(default=dict, help_text="Our field: the file's, empty for none; others are recognised")),
                ('kinds', models.JSONField(default=dict, help_text="The file's kind of event: ours")),
                ('per_100', models.FloatField(default=0.5, help_text='Cases per 100 agent-days')),
                ('report', models.JSONField(default=dict, help_text='What the last scoring read and found')),
                ('job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='crm.job')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('score_history', "May score another system's history with agent monitoring")],
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('per_100__gt', 0), ('per_100__lte', 100)), name='history_budget_is_a_share_of_agent_days')],
            },
        ),
    ]

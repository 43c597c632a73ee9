import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('clients', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('clients', '0002_sql'),
        ('crm', '0002_sql'),
    ]

    operations = [
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
            ],
            options={
                'ordering': ['name'],
                'permissions': [('import_watchlist', 'May load a new version of a watchlist')],
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
            name='ListVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('current', "In force"), ('superseded', 'Superseded'), ('refused', "Rejected")], max_length=12)),
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
                ('imported_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='compliance.watchlistsource')),
            ],
            options={
                'ordering': ['-id'],
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
                ('listed_on', models.DateField(null=True)),
                ('remarks', models.TextField(blank=True)),
                ('content_hash', models.CharField(max_length=64)),
                ('is_listed', models.BooleanField(default=True)),
                ('first_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.listversion')),
                ('last_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.listversion')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='compliance.watchlistsource')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Screening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('trigger', models.CharField(choices=[('verified', 'Client verified'), ('demand', 'On demand'), ('list', 'List changed'), ('profile', "Client's data changed")], max_length=12)),
                ('matcher_version', models.CharField(max_length=20)),
                ('threshold', models.DecimalField(decimal_places=3, max_digits=4)),
                ('lists', models.JSONField(default=list)),
                ('client_hash', models.CharField(help_text='Of the data that was compared', max_length=64)),
                ('candidate_count', models.PositiveIntegerField(default=0)),
                ('hit_count', models.PositiveIntegerField(default=0, help_text='New possible matches')),
                ('known_count', models.PositiveIntegerField(default=0, help_text='Matches that were decided before and are unchanged')),
                ('duration_ms', models.PositiveIntegerField(default=0)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='screenings', to='clients.client')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('screen_client', 'May screen a client against the watchlists')],
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
                ('state', models.CharField(choices=[('open', "Pending review"), ('false_positive', 'False positive'), ('confirmed', "True match"), ('outdated', 'Outdated')], default='open', max_length=14)),
                ('found_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason_code', models.CharField(blank=True, choices=[('birth_date', "Different date of birth"), ('name', "Different name"), ('nationality', "Different nationality or country"), ('document', "Identity document checked"), ('deceased', "The listed person is deceased or elsewhere"), ('other', "Other reason")], max_length=20)),
                ('reason', models.TextField(blank=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='screening_hits', to='clients.client')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hits', to='compliance.listentry')),
                ('screening', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hits', to='compliance.screening')),
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
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['normalised'], name='entry_names_by_spelling', opclasses=['gin_trgm_ops']), django.contrib.postgres.indexes.GinIndex(fields=['pair_keys'], name='entry_names_by_sound')],
            },
        ),
        migrations.CreateModel(
            name='Restriction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('no_deposit', "Deposits blocked"), ('no_withdrawal', "Withdrawals blocked"), ('no_trading', "Trading blocked"), ('frozen', 'Frozen')], max_length=14)),
                ('cause', models.CharField(choices=[('manual', 'Placed by staff'), ('screening_hold', 'Possible watchlist match under review'), ('confirmed_match', 'Confirmed watchlist match')], default='manual', max_length=16)),
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
                'indexes': [models.Index(fields=['client', '-id'], name='restrictions_by_client'), models.Index(condition=models.Q(('lifted_at__isnull', True)), fields=['client'], name='restrictions_in_force')],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='restriction_has_a_reason'), models.CheckConstraint(condition=models.Q(('lifted_at__isnull', True), ('cause', 'screening_hold'), models.Q(('lift_requested_by__isnull', False), ('lifted_by__isnull', False), models.Q(('lifted_by', models.F('lift_requested_by')), _negated=True)), _connector='OR'), name='restriction_is_lifted_by_two_people'), models.CheckConstraint(condition=models.Q(models.Q(('lift_requested_at__isnull', True), ('lift_requested_by__isnull', True)), models.Q(('lift_requested_at__isnull', False), ('lift_requested_by__isnull', False), models.Q(('lift_reason', ''), _negated=True)), _connector='OR'), name='lifting_is_asked_for_with_a_reason'), models.UniqueConstraint(condition=models.Q(('cause', 'screening_hold'), ('lifted_at__isnull', True)), fields=('hit',), name='one_hold_per_hit')],
            },
        ),
        migrations.CreateModel(
            name='RiskAssessment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rating', models.CharField(choices=[('unrated', 'Not rated'), ('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], max_length=8)),
                ('points', models.PositiveSmallIntegerField()),
                ('reasons', models.JSONField(default=list, help_text='[{"code": "country_grey", "points": 30, "value": "VN"}]')),
                ('rules_version', models.CharField(max_length=20)),
                ('at', models.DateTimeField()),
                ('is_current', models.BooleanField(default=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='risk_assessments', to='clients.client')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['client', '-id'], name='risk_by_client')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('client',), name='a_client_has_one_current_rating')],
            },
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
            model_name='hit',
            index=models.Index(fields=['client', '-id'], name='hits_by_client'),
        ),
        migrations.AddIndex(
            model_name='hit',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['found_at', 'id'], name='hits_open'),
        ),
        migrations.AddConstraint(
            model_name='hit',
            constraint=models.UniqueConstraint(fields=('client', 'entry', 'client_hash', 'entry_hash'), name='a_match_is_raised_once_per_content'),
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
            model_name='listversion',
            index=models.Index(fields=['source', '-id'], name='versions_by_source'),
        ),
        migrations.AddConstraint(
            model_name='listversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'current')), fields=('source',), name='a_source_has_one_current_version'),
        ),
        migrations.AddConstraint(
            model_name='listversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'refused'), _negated=True), models.Q(('error', ''), _negated=True), _connector='OR'), name='refused_version_says_why'),
        ),
        migrations.AddConstraint(
            model_name='listentry',
            constraint=models.UniqueConstraint(fields=('source', 'external_id'), name='an_entry_stands_once_in_its_source'),
        ),
        migrations.AddField(
            model_name='hit',
            name='work',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='hit', to='crm.workitem'),
        ),
        migrations.AddConstraint(
            model_name='hit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'open'), _negated=True), ('work__isnull', False), _connector='OR'), name='open_match_is_a_work_item'),
        ),
        migrations.AddField(
            model_name='listentry',
            name='changed_in',
            field=models.ForeignKey(help_text='The version that last added, changed or removed it', on_delete=django.db.models.deletion.PROTECT, related_name='changed_entries', to='compliance.listversion'),
        ),
        migrations.CreateModel(
            name='ClientKeys',
            fields=[
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='screening_keys', serialize=False, to='clients.client')),
                ('text', models.CharField(max_length=200)),
                ('matcher_version', models.CharField(max_length=20)),
                ('normalised', models.CharField(max_length=400)),
                ('pair_keys', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), default=list, size=None)),
            ],
            options={
                'ordering': ['client_id'],
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['normalised'], name='client_keys_by_spelling', opclasses=['gin_trgm_ops']), django.contrib.postgres.indexes.GinIndex(fields=['pair_keys'], name='client_keys_by_sound')],
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
                ('nameless_count', models.PositiveIntegerField(default=0, help_text="Clients without a name, who can't be screened")),
                ('entry_count', models.PositiveIntegerField(help_text='Entries that were looked for')),
                ('compared_count', models.PositiveIntegerField(default=0)),
                ('hit_count', models.PositiveIntegerField(default=0, help_text='New possible matches')),
                ('outdated_count', models.PositiveIntegerField(default=0, help_text='Open matches that the change ended')),
                ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='screenings', to='compliance.listversion')),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('finished_at__gte', models.F('started_at'))), name='list_screening_ends_after_its_start')],
            },
        ),
        migrations.RemoveConstraint(
            model_name='restriction',
            name='restriction_is_lifted_by_two_people',
        ),
        migrations.AlterField(
            model_name='restriction',
            name='cause',
            field=models.CharField(choices=[('manual', 'Placed by staff'), ('screening_hold', 'Possible watchlist match under review'), ('confirmed_match', 'Confirmed watchlist match'), ('document', 'Document expired'), ('review', 'Periodic review overdue')], default='manual', max_length=16),
        ),
        migrations.AddConstraint(
            model_name='restriction',
            constraint=models.CheckConstraint(condition=models.Q(('lifted_at__isnull', True), ('cause__in', ['screening_hold', 'document', 'review']), models.Q(('lift_requested_by__isnull', False), ('lifted_by__isnull', False), models.Q(('lifted_by', models.F('lift_requested_by')), _negated=True)), _connector='OR'), name='restriction_is_lifted_by_two_people'),
        ),
        migrations.AddConstraint(
            model_name='restriction',
            constraint=models.UniqueConstraint(condition=models.Q(('cause__in', ['document', 'review']), ('lifted_at__isnull', True)), fields=('client', 'kind', 'cause'), name='one_overdue_restriction_of_a_kind'),
        ),
        migrations.AlterField(
            model_name='screening',
            name='trigger',
            field=models.CharField(choices=[('verified', 'Client verified'), ('demand', 'On demand'), ('list', 'List changed'), ('profile', "Client's data changed"), ('company', 'Linked to a company')], max_length=12),
        ),
    ]

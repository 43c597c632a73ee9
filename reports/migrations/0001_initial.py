import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from crm.db.migration_operations import sql_files


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('clients', '0002_sql'),
        ('crm', '0001_initial'),
        ('leads', '0001_initial'),
        ('wallet', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ChangedClient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client_id', models.BigIntegerField(null=True)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ClientDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('leads', models.PositiveIntegerField(default=0)),
                ('touched', models.PositiveIntegerField(default=0, help_text="Of these leads, contacted so far")),
                ('touch_seconds', models.PositiveBigIntegerField(default=0, help_text="Total time from assignment to first contact")),
                ('late', models.PositiveIntegerField(default=0, help_text="Leads reassigned because their first agent didn't respond in time")),
                ('calls', models.PositiveIntegerField(default=0)),
                ('call_seconds', models.PositiveBigIntegerField(default=0)),
                ('registrations', models.PositiveIntegerField(default=0)),
                ('first_deposits', models.PositiveIntegerField(default=0)),
                ('deposits', models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ('withdrawals', models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ('reversals', models.DecimalField(decimal_places=2, default=0, help_text='Refunds and chargebacks', max_digits=20)),
                ('verified', models.PositiveIntegerField(default=0, help_text='Of these registrations, verified so far')),
                ('seen', models.PositiveIntegerField(default=0, help_text='People first seen on this day')),
                ('seen_contacted', models.PositiveIntegerField(default=0)),
                ('seen_registered', models.PositiveIntegerField(default=0)),
                ('seen_verified', models.PositiveIntegerField(default=0)),
                ('seen_funded', models.PositiveIntegerField(default=0)),
                ('seen_active', models.PositiveIntegerField(default=0)),
                ('client_id', models.BigIntegerField()),
                ('day', models.DateField()),
                ('brand_id', models.BigIntegerField()),
                ('desk_id', models.BigIntegerField(null=True)),
                ('owner_id', models.BigIntegerField(null=True)),
                ('country', models.CharField(max_length=2)),
                ('campaign', models.CharField(max_length=60)),
                ('source', models.CharField(max_length=60)),
                ('registered_month', models.DateField(null=True)),
                ('book_id', models.BigIntegerField()),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'indexes': [models.Index(fields=['client_id'], name='client_days_by_client')],
            },
        ),
        migrations.CreateModel(
            name='DayFigure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('leads', models.PositiveIntegerField(default=0)),
                ('touched', models.PositiveIntegerField(default=0, help_text="Of these leads, contacted so far")),
                ('touch_seconds', models.PositiveBigIntegerField(default=0, help_text="Total time from assignment to first contact")),
                ('late', models.PositiveIntegerField(default=0, help_text="Leads reassigned because their first agent didn't respond in time")),
                ('calls', models.PositiveIntegerField(default=0)),
                ('call_seconds', models.PositiveBigIntegerField(default=0)),
                ('registrations', models.PositiveIntegerField(default=0)),
                ('first_deposits', models.PositiveIntegerField(default=0)),
                ('deposits', models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ('withdrawals', models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ('reversals', models.DecimalField(decimal_places=2, default=0, help_text='Refunds and chargebacks', max_digits=20)),
                ('day', models.DateField()),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('desk', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.desk')),
                ('owner', models.ForeignKey(help_text='The agent', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('book', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.book')),
            ],
            options={
                'ordering': ['-day', 'id'],
                'permissions': [('view_sales', 'May see the sales dashboard'), ('view_money', 'May see the money dashboard'), ('view_compliance', 'May see the compliance dashboard'), ('view_performance', 'May see performance per agent and desk'), ('export_performance', 'May export performance figures')],
                'abstract': False,
                'indexes': [models.Index(fields=['brand', 'day'], name='figures_by_brand_and_day')],
                'constraints': [models.UniqueConstraint(fields=('day', 'brand', 'desk', 'owner', 'book'), name='one_figure_row_per_day_and_owner', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='CohortMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('registered_month', models.DateField(help_text='Its first day')),
                ('month', models.DateField(help_text='Its first day')),
                ('country', models.CharField(max_length=2)),
                ('campaign', models.CharField(max_length=60)),
                ('clients', models.PositiveIntegerField(default=0, help_text='In the month of registration: who registered')),
                ('depositors', models.PositiveIntegerField(default=0)),
                ('deposits', models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ('withdrawals', models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ('reversals', models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('desk', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.desk')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('brand', 'registered_month', 'month', 'country', 'campaign', 'desk'), name='one_cohort_row_per_month_and_origin', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='FiguresState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('refreshed_at', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='figures_have_one_state')],
            },
        ),
        migrations.CreateModel(
            name='OriginDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('leads', models.PositiveIntegerField(default=0)),
                ('touched', models.PositiveIntegerField(default=0, help_text='Of these leads, contacted so far')),
                ('touch_seconds', models.PositiveBigIntegerField(default=0, help_text='Total time from assignment to first contact')),
                ('late', models.PositiveIntegerField(default=0, help_text="Leads reassigned because their first agent didn't respond in time")),
                ('calls', models.PositiveIntegerField(default=0)),
                ('call_seconds', models.PositiveBigIntegerField(default=0)),
                ('registrations', models.PositiveIntegerField(default=0)),
                ('first_deposits', models.PositiveIntegerField(default=0)),
                ('deposits', models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ('withdrawals', models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ('reversals', models.DecimalField(decimal_places=2, default=0, help_text='Refunds and chargebacks', max_digits=20)),
                ('verified', models.PositiveIntegerField(default=0, help_text='Of these registrations, verified so far')),
                ('seen', models.PositiveIntegerField(default=0, help_text='People first seen on this day')),
                ('seen_contacted', models.PositiveIntegerField(default=0)),
                ('seen_registered', models.PositiveIntegerField(default=0)),
                ('seen_verified', models.PositiveIntegerField(default=0)),
                ('seen_funded', models.PositiveIntegerField(default=0)),
                ('seen_active', models.PositiveIntegerField(default=0)),
                ('day', models.DateField()),
                ('country', models.CharField(max_length=2)),
                ('campaign', models.CharField(max_length=60)),
                ('source', models.CharField(max_length=60)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('desk', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.desk')),
                ('owner', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('book', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.book')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'indexes': [models.Index(fields=['brand', 'campaign', 'day'], name='origins_by_campaign')],
                'constraints': [models.UniqueConstraint(fields=('day', 'brand', 'country', 'campaign', 'source', 'desk', 'owner', 'book'), name='one_origin_row_per_day_and_owner', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Target',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(help_text='Its first day')),
                ('figure', models.CharField(choices=[('calls', 'Calls per day'), ('registrations', 'Registrations'), ('first_deposits', 'FTDs'), ('net_deposits', 'Net deposits'), ('ftd_rate', 'FTD rate (%)'), ('talk_minutes', 'Talk time per day (minutes)'), ('contact_minutes', 'First contact (minutes)')], max_length=16)),
                ('value', models.DecimalField(decimal_places=2, max_digits=14)),
                ('set_at', models.DateTimeField(auto_now=True)),
                ('agent', models.ForeignKey(help_text='None: the whole desk', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='targets', to=settings.AUTH_USER_MODEL)),
                ('desk', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='targets', to='crm.desk')),
                ('set_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-month', 'desk_id', 'agent_id', 'figure'],
                'permissions': [('set_target', 'May set the targets of desks and agents')],
                'constraints': [models.UniqueConstraint(fields=('desk', 'month', 'agent', 'figure'), name='one_target_per_figure_and_month', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('value__gt', 0)), name='target_is_above_zero'), models.CheckConstraint(condition=models.Q(('month__day', 1)), name='target_month_is_a_first_day')],
            },
        ),
        migrations.AddIndex(
            model_name='clientday',
            index=models.Index(fields=['brand_id', 'day'], name='client_days_by_brand_and_day'),
        ),
        *sql_files("reports", "figures"),
    ]

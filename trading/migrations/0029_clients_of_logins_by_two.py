import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):

    dependencies = [
        ('clients', '0004_list_index_holds_what_it_filters'),
        ('trading', '0028_rows_that_cant_be_right'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='stagedlogin',
            name='proposal_reason',
            field=models.CharField(blank=True, db_default='', default='', max_length=300),
        ),
        migrations.AddField(
            model_name='stagedlogin',
            name='proposed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='stagedlogin',
            name='proposed_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='stagedlogin',
            name='proposed_client',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client'),
        ),
        migrations.AddField(
            model_name='stagedlogin',
            name='proposed_type',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='trading.accounttype'),
        ),
        migrations.AlterField(
            model_name='stagedlogin',
            name='state',
            field=models.CharField(choices=[('waiting', 'Waits for a decision'), ('later', 'Client comes later'), ('proposed', 'Awaiting second approval'), ('attached', 'Attached'), ('ignored', 'Ignored')], default='waiting', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='stagedlogin',
            constraint=models.CheckConstraint(condition=~Q(state='proposed') | (Q(proposed_by__isnull=False, proposed_client__isnull=False, proposed_at__isnull=False) & ~Q(proposal_reason='')), name='proposed_client_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='stagedlogin',
            constraint=models.CheckConstraint(condition=Q(proposed_by__isnull=True) | Q(state='proposed', decided_by__isnull=True) | (Q(state='attached', decided_by__isnull=False) & ~Q(decided_by=F('proposed_by'))), name='proposed_client_is_attached_by_somebody_else'),
        ),
        migrations.AddIndex(
            model_name='stagedlogin',
            index=models.Index(condition=Q(state='proposed'), fields=['batch'], name='staged_proposed'),
        ),
    ]

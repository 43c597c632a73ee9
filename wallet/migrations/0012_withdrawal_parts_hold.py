from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('wallet', '0011_what_was_paid_out_is_one_part'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.UniqueConstraint(fields=('client', 'request_key', 'part'), name='one_withdrawal_per_request'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.UniqueConstraint(fields=('request_reference', 'part'), name='each_part_of_a_request_once'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('part__gte', 1), ('request_minor__gte', models.F('amount_minor')), models.Q(('request_reference', ''), _negated=True)), name='part_is_within_its_request'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('fee_minor', 0), ('source_deposit__isnull', False), ('way', 'refund')), models.Q(('source_deposit__isnull', True), ('way', 'payout')), _connector='OR'), name='refund_names_its_deposit_and_costs_nothing'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('fee_minor__gte', 0), ('fee_minor__lt', models.F('amount_minor'))), name='withdrawal_fee_is_below_the_amount'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('return_minor__gte', 0), ('return_minor__lte', models.F('amount_minor'))), name='return_to_source_is_within_the_part'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('from_suspense', False), ('purpose', 'refund'), _connector='OR'), name='only_a_refund_leaves_suspense'),
        ),
    ]

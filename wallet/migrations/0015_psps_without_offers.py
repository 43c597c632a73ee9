from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('wallet', '0014_methods_of_known_psps')]

    operations = [
        migrations.AlterModelOptions(
            name='psp',
            options={'ordering': ['brand_id', 'name', 'id'], 'permissions': [('manage_psp', 'May set up PSPs and test their connection')]},
        ),
        migrations.RemoveConstraint(
            model_name='psp',
            name='psp_limits_are_in_order',
        ),
        migrations.RemoveField(
            model_name='psp',
            name='countries',
        ),
        migrations.RemoveField(
            model_name='psp',
            name='currencies',
        ),
        migrations.RemoveField(
            model_name='psp',
            name='kyc_level_min',
        ),
        migrations.RemoveField(
            model_name='psp',
            name='maximum_minor',
        ),
        migrations.RemoveField(
            model_name='psp',
            name='minimum_minor',
        ),
        migrations.RemoveField(
            model_name='psp',
            name='pays_out',
        ),
        migrations.RemoveField(
            model_name='psp',
            name='position',
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(('settled_at__isnull', True), models.Q(('credited_minor__gt', 0), ('credited_minor__isnull', False), ('received_minor__gte', models.F('fee_minor'))), _connector='OR'), name='settled_deposit_says_what_the_wallet_got'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(('fee_fixed_minor__gte', 0), ('fee_minor__gte', 0)), name='deposit_fee_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'held'), _negated=True), models.Q(('held_at__isnull', False), ('hold_reasons__len__gt', 0)), _connector='OR'), name='held_deposit_says_why_and_since_when'),
        ),
    ]

"""A bank's CSV has no end mark: one that its balances don't prove waits for a person, as PSPs' reports do."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

NOT_CONFIRMED = ~Q(state="confirmed")


class Migration(migrations.Migration):

    dependencies = [("wallet", "0066_addresses_changed_by_two")]

    operations = [
        migrations.AddField(
            model_name="reporttoconfirm",
            name="is_statement",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="reporttoconfirm",
            name="last_row",
            field=models.CharField(blank=True, db_default="", max_length=300),
        ),
        migrations.AddField(
            model_name="reporttoconfirm",
            name="bank_file",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="confirmation", to="wallet.bankfile"
            ),
        ),
        migrations.RemoveConstraint(model_name="reporttoconfirm", name="confirmed_report_is_imported"),
        migrations.AddConstraint(
            model_name="reporttoconfirm",
            constraint=models.CheckConstraint(
                condition=Q(state="confirmed", is_statement=False, report__isnull=False, bank_file__isnull=True)
                | Q(state="confirmed", is_statement=True, report__isnull=True, bank_file__isnull=False)
                | (NOT_CONFIRMED & Q(report__isnull=True, bank_file__isnull=True)),
                name="confirmed_report_is_imported",
            ),
        ),
    ]

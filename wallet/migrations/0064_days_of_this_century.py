"""Days and times of files are of this century: a page must be able to show them. What is there already stays as it came."""

import datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q

FIRST_DAY, LAST_DAY = datetime.date(2000, 1, 1), datetime.date(2100, 1, 1)
FIRST_TIME, LAST_TIME = (
    datetime.datetime.combine(day, datetime.time(), datetime.timezone.utc) for day in (FIRST_DAY, LAST_DAY)
)


class Migration(migrations.Migration):

    dependencies = [("wallet", "0063_quotes_at_fresh_rates")]

    operations = [
        AddConstraintNotValid(
            model_name="bankentry",
            constraint=models.CheckConstraint(
                condition=Q(booked_on__gte=FIRST_DAY, booked_on__lt=LAST_DAY)
                & (Q(value_on__isnull=True) | Q(value_on__gte=FIRST_DAY, value_on__lt=LAST_DAY)),
                name="bank_entry_days_are_of_this_century",
            ),
        ),
        AddConstraintNotValid(
            model_name="settlementimport",
            constraint=models.CheckConstraint(
                condition=Q(first_day__gte=FIRST_DAY, last_day__lt=LAST_DAY), name="report_days_are_of_this_century"
            ),
        ),
        AddConstraintNotValid(
            model_name="settlementrow",
            constraint=models.CheckConstraint(
                condition=Q(booked_at__gte=FIRST_TIME, booked_at__lt=LAST_TIME)
                & (Q(value_at__isnull=True) | Q(value_at__gte=FIRST_TIME, value_at__lt=LAST_TIME)),
                name="row_times_are_of_this_century",
            ),
        ),
    ]

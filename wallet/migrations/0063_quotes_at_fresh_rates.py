"""What is quoted from now on has a markup and a fresh rate; quotes of the past stay as they were promised."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clients', '0004_list_index_holds_what_it_filters'),
        ('crm', '0009_rates_come_from_feeds'),
        ("wallet", "0062_ledger_for_plain_owners"),
    ]

    operations = [
        migrations.AddField(
            model_name='quote',
            name='base_minor',
            field=models.BigIntegerField(help_text="What is given, in the brand's base currency; for limits", null=True),
        ),
        migrations.AddIndex(
            model_name='quote',
            index=models.Index(fields=['given_currency', 'got_currency', '-rate_on'], name='quotes_by_pair'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='quote',
            trigger=pgtrigger.compiler.Trigger(name='quoted_rate_is_sound', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF NEW.rate_on NOT BETWEEN (NEW.created_at AT TIME ZONE 'UTC')::date - 14 AND (NEW.created_at AT TIME ZONE 'UTC')::date THEN\n  RAISE EXCEPTION 'quoted_rate_is_fresh: a rate of % can''t be promised on %', NEW.rate_on, NEW.created_at\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'quoted_rate_is_fresh';\nEND IF;\nIF EXISTS (\n  SELECT FROM wallet_quote WHERE rate_on > NEW.rate_on\n    AND (given_currency, got_currency) IN ((NEW.given_currency, NEW.got_currency), (NEW.got_currency, NEW.given_currency))\n) THEN\n  RAISE EXCEPTION 'quoted_rate_is_never_older: a rate of a later day than % was promised for % and %',\n    NEW.rate_on, NEW.given_currency, NEW.got_currency\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'quoted_rate_is_never_older';\nEND IF;\nRETURN NEW;\n", hash='3bec8e3b5d29bcf73120849bfe88a69112acdd24', operation='INSERT', pgid='pgtrigger_quoted_rate_is_sound_72d3a', table='wallet_quote', when='BEFORE')),
        ),
        AddConstraintNotValid(
            model_name='quote',
            constraint=models.CheckConstraint(condition=models.Q(('markup_basis_points__gt', 0), models.Q(('given_currency', 'USD'), ('got_currency', 'USC')), models.Q(('given_currency', 'USC'), ('got_currency', 'USD')), models.Q(('given_currency', 'EUR'), ('got_currency', 'EUC')), models.Q(('given_currency', 'EUC'), ('got_currency', 'EUR')), models.Q(('given_currency', 'GBP'), ('got_currency', 'GBC')), models.Q(('given_currency', 'GBC'), ('got_currency', 'GBP')), _connector='OR'), name='quote_between_two_monies_has_a_markup'),
        ),
    ]

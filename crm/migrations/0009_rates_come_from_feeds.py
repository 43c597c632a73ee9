"""Feeds of rates; a price of their own for stablecoins.

Until now dollars' stablecoins were booked one to one with the dollar without a row that said so. The days that are there get
one, named, so that what was booked stays as it was; new days have a price from a feed, or none.
"""

from django.db import migrations, models

STABLECOINS = """
INSERT INTO crm_fxrate ("on", currency, rate, source)
SELECT "on", coin, rate, 'Booked 1:1 with USD'
FROM crm_fxrate, unnest(ARRAY['USDT', 'USDC']) AS coin WHERE currency = 'USD'
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("crm", "0008_keys_that_last")]

    operations = [
        migrations.CreateModel(
            name="FxFeed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, unique=True)),
                ("checked_at", models.DateTimeField()),
                ("succeeded_at", models.DateTimeField(null=True)),
                ("latest_on", models.DateField(help_text="Day of the newest rate it gave", null=True)),
                ("error", models.CharField(blank=True, max_length=300)),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.AddField(
            model_name="fxrate",
            name="loaded_at",
            field=models.DateTimeField(help_text="When the source last gave it", null=True),
        ),
        migrations.AlterField(
            model_name="fxrate", name="rate", field=models.DecimalField(decimal_places=12, max_digits=22)
        ),
        migrations.RunSQL(STABLECOINS, migrations.RunSQL.noop),
    ]

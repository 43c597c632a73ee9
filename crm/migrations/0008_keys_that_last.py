from django.db import migrations, models

from crm.security import crypto, keys

PURPOSES = ("destination-mark", "kyc-document-number")


def keep_what_was_derived(apps, schema_editor):
    """The keys of keyed hashes were derived from the field key: kept as they are, they outlive it."""
    key = keys.field_keys()[-1]
    apps.get_model("crm", "LastingKey").objects.bulk_create(
        [
            apps.get_model("crm", "LastingKey")(
                purpose=purpose,
                wrapped=crypto.encrypt(key.derived(purpose), purpose=crypto.LASTING_KEYS, bound_to=purpose),
            )
            for purpose in PURPOSES
        ]
    )


class Migration(migrations.Migration):
    dependencies = [("crm", "0007_indexes_that_another_one_covers")]

    operations = [
        migrations.CreateModel(
            name="LastingKey",
            fields=[
                ("purpose", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("wrapped", models.BinaryField()),
            ],
        ),
        migrations.RunPython(keep_what_was_derived, migrations.RunPython.noop),
    ]

import secrets
from pathlib import Path

from django.conf import settings
from django.db import migrations, models

from crm.security import crypto, sealed_files
from crm.db.migration_operations import AtOnce

PURPOSE = "bank-file"


def path_of(name):
    return Path(settings.PRIVATE_DIR) / "statements" / name[:2] / name


def to_disk(apps, schema_editor):
    """Originals that stand in their rows go into files of their own; each is read back and compared before its row lets go."""
    files = apps.get_model("wallet", "BankFile").objects.using(schema_editor.connection.alias)
    owner = sealed_files.of_instance(PURPOSE)
    for pk in list(files.values_list("pk", flat=True)):  # one at a time: a statement may be large
        content = crypto.decrypt(bytes(files.get(pk=pk).sealed_original), purpose=PURPOSE)
        name = f"{secrets.token_hex(16)}.sealed"
        written = sealed_files.write(path_of(name), content, owner=owner)
        if sealed_files.read(path_of(name), owner=owner) != content:
            raise RuntimeError(f"The original of bank file {pk} could not be kept on disk: nothing was changed.")
        files.filter(pk=pk).update(stored_name=name, size_bytes=written.size_bytes)


def to_rows(apps, schema_editor):
    files = apps.get_model("wallet", "BankFile").objects.using(schema_editor.connection.alias)
    for pk, name in list(files.values_list("pk", "stored_name")):
        content = sealed_files.read(path_of(name), owner=sealed_files.of_instance(PURPOSE))
        files.filter(pk=pk).update(sealed_original=crypto.encrypt(content, purpose=PURPOSE))


class Migration(migrations.Migration):
    dependencies = [("wallet", "0040_refunds_to_be_claimed")]

    operations = [
        AtOnce(
            [
                migrations.AlterField("bankfile", "sealed_original", models.BinaryField(null=True)),
                migrations.AddField("bankfile", "size_bytes", models.BigIntegerField(default=0)),
                migrations.AddField("bankfile", "stored_name", models.CharField(max_length=64, null=True)),
            ]
        ),
        migrations.RunPython(to_disk, to_rows),
        AtOnce(
            [
                migrations.RemoveField("bankfile", "sealed_original"),
                migrations.AlterField("bankfile", "size_bytes", models.BigIntegerField()),
                migrations.AlterField("bankfile", "stored_name", models.CharField(max_length=64, unique=True)),
            ]
        ),
    ]

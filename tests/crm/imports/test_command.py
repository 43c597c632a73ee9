"""`manage.py import_crm`."""

import json

import pytest
from django.core.management import CommandError, call_command

from clients.models import Client
from crm.models import DataImport, ExternalReference
from tests.crm.imports.files import CLIENTS, MAPPING

pytestmark = pytest.mark.django_db


@pytest.fixture
def paths(tmp_path):
    file, mapping = tmp_path / "clients.csv", tmp_path / "map.json"
    file.write_text(CLIENTS)
    mapping.write_text(json.dumps({"kind": "clients", "system": "uptrader", "brand": "meridian", **MAPPING}))
    return file, mapping


def test_dry_run_prints_a_verdict_per_row_and_stores_nothing(cast, paths, capsys):
    file, mapping = paths
    file.write_text(CLIENTS + "7001;Again;;;;;;\n")
    before = Client.objects.count()
    call_command("import_crm", str(file), "--map", str(mapping), "--dry-run", "--json")
    report = json.loads(capsys.readouterr().out)
    assert report["counts"] == {"new": 2, "known": 0, "same": 0, "changed": 0, "repeated": 1, "refused": 0}
    assert [(row["line"], row["verdict"]) for row in report["rows"]] == [(2, "new"), (3, "new"), (4, "repeated")]
    assert report["rows"][2]["same_as_line"] == 2 and len(report["sha256"]) == 64
    assert Client.objects.count() == before and not DataImport.objects.exists()


def test_refused_rows_end_the_command_with_an_error(cast, paths, capsys):
    file, mapping = paths
    file.write_text(CLIENTS + "7003;X;Y;broken;;DE;;\n")
    with pytest.raises(CommandError, match="1 rows were refused"):
        call_command("import_crm", str(file), "--map", str(mapping), "--dry-run")
    assert "line 4: E-Mail: “broken” isn't a valid e-mail address" in capsys.readouterr().out


def test_import_twice_from_the_command_line_is_one_import(cast, paths, capsys):
    file, mapping = paths
    for _time in range(2):
        call_command("import_crm", str(file), "--map", str(mapping), "--as", cast.administrator.email)
    assert Client.objects.filter(email="asa@example.com").count() == 1 and ExternalReference.objects.count() == 2
    assert DataImport.objects.first().owner == cast.administrator


def test_mistakes_are_named(cast, paths, tmp_path):
    file, mapping = paths
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    for arguments, message in (
        ([str(file)], "--map"),
        ([str(file), "--map", str(broken)], "isn't valid JSON"),
        ([str(file), "--map", str(tmp_path / "none.json")], "can't be read"),
        ([str(tmp_path / "none.csv"), "--map", str(mapping)], "can't be read"),
        ([str(file), "--map", str(mapping)], "--as"),
        ([str(file), "--map", str(mapping), "--brand", "none"], "no brand"),
        ([str(file), "--map", str(mapping), "--as", "nobody@example.com"], "no active member"),
        ([str(file), "--map", str(mapping), "--as", cast.agent.email], "access|role"),
    ):
        with pytest.raises(CommandError, match=message):
            call_command("import_crm", *arguments)


def test_guess_prints_a_mapping_to_start_from(cast, paths, capsys):
    call_command("import_crm", str(paths[0]), "--guess", "clients")
    guessed = json.loads(capsys.readouterr().out)
    assert guessed["kind"] == "clients" and guessed["fields"]["first_name"] == {"column": "Vorname"}

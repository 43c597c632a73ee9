"""`manage.py import_statement FILE --dry-run --json`: what anybody's file says, with no database behind it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.wallet.statement_formats.test_statement_formats import BAI2, ING, MT942, OFX1
from tests.wallet.statement_formats.test_statements_in import balance, document, entry, stmt

PAYMENT = "<TxDtls><Amt Ccy='EUR'>{}</Amt></TxDtls>"
BATCH = f"<NtryDtls>{PAYMENT.format('3.00')}{PAYMENT.format('2.00')}</NtryDtls>"
CAMT = document(
    stmt(
        balance("OPBD", "10.00"),
        balance("CLBD", "15.00"),
        entry("5.00", ref="B1", inner=BATCH),
        entry("9.00", status="<Sts>PDNG</Sts>"),
    )
).decode()
CSV = "Date,Description,Amount,Currency,Balance\n2026-01-31,rent,-10.00,EUR,90.00\n"

NEEDED = {"date", "value_date", "amount", "currency", "status", "references", "party", "description", "code", "place"}


def told(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str) -> dict:
    path = tmp_path / "statement.txt"
    path.write_text(text)
    call_command("import_statement", str(path), "--dry-run", "--json", *options)
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("text", "kind", "count"),
    [(CAMT, "camt", 2), (ING, "mt940", 2), (MT942, "mt942", 2), (BAI2, "bai2", 2), (OFX1, "ofx", 2), (CSV, "csv", 1)],
)
def test_every_format_has_the_same_shape(tmp_path, capsys, text, kind, count):
    report = told(tmp_path, capsys, text)
    assert list(report) == ["file", "sha256", "bytes", "format", "statements", "ok", "totals", "problems"]
    assert (report["format"], report["ok"], report["totals"]) == (kind, True, {"statements": 1, "entries": count})
    (one,) = report["statements"]
    assert set(one) == {
        "place",
        "id",
        "number",
        "account",
        "owner",
        "bank",
        "currency",
        "from",
        "to",
        "balances",
        "totals",
        "proof",
        "warnings",
        "entries",
    }
    assert set(one["balances"]) == {"opening", "closing", "others"}
    for entry_told in one["entries"]:
        assert {
            "date",
            "value_date",
            "amount",
            "currency",
            "status",
            "references",
            "party",
            "description",
            "code",
            "place",
        } <= set(entry_told)
        assert isinstance(entry_told["amount"], str)
    assert report == told(tmp_path, capsys, text, "--format", kind)


def test_a_batch_is_one_entry_with_its_payments(tmp_path, capsys):
    (one,) = told(tmp_path, capsys, CAMT)["statements"]
    batch, pending = one["entries"]
    assert (batch["amount"], [part["amount"] for part in batch["details"]]) == ("5.00", ["3.00", "2.00"])
    assert (pending["status"], one["totals"]["booked"], one["totals"]["net"]) == ("pending", 1, "5.00")
    assert one["balances"]["closing"] == {"amount": "15.00", "currency": "EUR", "date": "2026-10-30", "code": "CLBD"}


def test_a_failed_proof_is_an_error_and_all_of_the_file_is_told(tmp_path, capsys):
    path = tmp_path / "statement.xml"
    path.write_text(CAMT.replace("15.00", "15.01"))
    with pytest.raises(CommandError, match=r"closing balance is 15\.01 EUR"):
        call_command("import_statement", str(path), "--dry-run", "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["statements"][0]["proof"]["ok"], len(report["statements"][0]["entries"])) == (
        False,
        False,
        2,
    )
    assert report["problems"] == report["statements"][0]["proof"]["problems"]


def test_a_file_that_is_nothing_of_it_is_still_json(tmp_path, capsys):
    path = tmp_path / "x.bin"
    path.write_bytes(b"")
    with pytest.raises(CommandError, match="empty"):
        call_command("import_statement", str(path), "--dry-run", "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["format"], report["statements"], report["ok"], report["problems"]) == (
        None,
        [],
        False,
        ["The file is empty."],
    )


def test_without_json_it_is_told_in_words(tmp_path, capsys):
    path = tmp_path / "x.sta"
    path.write_text(ING)
    call_command("import_statement", str(path), "--dry-run")
    assert (
        "mt940: NL69INGB0123456789 EUR 2014-02-19 to 2014-02-20: 2 entries, opening 662.23, closing 662.22"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--dry-run"], "Enter the file"),
        (["x.csv"], "Name the bank account"),
        (["x.csv", "--json"], "requires --dry-run"),
        (["nowhere.csv", "--dry-run"], "nowhere.csv can't be read: No such file"),
    ],
)
def test_what_is_missing_on_the_command_line_is_said(options, words):
    with pytest.raises(CommandError, match=words):
        call_command("import_statement", *options)


def test_it_runs_with_no_server_at_all(tmp_path):
    path = tmp_path / "x.sta"
    path.write_text(ING)
    root = Path(__file__).parents[3]
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "import_statement", str(path), "--dry-run", "--json"],
        cwd=root,
        capture_output=True,
        text=True,
        env=environment | {"KEELSON_VAR": str(tmp_path / "var")},
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)["totals"]["entries"]) == (0, 2), done.stderr
    assert not (tmp_path / "var" / "postgres").exists()


def test_a_file_that_breaks_off_is_told_up_to_there(tmp_path, capsys):
    path = tmp_path / "statement.xml"
    path.write_text(CAMT[: CAMT.index("<Sts>PDNG")])
    with pytest.raises(CommandError, match="this isn't XML"):
        call_command("import_statement", str(path), "--dry-run", "--json")
    (one,) = json.loads(capsys.readouterr().out)["statements"]
    assert ([entry["amount"] for entry in one["entries"]], one["proof"]["ok"]) == (["5.00"], False)

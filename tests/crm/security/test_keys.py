"""Field keys are exchanged, seals have a key of their own, erasures outlive a restore."""

import ast
import itertools
import json
import re
import secrets
from importlib import import_module
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from clients.audit_codes import ClientsAction
from crm.checks import field_key_is_real, seals_have_their_own_key
from crm.files import jobs
from crm.models import AuditEvent, LastingKey, SubjectKey
from crm.privacy import erasures, key_rotation
from crm.security import audit, crypto, keys, sealed_files
from crm.security.sealed_columns import COLUMNS, FILE_PURPOSES, JSON_COLUMNS
from tests.crm.factors import give_app, give_recovery_codes, sign_in
from tests.faults.killing import killed_at
from tests.trading.factories import make_server
from tests.wallet.factories import make_psp
from wallet.withdrawals.destinations import hash_destination

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "8f" * 32
CLIENTS = range(900_001, 900_041)


@pytest.fixture(autouse=True)
def private(settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path
    settings.ERASURE_REGISTER = tmp_path / "erasures.jsonl"


def without_id(model, column, pk, purpose, bound_to=""):
    """Puts a value back as it was kept before values said which key it was."""
    row = model.objects.get(pk=pk)
    plain = crypto.decrypt(getattr(row, column), purpose=purpose, bound_to=bound_to)
    key = keys.field_key().derived(purpose)
    model.objects.filter(pk=pk).update(**{column: crypto._seal(key, plain, (bound_to or purpose).encode())})


def filled(cast, settings):
    """Something of everything that the instance's key seals, half of it from before ids."""
    sealed = {pk: crypto.encrypt_for_client(pk, f"client {pk}".encode()) for pk in CLIENTS}
    for pk in CLIENTS[::2]:
        without_id(SubjectKey, "wrapped", pk, crypto.CLIENT_KEYS, str(pk))
    server = make_server(password="Manager-1!")
    psp = make_psp(cast.client.brand, "keyed")
    psp.seal_credentials({"secret": "s3cret"})
    psp.save()
    without_id(type(psp), "sealed_credentials", psp.pk, "psp-credentials")
    give_app(cast.agent)
    codes = give_recovery_codes(cast.agent)
    path = configured.PRIVATE_DIR / "jobs" / "a-result"
    sealed_files.write(path, b"rows" * 200_000, owner=jobs.RESULTS)
    of_client = configured.PRIVATE_DIR / "kyc" / "a-passport"
    sealed_files.write(of_client, b"passport", owner=sealed_files.of_client(CLIENTS[0]))
    return sealed, server, psp, codes, path, of_client


def exchange(settings):
    settings.FIELD_KEYS_OLD = [settings.FIELD_KEY]
    settings.FIELD_KEY = NEW


def everything_opens(cast, sealed, server, psp, codes, path, of_client):
    for pk, value in sealed.items():
        assert crypto.decrypt_for_client(pk, value) == f"client {pk}".encode()
    server.refresh_from_db()
    psp.refresh_from_db()
    assert server.password() == "Manager-1!"
    assert psp.credentials["secret"] == "s3cret"
    held = Authenticator.objects.get(user=cast.agent, type="recovery_codes")
    assert held.wrap().get_unused_codes() == codes
    assert sealed_files.read(path, owner=jobs.RESULTS) == b"rows" * 200_000
    assert sealed_files.read(of_client, owner=sealed_files.of_client(CLIENTS[0])) == b"passport"


def test_the_field_key_is_exchanged_and_the_old_one_goes(cast, settings):
    held = filled(cast, settings)
    mark = hash_destination({"iban": "DE02120300000000202051"})
    exchange(settings)
    everything_opens(cast, *held)
    with pytest.raises(SystemExit):
        call_command("rotate_field_key", "--check")
    call_command("rotate_field_key", "--batch", "7")
    call_command("rotate_field_key", "--check")
    settings.FIELD_KEYS_OLD = []
    crypto.lasting_key.cache_clear()
    everything_opens(cast, *held)
    assert hash_destination({"iban": "DE02120300000000202051"}) == mark, "a known destination stays known"
    assert sign_in(cast.agent).get("/home/").status_code == 200
    told = audit.body_of(AuditEvent.objects.get(action="crm.field_key_rotated"))["evidence"]
    assert told["rewrapped"]["crm.SubjectKey.wrapped"] >= len(CLIENTS)
    assert told["key"] == keys.field_key().key_id.hex()


def test_a_rotation_killed_anywhere_is_simply_run_again(cast, settings):
    held = filled(cast, settings)
    exchange(settings)
    killed = 0
    for step in itertools.count(1, 5):
        if not killed_at(step, lambda: key_rotation.rotate(batch_rows=9)):
            break
        killed += 1
        everything_opens(cast, *held)
    assert killed >= 2
    assert not any(store.left for store in key_rotation.left())
    settings.FIELD_KEYS_OLD = []
    everything_opens(cast, *held)


def test_a_client_erased_during_a_rotation_stays_erased(cast, settings):
    sealed = crypto.encrypt_for_client(CLIENTS[0], b"gone")
    exchange(settings)
    erasures.destroy_client_key(CLIENTS[0])
    key_rotation.rotate()
    with pytest.raises(crypto.KeyDestroyed):
        crypto.decrypt_for_client(CLIENTS[0], sealed)


def test_a_field_key_that_is_missing_is_named_and_nothing_is_lost(cast, settings):
    sealed = crypto.encrypt_for_client(CLIENTS[0], b"kept")
    old = settings.FIELD_KEY
    settings.FIELD_KEY = NEW
    with pytest.raises(keys.FieldKeyMissing, match=keys._ring((old,))[0].key_id.hex()):
        crypto.decrypt_for_client(CLIENTS[0], sealed)
    with pytest.raises(CommandError, match="KEELSON_FIELD_KEYS_OLD"):
        call_command("rotate_field_key")
    settings.FIELD_KEYS_OLD = [old]
    call_command("rotate_field_key")
    settings.FIELD_KEYS_OLD = []
    assert crypto.decrypt_for_client(CLIENTS[0], sealed) == b"kept"


def test_a_value_opens_for_its_own_row_alone():
    sealed = crypto.encrypt(b"a key", purpose=crypto.CLIENT_KEYS, bound_to="7")
    with pytest.raises(crypto.InvalidTag):
        crypto.decrypt(sealed, purpose=crypto.CLIENT_KEYS, bound_to="8")
    with pytest.raises(crypto.InvalidTag):
        crypto.decrypt(sealed[:-1] + bytes([sealed[-1] ^ 1]), purpose=crypto.CLIENT_KEYS, bound_to="7")


def test_seals_of_an_earlier_key_stay_proven_and_a_strangers_do_not(cast, settings):
    def seal():
        with transaction.atomic():
            audit.record(actor=cast.agent, action=ClientsAction.NOTE_ADDED, target=cast.client)
        return audit.seal_pending()

    seal()
    derived = keys.public_hex(keys.signing_key())
    settings.SEAL_KEY = "5e" * 32
    seal()
    assert keys.public_hex(keys.signing_key()) != derived
    assert audit.verify().holds
    exchange(settings)
    key_rotation.rotate()
    assert audit.verify().holds, "the old field key is configured"
    settings.FIELD_KEYS_OLD = []
    assert "not signed by this instance" in audit.verify().problems[0]
    settings.SEAL_KEYS_OLD = [derived]
    assert audit.verify().holds, "its published verification key is enough"
    earlier = keys.public_hex(keys.signing_key())
    settings.SEAL_KEY = "5f" * 32
    assert not audit.verify().holds
    settings.SEAL_KEYS_OLD = [derived, earlier]
    assert audit.verify().holds


def restored(rows):
    """The table of keys as an older backup has it."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM crm_subjectkey WHERE client_id = ANY(%s)", [list(CLIENTS)])
        cursor.executemany("INSERT INTO crm_subjectkey VALUES (%s, %s, %s, %s)", rows)


def backup():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT client_id, wrapped, created_at, destroyed_at FROM crm_subjectkey WHERE client_id = ANY(%s)",
            [list(CLIENTS)],
        )
        return [(pk, bytes(wrapped), made, gone) for pk, wrapped, made, gone in cursor.fetchall()]


def test_erasures_are_replayed_after_a_restore(cast, settings):
    sealed = {pk: crypto.encrypt_for_client(pk, b"personal") for pk in CLIENTS[:5]}
    saved = backup()
    for pk in CLIENTS[:2]:
        erasures.destroy_client_key(pk)
    call_command("replay_erasures", "--check")
    restored(saved)
    assert crypto.decrypt_for_client(CLIENTS[0], sealed[CLIENTS[0]]) == b"personal", "the backup brought it back"
    with pytest.raises(SystemExit):
        call_command("replay_erasures", "--check")
    call_command("replay_erasures")
    for pk in CLIENTS[:2]:
        with pytest.raises(crypto.KeyDestroyed):
            crypto.decrypt_for_client(pk, sealed[pk])
    for pk in CLIENTS[2:5]:
        assert crypto.decrypt_for_client(pk, sealed[pk]) == b"personal"
    call_command("replay_erasures", "--check")
    event = AuditEvent.objects.get(action="crm.erasures_replayed")
    assert audit.body_of(event)["evidence"] == {"clients": list(CLIENTS[:2])}
    assert len(settings.ERASURE_REGISTER.read_bytes().splitlines()) == 2, "nobody stands in it twice"


def test_a_copy_of_the_register_is_enough(cast, settings, tmp_path):
    sealed = crypto.encrypt_for_client(CLIENTS[0], b"personal")
    saved = backup()
    erasures.destroy_client_key(CLIENTS[0])
    copy = settings.ERASURE_REGISTER.rename(tmp_path / "copy")
    restored(saved)
    call_command("replay_erasures", "--from", str(copy))
    with pytest.raises(crypto.KeyDestroyed):
        crypto.decrypt_for_client(CLIENTS[0], sealed)


def test_an_id_given_to_a_newer_client_is_left_alone(cast, settings):
    crypto.encrypt_for_client(CLIENTS[0], b"personal")
    erasures.destroy_client_key(CLIENTS[0])
    SubjectKey.objects.filter(client_id=CLIENTS[0]).delete()  # restored from before that client existed
    sealed = crypto.encrypt_for_client(CLIENTS[0], b"somebody else")
    assert erasures.replay([settings.ERASURE_REGISTER]).of_another_key == 1
    assert crypto.decrypt_for_client(CLIENTS[0], sealed) == b"somebody else"


@pytest.mark.parametrize("damage", ["changed", "removed", "forged"])
def test_a_damaged_register_destroys_nobody(cast, settings, damage):
    sealed = {pk: crypto.encrypt_for_client(pk, b"personal") for pk in CLIENTS[:3]}
    saved = backup()
    for pk in CLIENTS[:3]:
        erasures.destroy_client_key(pk)
    restored(saved)
    lines = settings.ERASURE_REGISTER.read_bytes().splitlines(keepends=True)
    if damage == "removed":
        del lines[1]
    else:
        row = json.loads(lines[1])
        row["client_id"] = CLIENTS[3]
        if damage == "forged":
            row["signature"] = secrets.token_hex(64)
        lines[1] = json.dumps(row).encode() + b"\n"
    settings.ERASURE_REGISTER.write_bytes(b"".join(lines))
    with pytest.raises(CommandError, match="Nothing was destroyed"):
        call_command("replay_erasures")
    assert all(crypto.decrypt_for_client(pk, value) == b"personal" for pk, value in sealed.items())


def test_a_line_that_a_crash_left_out_or_cut_off_is_written_later(cast, settings):
    for pk in CLIENTS[:2]:
        crypto.encrypt_for_client(pk, b"personal")
    killed = 0
    for step in itertools.count(1):
        if not killed_at(step, lambda: erasures.destroy_client_key(CLIENTS[0])):
            break
        killed += 1
    assert killed
    erasures.destroy_client_key(CLIENTS[1])
    whole = settings.ERASURE_REGISTER.read_bytes()
    settings.ERASURE_REGISTER.write_bytes(whole[:-30])
    assert len(list(erasures.read_register(settings.ERASURE_REGISTER))) == 1
    assert erasures.register_new() == 1
    assert settings.ERASURE_REGISTER.read_bytes() == whole
    settings.ERASURE_REGISTER.unlink()
    assert erasures.register_new() == 2


def test_the_deployment_check_names_keys_that_are_none(settings):
    assert field_key_is_real(None) == []
    settings.FIELD_KEYS_OLD = ["not hex"]
    settings.SEAL_KEY = "ab"
    assert [error.msg.split()[0] for error in field_key_is_real(None)] == ["KEELSON_FIELD_KEYS_OLD", "KEELSON_SEAL_KEY"]
    assert seals_have_their_own_key(None) == []
    settings.SEAL_KEY = ""
    assert [warning.id for warning in seals_have_their_own_key(None)] == ["keelson.W001"]


def test_whatever_the_code_seals_is_wrapped_again_by_a_rotation():
    """Each purpose that is named in the code is declared in a `sealed.py`; so are both keyed hashes."""
    declared = {column.purpose for column in [*COLUMNS, *JSON_COLUMNS]}
    root = Path(configured.BASE_DIR)
    seals, files, lasting = set(), set(), set()
    for path in (path for app in configured.KEELSON_APPS for path in (root / app).rglob("*.py")):
        if "migrations" in path.parts or not re.search(
            "purpose|Folder|Shelf|of_instance|lasting_key", path.read_text()
        ):
            continue
        module = path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            arguments = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "purpose")]
            if name in ("encrypt", "decrypt") and ast.unparse(node.func).startswith("crypto.") and len(arguments) > 1:
                seals.add(_value(arguments[-1], module))
            elif name in ("Folder", "Shelf"):
                files.add(_value(arguments[1], module))
            elif name == "of_instance":
                files.add(_value(arguments[0], module))
            elif name == "lasting_key":
                lasting.add(_value(arguments[0], module))
    assert {"psp-credentials", "bank-party", "trading-server", "second-factor"} <= seals
    assert seals - {None} <= declared
    assert {"job-result", "document", "settlement-report"} <= files
    assert files - {None} <= FILE_PURPOSES
    assert lasting == set(LastingKey.objects.values_list("purpose", flat=True))


def _value(node, module):
    """The purpose: a literal, or a constant of its module; None for what a caller hands in."""
    if isinstance(node, ast.Constant):
        return node.value
    return getattr(import_module(module), node.id, None) if isinstance(node, ast.Name) else None

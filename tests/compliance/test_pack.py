"""The regulator's pack: complete, readable, and refused when a single byte differs."""

import io
import json
import subprocess
import sys

import pikepdf
import pypdfium2
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from clients.audit_codes import ClientsAction
from compliance import packs, trails
from compliance.pack_check import check_pack, verifier
from compliance.trails import TrailFilter
from crm.errors import NotAllowed
from crm.files.jobs import run_job
from crm.models import AccessEvent, AuditEvent, Job
from crm.privacy import erasures
from crm.security import audit
from kyc.audit_codes import KycAction
from tests.crm.rendering.pdfua import problems_of

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = settings.BASE_DIR / "deploy" / "verify_pack.py"


@pytest.fixture
def trail(cast):
    """Rows of two clients under several seals."""
    for number in range(5):
        with transaction.atomic():
            for client in (cast.client, cast.other_client):
                audit.record(
                    actor=cast.agent,
                    action=ClientsAction.NOTE_ADDED,
                    target=client,
                    client_id=client.pk,
                    brand_id=cast.brand.pk,
                    before={"status": "new"},
                    after={"status": "contacted"},
                    reason=f"Anruf {number}: Übermorgen",
                )
            audit.record(
                actor=None,
                action=KycAction.LEVEL_REACHED,
                target=cast.client,
                client_id=cast.client.pk,
                brand_id=cast.brand.pk,
                after={"level": 1},
            )
        if number % 2:
            audit.seal_pending()
    return cast


def make(cast, **chosen):
    return packs.make_pack(client=cast.client, actor=cast.auditor, chosen=TrailFilter(**chosen))


def run_script(path, *arguments):
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(path), *arguments], capture_output=True, text=True, timeout=60, cwd="/"
    )


def test_the_pack_holds_by_the_command_and_by_the_script_alone(trail, tmp_path, capsys):
    name, content = make(trail)
    assert name.startswith(f"audit-trail-{trail.client.pk}-")
    path = tmp_path / name
    path.write_bytes(content)
    call_command("verify_pack", str(path))
    assert "File verified: 10 entries" in capsys.readouterr().out
    done = run_script(path)
    assert done.returncode == 0, done.stderr
    assert "holds. 10 rows under" in done.stdout and ", 0 not sealed" in done.stdout


def test_it_is_a_pdf_for_people_with_the_proof_attached(trail):
    _name, content = make(trail)
    document = pypdfium2.PdfDocument(content)
    text = document[0].get_textpage().get_text_range()
    document.close()
    assert "Audit trail" in text and "Clara Weber" in text and "Note added" in text and "Übermorgen" in text
    assert "status" in text.lower() and "new → contacted" in text
    assert problems_of(io.BytesIO(content)) == []
    with pikepdf.open(io.BytesIO(content)) as pdf:
        attached = json.loads(pdf.attachments["trail.json"].get_file().read_bytes())
    assert len(attached["rows"]) == 10 and attached["client"]["name"] == "Clara Weber"
    assert {row["body"].get("reason", "")[:5] for row in attached["rows"]} == {"Anruf", ""}


def test_only_this_clients_rows_and_only_what_the_filter_says(trail):
    _name, content = make(trail, area="kyc", who="system")
    rows = verifier().verify(content)[0]["rows"]
    assert len(rows) == 5 and {row["action"] for row in rows} == {"kyc.level_reached"}


@pytest.mark.parametrize("place", ["start", "middle of a page", "attachment", "signature", "key", "end"])
def test_one_flipped_bit_is_noticed(trail, tmp_path, place):
    _name, content = make(trail)
    at = {
        "start": 20,
        "middle of a page": len(content) // 3,
        "attachment": content.rindex(b"/EmbeddedFile") + 200,
        "signature": len(content) - 20,
        "key": content.rindex(b"key=") + 10,
        "end": len(content) - 1,
    }[place]
    for bit in (1, 32):
        broken = bytearray(content)
        broken[at] ^= bit
        path = tmp_path / "broken.pdf"
        path.write_bytes(broken)
        done = run_script(path)
        assert done.returncode != 0 and done.stderr
        with pytest.raises(SystemExit):
            call_command("verify_pack", str(path))


def test_cut_and_appended_files_are_refused(trail, tmp_path):
    _name, content = make(trail)
    for broken in (content[:-100], content + b"\n", b"%PDF-1.7 nothing", b""):
        path = tmp_path / "broken.pdf"
        path.write_bytes(broken)
        assert run_script(path).returncode == 2


def resigned(content, change):
    """What a forger with a key of their own would do: change the rows and sign again."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    trail = verifier().verify(content)[0]
    change(trail)
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    trail["public_key"] = public
    assert problems_of(io.BytesIO(content)) == []
    with pikepdf.open(io.BytesIO(content)) as pdf:
        out = __import__("io").BytesIO()
        pdf.attachments.clear()
        pdf.attachments["trail.json"] = pikepdf.AttachedFileSpec(pdf, json.dumps(trail).encode(), filename="trail.json")
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    import hashlib

    pdf_bytes = out.getvalue()
    signature = key.sign(b"keelson-pack|" + hashlib.sha256(pdf_bytes).digest()).hex()
    return pdf_bytes + packs.SIGNATURE_LINE.format(key=public, signature=signature).encode()


def test_a_forger_with_another_key_is_found_out(trail):
    _name, content = make(trail)

    def change_actor(forged):
        forged["rows"][0]["actor"] = "Somebody Else"

    problems = check_pack(resigned(content, change_actor)).problems
    assert any("shows actor 'Somebody Else'" in problem for problem in problems)
    assert any("not signed by this key" in problem for problem in problems)
    assert any("not signed by this instance" in problem for problem in problems)


@pytest.mark.parametrize("field", ["text", "position"])
def test_a_changed_row_does_not_lead_to_its_root(trail, field):
    _name, content = make(trail)

    def change(forged):
        sealed = forged["rows"][0]["sealed"]
        sealed[field] = (
            sealed["text"].replace("note_added", "note_edited") if field == "text" else sealed["position"] ^ 1
        )

    assert any(
        "does not lead to the root" in problem or "is missing" in problem
        for problem in check_pack(resigned(content, change)).problems
    )


def test_the_expected_key_can_be_named(trail, tmp_path):
    _name, content = make(trail)
    path = tmp_path / "pack.pdf"
    path.write_bytes(content)
    key = verifier().fingerprint(verifier().verify(content)[0]["public_key"])
    assert run_script(path, "--key", key).returncode == 0
    assert run_script(path, "--key", "0000:" * 7 + "0000").returncode == 1


def test_an_export_is_audited_and_logged(trail):
    make(trail)
    row = AuditEvent.objects.get(action="compliance.trail_exported")
    assert row.actor == trail.auditor and len(audit.body_of(row)["evidence"]["sha256"]) == 64
    look = AccessEvent.objects.get(kind="export")
    assert (look.user, look.client_id, look.rows) == (trail.auditor, trail.client.pk, 10)


@pytest.mark.parametrize("who", ["agent", "desk_head", "kyc_officer", "finance", "administrator", "support"])
def test_other_roles_get_no_pack(trail, who):
    with pytest.raises(NotAllowed):
        packs.make_pack(client=trail.client, actor=getattr(trail, who), chosen=TrailFilter())
    with pytest.raises(NotAllowed):
        packs.request_pack(client=trail.client, actor=getattr(trail, who), chosen=TrailFilter())
    assert not Job.objects.exists()


def test_the_job_makes_the_file(trail):
    job = packs.request_pack(client=trail.client, actor=trail.mlro, chosen=TrailFilter(area="clients"))
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "done" and job.result_name.endswith(".pdf")
    from crm.files.jobs import result_of

    content = b"".join(result_of(job))
    assert check_pack(content).holds and check_pack(content).rows == 5


def test_an_erased_client_still_has_a_pack_that_holds(trail):
    audit.seal_pending()
    erasures.destroy_client_key(trail.client.pk)
    rows = list(next(trails.whole_trail(trail.client, TrailFilter())))
    assert all(row.body_plain == {"erased": True} for row in rows)
    _name, content = make(trail)
    assert check_pack(content).holds and check_pack(content).rows == 10
    assert AuditEvent.objects.get(action="compliance.trail_exported").is_encrypted is False


def test_a_long_trail_takes_a_moment_not_a_minute(cast):
    import time

    with transaction.atomic():
        audit.record_many(
            {
                "actor": cast.agent,
                "action": ClientsAction.NOTE_ADDED,
                "target": cast.client,
                "client_id": cast.client.pk,
                "brand_id": cast.brand.pk,
                "reason": f"note {number}",
            }
            for number in range(3000)
        )
    started = time.process_time()
    _name, content = make(cast)
    assert time.process_time() - started < 15
    assert check_pack(content).holds and check_pack(content).rows == 3000


def test_tampering_in_the_database_shows_in_the_pack(trail):
    audit.seal_pending()
    victim = AuditEvent.objects.filter(client_id=trail.client.pk, action=ClientsAction.NOTE_ADDED).first()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE crm_auditevent SET actor_label = 'Nobody' WHERE id = %s", [victim.pk])
        cursor.execute("SET session_replication_role = origin")
    _name, content = make(trail)
    assert any(
        f"row {victim.pk}: its text does not lead to the root" in problem for problem in check_pack(content).problems
    )

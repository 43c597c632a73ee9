"""The regulator's pack: a client's trail as one signed PDF that proves itself.

The pages are for people. Attached is `trail.json`: the same rows with their inclusion proofs, the signed seals they lie
under, and the public key. Over everything stands a signature in the file's last line, so that a single flipped byte is
noticed. `deploy/verify_pack.py` checks it all with nothing but Python and the cryptography package.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from compliance import pack_pages, policies, sentences, trails
from compliance.audit_codes import ComplianceAction
from compliance.pack_data import Pack
from compliance.trails import TrailFilter
from crm import audit_codes
from crm.choices import AccessKind
from crm.files.jobs import start_job
from crm.models import Actor, AuditEvent, Job, User
from crm.security import access_log, audit, crypto, keys
from crm.security.policies import require

ATTACHMENT = "trail.json"
SIGNATURE_LINE = "%KEELSON-PACK-SIGNATURE v1 key={key} signature={signature}\n"
Progress = Callable[[int, int, str], None]


@transaction.atomic
def request_pack(*, client: Client, actor: User, chosen: TrailFilter) -> Job:
    """Ask for a client's pack; it is made in the background. Who: `crm.export_audit` in reach."""
    require(policies.can_export_trail(actor, client))
    return start_job(
        "compliance.trail_pack",
        owner=actor,
        parameters={"client_id": client.pk, **chosen.as_parameters()},
        title=_("Audit trail of %(client)s") % {"client": client},
    )


def make_pack(
    *, client: Client, actor: Actor, chosen: TrailFilter, progress: Progress | None = None
) -> tuple[str, bytes]:
    """Build (file name, the signed PDF). Rows that no seal covers yet are sealed first; the export itself is audited after.

    Who: `crm.export_audit` in reach. Raises: NotAllowed.
    """
    require(policies.can_export_trail(actor, client))
    while audit.seal_pending():
        pass
    pack = gather(client, actor, chosen, progress)
    pdf = pack_pages.draw(pack)
    signed = sign(attach(pdf, pack.as_json()))
    name = f"audit-trail-{client.pk}-{pack.pack_id}.pdf"
    facts = {
        "after": {"rows": len(pack.rows), **{key: value for key, value in chosen.as_parameters().items() if value}},
        "evidence": {
            "pack": pack.pack_id,
            "sha256": hashlib.sha256(signed).hexdigest(),
            "head": pack.head.get("hash", ""),
        },
    }
    with transaction.atomic():
        _note_export(client, actor, facts)
        access_log.note(
            user=actor,
            kind=AccessKind.EXPORT,
            client_id=client.pk,
            brand_id=client.brand_id,
            rows=len(pack.rows),
            target=f"compliance.pack:{pack.pack_id}",
        )
    return name, signed


def _note_export(client: Client, actor: Actor, facts: dict[str, Any]) -> None:
    """Into the audit log; for an erased client without the encryption that is no longer possible."""
    common = {
        "actor": actor,
        "action": ComplianceAction.TRAIL_EXPORTED,
        "target": client,
        "brand_id": client.brand_id,
        **facts,
    }
    try:
        audit.record(client_id=client.pk, **common)
    except crypto.KeyDestroyed:
        audit.record(**common)


def gather(client: Client, actor: Actor, chosen: TrailFilter, progress: Progress | None = None) -> Pack:
    """Collect rows, proofs and seals."""
    pack = Pack(secrets.token_hex(6), client, sentences.utc(timezone.now()), str(actor), chosen=chosen)
    head = trails.head_seal()
    if head is not None:
        pack.head = {"id": head.pk, "hash": bytes(head.seal_hash).hex(), "sealed_at": head.sealed_at.isoformat()}
    for batch in trails.whole_trail(client, chosen):
        proofs = audit.prove([row.pk for row in batch])
        for row in batch:
            pack.rows.append(_row(row, proofs.get(row.pk), pack))
        if progress:
            progress(len(pack.rows), 0, _("Entries collected: %(count)d") % {"count": len(pack.rows)})
    return pack


def _row(row: AuditEvent, proof: audit.Proof | None, pack: Pack) -> dict[str, Any]:
    body: dict[str, Any] = row.body_plain  # type: ignore[attr-defined]
    shown = {
        "id": row.pk,
        "at": sentences.utc(row.at),
        "actor": row.actor_label,
        "ip": row.ip or "",
        "sentence": audit_codes.label_of(row.action),
        "action": row.action,
        "target": sentences.sealed_target(row.target_type, row.target_id),
        "details": [list(pair) for pair in sentences.details(body)],
        "body": body,
    }
    if proof is None:
        pack.unsealed += 1
        return {**shown, "sealed": None}
    seal = pack.seals.setdefault(
        proof.seal_id,
        {
            "id": proof.seal_id,
            "root": proof.root,
            "leaf_count": proof.leaf_count,
            "sealed_at": proof.sealed_at,
            "previous_hash": proof.previous_hash,
            "hash": proof.seal_hash,
            "signature": proof.signature,
            "nodes": {},
        },
    )
    _keep_siblings(seal, proof)
    return {**shown, "sealed": {"seal": proof.seal_id, "position": proof.position, "text": proof.row_text}}


def _keep_siblings(seal: dict[str, Any], proof: audit.Proof) -> None:
    """Store the sibling hashes by their place in the tree: rows of one seal share most of them."""
    siblings = iter(proof.siblings)
    position, width, level = proof.position, proof.leaf_count, 0
    while width > 1:
        if position ^ 1 < width:
            _side, sibling = next(siblings)
            seal["nodes"][f"{level}:{position ^ 1}"] = sibling
        position, width, level = position // 2, (width + 1) // 2, level + 1


def attach(pdf: bytes, content: bytes) -> bytes:
    """Attach the proof to the PDF, as readers show it under “Attachments”."""
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.attachments[ATTACHMENT] = pikepdf.AttachedFileSpec(
            document,
            content,
            filename=ATTACHMENT,
            mime_type="application/json",
            creation_date="",
            mod_date="",
            description="Rows, proofs, seals, key",
        )
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return out.getvalue()


def sign(pdf: bytes) -> bytes:
    """Sign every byte of the file in its last line; PDF readers take that line for a comment."""
    key = keys.signing_key()
    signature = key.sign(b"keelson-pack|" + hashlib.sha256(pdf).digest())
    return pdf + SIGNATURE_LINE.format(key=keys.public_hex(key), signature=signature.hex()).encode()

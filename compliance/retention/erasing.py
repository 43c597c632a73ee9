"""Erase a client: two people, nothing that stands against it, and a key that is destroyed.

What is sealed under the client's key can't be read any more; what goes with the key (`*/sql/*.sql`, triggers on
`crm_subjectkey`) is blanked in the same transaction. Money, states and the audit log stay: the log's proof covers ciphertext.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.policies import can
from compliance.audit_codes import ComplianceAction
from compliance.choices import ComplianceNotice
from compliance.models import ClosedRelation, ErasureProposal
from compliance.retention import RIGHT
from compliance.retention.obstacles import obstacles_of
from crm import approvals
from crm.approvals import Change
from crm.choices import ApprovalState
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.privacy import erasures
from crm.security import audit, crypto
from crm.security.policies import require


def awaiting_erasure(client: Client) -> ErasureProposal | None:
    """Find the proposal to erase a client that waits for a second person."""
    waiting = ErasureProposal.objects.filter(client=client, state=ApprovalState.PENDING)
    return waiting.select_related("requested_by", "client__brand").first()


def done_erasure(client: Client) -> ErasureProposal | None:
    """Find the approved erasure of a client, with who requested and who approved it."""
    done = ErasureProposal.objects.filter(client=client, state=ApprovalState.APPROVED)
    return done.select_related("requested_by", "decided_by").first()


@transaction.atomic
def propose_erasure(*, client_id: int, actor: User, reason: str) -> ErasureProposal:
    """Propose that a client is erased. A second person approves it.

    Who: `compliance.erase_client` in reach. Raises: NotAllowed, DomainError (no reason), WrongState (what stands against it, or
    a proposal waits).
    """
    client = lock(Client, client_id, "brand", "book")
    require(can(actor, client, RIGHT))
    _require_possible(client)
    return approvals.propose(ErasureProposal(client=client, reason=reason), actor=actor)


def _require_possible(client: Client) -> ClosedRelation:
    relation = ClosedRelation.objects.select_related("brand").filter(client=client).first()
    found = obstacles_of(client, relation)
    if found or relation is None:
        raise WrongState(" ".join(found))
    return relation


class ErasureApproval(approvals.ApprovalKind[ErasureProposal]):
    """The erasure of a client whose time is over. Who decides holds the same right as who proposes."""

    model = ErasureProposal
    code = "erasure"
    label = gettext_lazy("Erasure of a client")
    asks = decides = RIGHT
    proposed, rejected = ComplianceAction.ERASURE_PROPOSED, ComplianceAction.ERASURE_REJECTED
    withdrawn, approved = ComplianceAction.ERASURE_WITHDRAWN, None
    notice = ComplianceNotice.ERASURE_PROPOSED
    client_path = "client"
    related = ("client__brand",)
    one_open = ("client",)
    is_sensitive = True
    confirm = gettext_lazy("Erase this client? This can't be undone.")
    done = gettext_lazy("Client erased.")

    def lock(self, pk: int) -> ErasureProposal:
        """Lock the client first, as whoever changes the record does."""
        lock(Client, ErasureProposal.objects.values_list("client_id", flat=True).get(pk=pk))
        return super().lock(pk)

    def apply(self, item: ErasureProposal, actor: User, **given: Any) -> None:
        """Destroy the client's key. Raises: WrongState where something stands against it by now."""
        relation = _require_possible(item.client)
        relation.erased_at = timezone.now()
        relation.save(update_fields=["erased_at"])
        # Under nobody's key: the certificate has to be read when the client's is gone.
        audit.record(
            actor=actor,
            action=ComplianceAction.CLIENT_ERASED,
            target=relation,
            brand_id=relation.brand_id,
            reason=item.reason,
            after={
                "client": item.client_id,
                "ended_on": relation.ended_on.isoformat(),
                "requested_by": item.requested_by_id,
                "approved_by": actor.pk,
            },
        )
        crypto.encrypt_for_client(item.client_id, b"")  # whoever never had a key gets one: what goes with it has to go
        erasures.destroy_client_key(item.client_id)

    def title(self, item: ErasureProposal) -> LocalizedText:
        return phrase("Erasure of client #%(client)s") % {"client": item.client_id}

    def url(self, item: ErasureProposal) -> str:
        return f"/compliance/retention/{item.client_id}/"

    def changes(self, item: ErasureProposal) -> Sequence[Change]:
        relation = ClosedRelation.objects.filter(client=item.client_id).first()
        return [Change(_("Relation ended"), formats.day(relation.ended_on))] if relation else []

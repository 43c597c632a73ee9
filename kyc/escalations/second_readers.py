"""A second officer reads a document that the first isn't sure about, without seeing the first opinion."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from crm import work
from crm.errors import DomainError, WrongState
from crm.models import User
from crm.security import audit
from crm.security.policies import require
from kyc import policies
from kyc.audit_codes import KycAction
from kyc.choices import Opinion
from kyc.documents import locked
from kyc.models import SecondLook
from kyc.verdicts.second_looks import open_look


@transaction.atomic
def ask_second_reader(*, document_id: int, opinion: str, note: str, actor: User) -> SecondLook:
    """Ask a colleague to judge a document alone; one's own opinion is written down first and stays hidden from them.

    Both agree: the document comes back to who asked, to decide. They don't: it goes to a head.
    Who: `kyc.review_document`, holding the claim, not the uploader. Raises: NotAllowed,
    WrongState (read twice already), DomainError.
    """
    document = locked(document_id)
    require(policies.can_decide(actor, document))
    if opinion not in Opinion.values or not note.strip():
        raise DomainError(_("Choose what you would decide, and enter why you aren't sure."))
    if SecondLook.objects.filter(document=document).exists():
        raise WrongState(_("This document has already had a second reader."))
    look = open_look(document, asked_by=actor, first_opinion=opinion, first_note=note.strip())
    assert document.work_id is not None
    work.leave_with(document.work_id, actor=actor, text=_("Second reader requested"))
    audit.record(
        actor=actor,
        action=KycAction.SECOND_READER_REQUESTED,
        target=document,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        evidence={"sha256": document.sha256, "second_look": look.pk},
    )
    return look

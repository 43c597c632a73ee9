"""The letterhead of a brand's documents: logo, address, tax number."""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.utils import timezone

from crm.db.locking import lock
from crm.models import Actor, Brand
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.documents import policies
from wallet.models import Letterhead

TEXTS = ("address", "tax_number", "tax_note")


@transaction.atomic
def change_letterhead(*, brand_id: int, texts: dict[str, str], logo: bytes | None, actor: Actor) -> Letterhead:
    """Change the letterhead of the brand's next documents; those already made stay as they are.

    logo: a PNG, b"" to remove it, None to leave it. Who: `wallet.manage_letterhead` on the whole brand. Raises:
    NotAllowed.
    """
    require(policies.can_manage_letterhead(actor, brand_id))
    brand = lock(Brand, brand_id)
    head = Letterhead.objects.filter(brand=brand).first() or Letterhead(brand=brand)
    before, after = _state(head), {}
    for name in TEXTS:
        setattr(head, name, texts[name].strip())
    if logo is not None:
        head.logo = logo
    head.changed_by, head.changed_at = actor, timezone.now()
    head.save()
    after = _state(head)
    audit.record(
        actor=actor,
        action=WalletAction.LETTERHEAD_CHANGED,
        target=head,
        brand_id=brand.pk,
        before={name: before[name] for name in before if before[name] != after[name]},
        after={name: after[name] for name in after if before[name] != after[name]},
    )
    return head


def _state(head: Letterhead) -> dict[str, str]:
    texts = {name: str(getattr(head, name)) for name in TEXTS}
    return {**texts, "logo_sha256": hashlib.sha256(bytes(head.logo)).hexdigest() if head.logo else ""}

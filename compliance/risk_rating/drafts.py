"""Writing a risk model: its draft, which changes nothing until it was proposed and approved."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.audit_codes import ComplianceAction
from compliance.models import RiskModelDraft
from compliance.risk_rating.content import FACTORS_MAX, Content, Factor
from compliance.risk_rating.versions import content_on
from crm.brand_policies.registry import today
from crm.db.locking import lock
from crm.errors import DomainError, NotFound, WrongState
from crm.models import Actor, Brand, User
from crm.security import audit
from crm.security.policies import Decision, on_whole_brand, require

RIGHT: Final = "crm.manage_identity_policies"


def can_change(actor: Actor, brand_id: int) -> Decision:
    """Draft, propose or decide a version: the right on identity policies, on the whole brand."""
    return on_whole_brand(actor, RIGHT, brand_id)


def edited(brand: Brand) -> tuple[Content, RiskModelDraft | None]:
    """Return what an editor starts from: the draft, else the model in force."""
    draft = RiskModelDraft.objects.filter(brand=brand).select_related("changed_by").first()
    return (Content.read(draft.content) if draft else content_on(brand, today(brand))), draft


@transaction.atomic
def save_draft(*, brand_id: int, content: Content, revision: int, actor: User) -> RiskModelDraft:
    """Keep what somebody is writing. revision: that of the draft they changed, 0 where there was none.

    Who: `crm.manage_identity_policies` on the whole brand. Raises: NotAllowed, DomainError (too many factors), WrongState
    where a colleague changed it since. What else is wrong is said beside the draft and keeps it from being proposed.
    """
    require(can_change(actor, brand_id))
    brand = lock(Brand, brand_id)
    if len(content.factors) > FACTORS_MAX:
        raise DomainError(_("A model has at most %(count)s factors.") % {"count": FACTORS_MAX})
    draft = RiskModelDraft.objects.filter(brand=brand).first()
    if (draft.revision if draft else 0) != revision:
        raise WrongState(
            _("A colleague changed this model after you opened it. Reload the page and try again."),
            code="draft_changed",
        )
    draft = draft or RiskModelDraft(brand=brand, revision=0)
    draft.content, draft.revision = content.body(), draft.revision + 1
    draft.changed_by, draft.changed_at = actor, timezone.now()
    draft.save()
    audit.record(
        actor=actor,
        action=ComplianceAction.RISK_MODEL_DRAFTED,
        target=draft,
        brand_id=brand_id,
        after={"revision": draft.revision},
    )
    return draft


@transaction.atomic
def discard_draft(*, brand_id: int, actor: User) -> None:
    """Delete the draft; the model in force stays. Who: as `save_draft`. Raises: NotAllowed, NotFound."""
    require(can_change(actor, brand_id))
    brand = lock(Brand, brand_id)
    draft = RiskModelDraft.objects.filter(brand=brand).first()
    if draft is None:
        raise NotFound(_("There is no draft."))
    audit.record(
        actor=actor,
        action=ComplianceAction.RISK_MODEL_DRAFT_DISCARDED,
        target=draft,
        brand_id=brand_id,
        before={"content": draft.content},
    )
    draft.delete()


def with_factor(content: Content, factor: Factor) -> Content:
    """Put a factor in the place of the one with its code, or at the end; one without a code gets the next free one."""
    if not factor.code:
        used = {part.code for part in content.factors}
        code = next(name for number in range(1, FACTORS_MAX + 2) if (name := f"factor_{number}") not in used)
        return replace(content, factors=(*content.factors, replace(factor, code=code)))
    return replace(content, factors=tuple(factor if part.code == factor.code else part for part in content.factors))


def without_factor(content: Content, code: str) -> Content:
    """Take a factor away."""
    return replace(content, factors=tuple(part for part in content.factors if part.code != code))

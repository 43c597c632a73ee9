"""Sources that post leads, and their keys. A key is shown once, when it is made; the table holds its hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.db import transaction
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor, Brand
from crm.security import audit, policies
from crm.security.policies import Decision
from crm.security.scope import reach_of
from leads.audit_codes import LeadsAction
from leads.models import Campaign, LeadSource

PREFIX = "ksl_"
PREFIX_CHARS = 12


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def create_source(
    *, brand: Brand, name: str, code: str, actor: Actor, campaign: Campaign | None = None
) -> tuple[LeadSource, str]:
    """Let someone post leads to a brand. Returns the source and its key, which is never shown again.

    Who: `leads.manage_sources` on the brand. Raises: NotAllowed; DomainError for a code that is taken.
    """
    policies.require(can_set_up(actor, brand.pk))
    if LeadSource.objects.filter(brand=brand, code=code).exists():
        raise DomainError(_("A source with this code already exists."))
    key = PREFIX + secrets.token_urlsafe(32)
    source = LeadSource.objects.create(
        brand=brand,
        name=name,
        code=code,
        campaign=campaign,
        key_prefix=key[:PREFIX_CHARS],
        key_hash=_hash(key),
        created_by=actor,
    )
    audit.record(
        actor=actor,
        action=LeadsAction.SOURCE_CREATED,
        target=source,
        brand_id=brand.pk,
        after={"name": name, "code": code},
    )
    return source, key


@transaction.atomic
def renew_key(*, source_id: int, actor: Actor) -> tuple[LeadSource, str]:
    """Replace a source's key; the old one stops working at once. Who: `leads.manage_sources` on the brand. Raises: NotAllowed."""
    source = locked_source(source_id, actor)
    key = PREFIX + secrets.token_urlsafe(32)
    source.key_prefix, source.key_hash = key[:PREFIX_CHARS], _hash(key)
    source.save(update_fields=["key_prefix", "key_hash"])
    audit.record(actor=actor, action=LeadsAction.SOURCE_KEY_RENEWED, target=source, brand_id=source.brand_id)
    return source, key


@transaction.atomic
def set_source_active(*, source_id: int, actor: Actor, is_active: bool) -> LeadSource:
    """Stop a source, or let it post again. Who: `leads.manage_sources` on the brand. Raises: NotAllowed."""
    source = locked_source(source_id, actor)
    if source.is_active != is_active:
        source.is_active = is_active
        source.save(update_fields=["is_active"])
        audit.record(
            actor=actor,
            action=LeadsAction.SOURCE_STARTED if is_active else LeadsAction.SOURCE_STOPPED,
            target=source,
            brand_id=source.brand_id,
        )
    return source


def locked_source(source_id: int, actor: Actor) -> LeadSource:
    """Lock a source for whoever may set up sources of its brand. Raises NotAllowed."""
    policies.require_permission(actor, "leads.manage_sources")
    source = lock(LeadSource, source_id, "brand")
    policies.require(can_set_up(actor, source.brand_id))
    return source


def can_set_up(actor: Actor, brand_id: int) -> Decision:
    """Decide who sets up sources: `leads.manage_sources` on the brand."""
    allowed = policies.has_permission(actor, "leads.manage_sources")
    if not allowed or actor is None or brand_id in reach_of(actor).brands:
        return allowed
    return policies.no(_("You can't set up sources for a brand you don't have access to."))


def find_by_key(key: str) -> LeadSource | None:
    """Find the active source of a key, compared in constant time; None for any other text."""
    if not key.startswith(PREFIX):
        return None
    source = (
        LeadSource.objects.select_related("brand", "campaign")
        .filter(key_prefix=key[:PREFIX_CHARS], is_active=True)
        .first()
    )
    return source if source and hmac.compare_digest(source.key_hash, _hash(key)) else None

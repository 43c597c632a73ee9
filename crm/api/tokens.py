"""API tokens: created, rotated with an overlap, revoked. The secret is returned once; the table holds its hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import approvals
from crm.api.scopes import POWERFUL, scopes_of
from crm.audit_codes import CrmAction
from crm.choices import TokenState
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import ApiScopeRequest, ApiToken, User
from crm.security import audit
from crm.security.policies import YES, Decision, has_permission, no, require
from crm.staff.queries import service_accounts_visible_to

USES: Final = "crm.use_api"
MANAGES: Final = "crm.manage_api"
PERSONAL_PREFIX: Final = "kpt_"
SERVICE_PREFIX: Final = "ksv_"
PARTNER_PREFIX: Final = "kpa_"
HINT_CHARS: Final = 10
DAYS_MAX: Final = 366
OVERLAP: Final = dt.timedelta(hours=24)
PER_USER_MAX: Final = 20
NETWORKS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class TokenDetails:
    """What the person chooses. days: until it expires. reason: why it needs powerful scopes, for the second person."""

    name: str
    scopes: Sequence[str]
    days: int = 90
    networks: Sequence[str] = field(default_factory=list)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PartnerRules:
    """Who has tokens among partners: the app that knows their teams says so. has(actor): may create one for themselves;
    ends(actor, user): may revoke one of this user; sees(actor): the users whose tokens somebody sees besides their own."""

    has: Callable[[User], Decision]
    ends: Callable[[User, User], Decision]
    sees: Callable[[User], QuerySet[User]]


_partners: list[PartnerRules] = []


def register_partner_rules(rules: PartnerRules) -> None:
    """Let an app decide about tokens of partners."""
    _partners[:] = [rules]


def can_have_tokens(actor: User, user: User) -> Decision:
    """Personal tokens are made by the person alone, those of a service account by whoever sets these up in its brand."""
    if actor.is_service:
        return no(_("A service account can't create or change tokens."))
    if user.is_service:
        allowed = has_permission(actor, MANAGES)
        if allowed and not service_accounts_visible_to(actor).filter(pk=user.pk).exists():
            return no(_("You don't have access to this brand."))
        return allowed
    if actor.pk != user.pk:
        return no(_("Personal tokens are created by their owner only."))
    if actor.is_partner and _partners:
        return _partners[0].has(actor)
    return has_permission(actor, USES)


def can_revoke(actor: User, user: User) -> Decision:
    """Decide who ends a token: its user, the owner of their partner's team, or whoever sets up the service account."""
    if actor.pk == user.pk and not actor.is_service:
        return YES
    if user.is_partner and _partners and not actor.is_service:
        return _partners[0].ends(actor, user)
    return can_have_tokens(actor, user)


def tokens_visible_to(user: User) -> QuerySet[ApiToken]:
    """Select a person's own tokens and, for those who set these up, the ones of their brands' service accounts."""
    rows = ApiToken.objects.select_related("user", "created_by")
    own = rows.filter(user=user)
    if user.is_partner and _partners:
        return own | rows.filter(user__in=_partners[0].sees(user))
    if not user.is_team or not user.has_perm(MANAGES):
        return own
    return own | rows.filter(user__in=service_accounts_visible_to(user))


@transaction.atomic
def create_token(*, user_id: int, actor: User, details: TokenDetails) -> tuple[ApiToken, str]:
    """Create a token and return it with its secret, which is never shown again. Powerful scopes wait for a second person.

    Raises: NotAllowed; DomainError for unknown scopes, addresses that are none, too many tokens, or no reason for
    powerful scopes.
    """
    user = lock(User, user_id)
    require(can_have_tokens(actor, user))
    _check(details, user)
    if user.api_tokens.filter(revoked_at=None, expires_at__gt=timezone.now()).count() >= PER_USER_MAX:
        raise DomainError(_("%(count)s active tokens are the limit. Revoke one first.") % {"count": PER_USER_MAX})
    powerful = sorted(set(details.scopes) & POWERFUL)
    token, secret = _write(
        user=user,
        actor=actor,
        name=details.name.strip(),
        scopes=sorted(set(details.scopes) - POWERFUL),
        networks=[str(ipaddress.ip_network(text.strip(), strict=False)) for text in details.networks],
        expires_at=timezone.now() + dt.timedelta(days=details.days),
    )
    audit.record(
        actor=actor,
        action=CrmAction.API_TOKEN_CREATED,
        target=token,
        brand_id=user.brand_id,
        after={"name": token.name, "user": str(user), "scopes": token.scopes, "expires_at": token.expires_at},
    )
    if powerful:
        approvals.propose(ApiScopeRequest(token=token, scopes=powerful, reason=details.reason), actor=actor)
    return token, secret


@transaction.atomic
def rotate_token(*, token_id: int, actor: User) -> tuple[ApiToken, str]:
    """Replace a token by one with the same scopes and lifetime; the old one works for another day, or until it expires.

    Raises: NotAllowed; WrongState for one that isn't active or was replaced already.
    """
    old = lock(ApiToken, token_id, "user")
    require(can_have_tokens(actor, old.user))
    if old.state != TokenState.ACTIVE or ApiToken.objects.filter(replaces=old).exists():
        raise WrongState(_("Only an active token that wasn't replaced yet can be rotated."))
    now = timezone.now()
    token, secret = _write(
        user=old.user,
        actor=actor,
        name=old.name,
        scopes=old.scopes,
        networks=old.networks,
        expires_at=now + (old.expires_at - old.created_at),
        replaces=old,
    )
    old.expires_at = min(old.expires_at, now + OVERLAP)
    old.save(update_fields=["expires_at"])
    audit.record(
        actor=actor,
        action=CrmAction.API_TOKEN_ROTATED,
        target=token,
        brand_id=old.user.brand_id,
        before={"token": old.pk, "expires_at": old.expires_at},
        after={"token": token.pk, "expires_at": token.expires_at},
    )
    return token, secret


@transaction.atomic
def revoke_token(*, token_id: int, actor: User) -> ApiToken:
    """End a token immediately, and what was issued for it. Raises: NotAllowed, WrongState."""
    token = lock(ApiToken, token_id, "user")
    require(can_revoke(actor, token.user))
    if token.revoked_at:
        raise WrongState(_("This token is already revoked."))
    token.revoked_at, token.revoked_by = timezone.now(), actor
    token.save(update_fields=["revoked_at", "revoked_by"])
    audit.record(actor=actor, action=CrmAction.API_TOKEN_REVOKED, target=token, brand_id=token.user.brand_id)
    return token


def hash_of(secret: str) -> bytes:
    """Hash a secret for the table. It has 256 random bits, so that a fast hash is as good as a slow one."""
    return hashlib.sha256(secret.encode()).digest()


def _write(*, user: User, actor: User, **fields: object) -> tuple[ApiToken, str]:
    prefix = SERVICE_PREFIX if user.is_service else PARTNER_PREFIX if user.is_partner else PERSONAL_PREFIX
    secret = prefix + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user, created_by=actor, hint=secret[:HINT_CHARS], secret_hash=hash_of(secret), **fields
    )
    return token, secret


def _check(details: TokenDetails, user: User) -> None:
    if not details.name.strip():
        raise DomainError(_("Enter a name."))
    if not details.scopes or set(details.scopes) - {scope.code for scope in scopes_of(is_partner=user.is_partner)}:
        raise DomainError(_("Choose at least one scope from the list."))
    if not 1 <= details.days <= DAYS_MAX:
        raise DomainError(_("A token is valid for 1 to %(days)s days.") % {"days": DAYS_MAX})
    if len(details.networks) > NETWORKS_MAX:
        raise DomainError(_("%(count)s addresses are the limit.") % {"count": NETWORKS_MAX})
    for text in details.networks:
        try:
            ipaddress.ip_network(text.strip(), strict=False)
        except ValueError as error:
            raise DomainError(_("%(text)s isn't an IP address or network.") % {"text": text}) from error
    if set(details.scopes) & POWERFUL and not details.reason.strip():
        raise DomainError(_("Enter the reason for the powerful scopes. Another person approves them."))

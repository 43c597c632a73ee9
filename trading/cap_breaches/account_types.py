"""What a brand offers: account types, added and changed by administrators, never deleted (accounts point at them)."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed
from crm.models import Actor, User
from crm.security import audit
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from trading.audit_codes import TradingAction
from trading.choices import AccountKind
from trading.models import AccountType
from trading.platforms.base import LEVERAGE_MAX

ADDS: Final = "trading.add_accounttype"
CHANGES: Final = "trading.change_accounttype"
FIELDS: Final[tuple[str, ...]] = (
    "name",
    "kind",
    "server",
    "group",
    "currency",
    "leverages",
    "default_leverage",
    "min_deposit",
    "spread_from",
    "commission_per_lot",
    "execution",
    "is_swap_free",
    "kyc_level",
    "countries",
    "excluded_countries",
    "is_default",
    "is_enabled",
    "asks_for_passwords",
    "position",
)


def types_visible_to(user: User) -> QuerySet[AccountType]:
    """Select account types of the brands that a member of staff reaches."""
    types = AccountType.objects.filter(brand_id__in=reach_of(user).brands)
    return types.select_related("brand", "server").order_by("brand__name", "position", "pk")


@transaction.atomic
def add_type(*, brand_id: int, actor: Actor, **fields: Any) -> AccountType:
    """Add an account type. Who: `trading.add_accounttype`, for a brand in reach. Raises: NotAllowed, DomainError."""
    require_permission(actor, ADDS)
    _reaches(actor, brand_id)
    account_type = AccountType(brand_id=brand_id, **{name: fields[name] for name in FIELDS if name in fields})
    _check(account_type)
    _only_default(account_type)
    account_type.save()
    audit.record(
        actor=actor,
        action=TradingAction.ACCOUNT_TYPE_ADDED,
        target=account_type,
        brand_id=brand_id,
        after={name: str(getattr(account_type, name)) for name in FIELDS},
    )
    return account_type


@transaction.atomic
def change_type(*, type_id: int, actor: Actor, **fields: Any) -> AccountType:
    """Change a type; accounts that are open keep the group and leverage they have.

    Who: `trading.change_accounttype`, for a brand in reach. Raises: NotAllowed, DomainError.
    """
    require_permission(actor, CHANGES)
    account_type = lock(AccountType, type_id)
    _reaches(actor, account_type.brand_id)
    changes = {n: fields[n] for n in FIELDS if n in fields and getattr(account_type, n) != fields[n]}
    before = {name: str(getattr(account_type, name)) for name in changes}
    for name, value in changes.items():
        setattr(account_type, name, value)
    _check(account_type)
    _only_default(account_type)
    account_type.save()
    if changes:
        audit.record(
            actor=actor,
            action=TradingAction.ACCOUNT_TYPE_CHANGED,
            target=account_type,
            brand_id=account_type.brand_id,
            before=before,
            after={name: str(value) for name, value in changes.items()},
        )
    return account_type


def _reaches(actor: Actor, brand_id: int) -> None:
    if actor is not None and brand_id not in reach_of(actor).brands:
        raise NotAllowed(_("You don't have access to this brand."))


def _check(account_type: AccountType) -> None:
    account_type.leverages = sorted(set(account_type.leverages))
    account_type.is_demo = account_type.kind == AccountKind.DEMO
    account_type.currency = account_type.currency.strip().upper()
    account_type.group = account_type.group.strip()
    same = AccountType.objects.filter(
        brand_id=account_type.brand_id, name=account_type.name, currency=account_type.currency
    ).exclude(pk=account_type.pk)
    if any(n < 1 or n > LEVERAGE_MAX for n in account_type.ladder):
        raise DomainError(_("Leverage must be between 1:1 and 1:500."))
    if same.exists():
        raise DomainError(_("This brand already has an account type with this name and currency."))
    if set(account_type.countries) & set(account_type.excluded_countries):
        raise DomainError(_("A country can't be both included and excluded."))
    if account_type.is_default and (account_type.is_demo or not account_type.is_enabled):
        raise DomainError(_("An account type that opens automatically must be offered and can't be a demo type."))


def _only_default(account_type: AccountType) -> None:
    """Keep one default per brand: a new one takes the place of the old one."""
    if account_type.is_default:
        others = AccountType.objects.filter(brand_id=account_type.brand_id, is_default=True).exclude(pk=account_type.pk)
        others.update(is_default=False)

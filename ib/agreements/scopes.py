"""Several agreements of a partner at one time: what each takes, which one took a trade and why, and what they are refused for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.i18n import formats
from ib.choices import BESIDE_TRADES, Component, Network, VersionState
from ib.models import Accrual, Attribution, Partner, PartnerPlan, PlanVersion, ReferralLink, RevenueMonth
from ib.models.plans import USUAL_PRIORITY, AgreementScope
from trading.choices import PlatformKind
from trading.models import PastAccountGroup, TradingAccount

# So many agreements with a scope a partner may have at a time.
SCOPES_MAX: Final = 20
MASKS_MAX: Final = 20


@dataclass(frozen=True)
class Scope:
    """What an agreement is of: a link, a client, or a place among the partner's agreements with what it takes; else all."""

    link_id: int | None = None
    client_id: int | None = None
    priority: int = USUAL_PRIORITY
    platforms: list[str] = field(default_factory=list)
    account_groups: list[str] = field(default_factory=list)
    link_ids: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, row: Any) -> Scope:
        """Return the scope of an agreement, or of a proposed one."""
        return cls(**{name: getattr(row, name) for name in cls.__dataclass_fields__})

    @property
    def is_usual(self) -> bool:
        return self.link_id is None and self.client_id is None and self.priority == USUAL_PRIORITY

    @property
    def place(self) -> dict[str, Any]:
        """Return what at most one agreement of a partner has at a time."""
        return {"link_id": self.link_id, "client_id": self.client_id, "priority": self.priority}

    @property
    def takes(self) -> dict[str, Any]:
        return {"platforms": self.platforms, "account_groups": self.account_groups, "link_ids": self.link_ids}

    @property
    def values(self) -> dict[str, Any]:
        return self.place | self.takes

    @property
    def noted(self) -> dict[str, Any]:
        """Return what an audit entry says of it."""
        given = {name: value for name, value in self.values.items() if value}
        return given if self.priority != USUAL_PRIORITY else {key: given[key] for key in given if key != "priority"}


USUAL: Final = Scope()


def check_scope(partner: Partner, scope: Scope, *, is_ending: bool) -> None:
    """Refuse a scope that would apply to nobody, or whose place among the partner's agreements isn't clear.

    Raises: DomainError.
    """
    if scope.link_id is not None and scope.client_id is not None:
        raise DomainError(_("Choose either a link or a client."))
    if scope.link_id is not None and not partner.referral_links.filter(pk=scope.link_id).exists():
        raise DomainError(_("This link belongs to another partner."))
    if (
        scope.client_id is not None
        and not partner.attributions.filter(client_id=scope.client_id, ends_at=None).exists()
    ):
        raise DomainError(_("This client isn't one of the partner's own clients."))
    has_scope, has_place = any(scope.takes.values()), scope.priority != USUAL_PRIORITY
    if has_place and (scope.link_id or scope.client_id):
        raise DomainError(_("An agreement for one link or client comes before all others and has no priority."))
    if has_place and not 1 <= scope.priority < USUAL_PRIORITY:
        raise DomainError(_("Enter a priority from 1 to %(most)s.") % {"most": USUAL_PRIORITY - 1})
    if has_scope and not has_place:
        raise DomainError(_("Enter a priority: it decides which of the partner's agreements takes a trade."))
    if has_place and not has_scope and not is_ending:
        raise DomainError(_("Choose what this agreement applies to, or leave the priority empty for the usual one."))
    if len(scope.account_groups) > MASKS_MAX:
        raise DomainError(_("Enter at most %(most)s account types.") % {"most": MASKS_MAX})
    known = partner.referral_links.filter(pk__in=scope.link_ids).count()
    if known != len(set(scope.link_ids)):
        raise DomainError(_("This link belongs to another partner."))
    if has_place and not is_ending:
        _refuse_too_many(partner, scope)


def _refuse_too_many(partner: Partner, scope: Scope) -> None:
    others = PartnerPlan.objects.filter(partner=partner, ends_at=None, priority__lt=USUAL_PRIORITY)
    if others.exclude(priority=scope.priority).count() >= SCOPES_MAX:
        raise DomainError(_("A partner can have at most %(most)s agreements with a scope.") % {"most": SCOPES_MAX})


def _not_by_trade() -> Q:
    return Q(components__component__in=BESIDE_TRADES) | Q(cpa__isnull=False)


def check_plan_fits(plan_id: int, scope: Scope) -> None:
    """Refuse a plan that pays by month or per client for an agreement by platform or account type. Raises: DomainError."""
    if not (scope.platforms or scope.account_groups):
        return
    versions = PlanVersion.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=timezone.now()), _not_by_trade(), plan_id=plan_id, state=VersionState.ACTIVE
    )
    if versions.exists():
        raise DomainError(_refused())


def check_version_fits(version: PlanVersion) -> None:
    """Refuse a version that pays by month or per client while its plan has an agreement by platform or account type.

    Raises: DomainError.
    """
    held = PartnerPlan.objects.filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now()), plan_id=version.plan_id)
    if (
        PlanVersion.objects.filter(_not_by_trade(), pk=version.pk).exists()
        and held.exclude(platforms=[], account_groups=[]).exists()
    ):
        raise DomainError(_refused())


@contextmanager
def refusing_misfits() -> Iterator[None]:
    """Say in words what the database refuses where an agreement and a version of its plan are made at the same time.

    Raises: DomainError.
    """
    try:
        yield
    except IntegrityError as error:
        if "cannot be limited to a platform" not in str(error):
            raise
        raise DomainError(_refused()) from error


def _refused() -> str:
    return _(
        "A CPA, what is paid per challenge, a share of net revenue and a monthly pot are paid per client, across all"
        " of their accounts: they can't be limited to a platform or account type. Use a plan that pays per trade, "
        "and agree the other one for links, or as the usual plan."
    )


def describe(row: AgreementScope | Scope, codes: dict[int, str] | None = None) -> str:
    """Describe in a phrase what an agreement takes: for whom, on which accounts. codes: of links, where they are known."""
    link_id, client_id = getattr(row, "link_id", None), getattr(row, "client_id", None)
    if client_id is not None:
        return _("client #%(number)s") % {"number": client_id}
    links = [link_id] if link_id is not None else list(row.link_ids)
    parts = []
    if row.platforms:
        parts.append(" / ".join(str(PlatformKind(kind).label) for kind in row.platforms))
    if row.account_groups:
        parts.append(_("accounts %(groups)s") % {"groups": ", ".join(row.account_groups)})
    if links:
        names = codes if codes is not None else link_codes([row])
        parts.append(
            _("clients of the links %(codes)s") % {"codes": ", ".join(names.get(pk, f"#{pk}") for pk in links)}
        )
    return ", ".join(parts) or _("everything else")


def link_codes(rows: list[Any]) -> dict[int, str]:
    """Return the codes of all links that agreements name: one query."""
    wanted = {pk for row in rows for pk in row.link_ids} | {row.link_id for row in rows if row.link_id}
    return dict(ReferralLink.objects.filter(pk__in=wanted).values_list("pk", "code")) if wanted else {}


def in_order(partner: Partner, **only: Any) -> list[PartnerPlan]:
    """List a partner's agreements of today in the order in which they take a trade: the usual one is the last.

    only: further conditions, such as `client=None`.
    """
    rows = PartnerPlan.objects.filter(partner=partner, ends_at=None, **only).select_related("plan", "link")
    return sorted(rows, key=_order)


def _order(row: PartnerPlan) -> tuple[int, int, int]:
    return (0 if row.client_id else 1 if row.link_id else 2, row.priority, row.pk)


@dataclass(frozen=True)
class Trade:
    """What decides which agreement takes a trade. A CPA, a challenge or a client's month has no account: both are empty."""

    partner_id: int
    client_id: int
    link_id: int | None
    at: dt.datetime
    platform: str = ""
    account_group: str = ""

    def fits(self, row: PartnerPlan) -> bool:
        if row.client_id is not None:
            return row.client_id == self.client_id
        if row.link_id is not None:
            return row.link_id == self.link_id
        if row.link_ids and self.link_id not in row.link_ids:
            return False
        if row.platforms and self.platform not in row.platforms:
            return False
        return not row.account_groups or (bool(self.platform) and any(map(self._matches, row.account_groups)))

    def _matches(self, mask: str) -> bool:
        """As in the engine: an asterisk stands for anything, nothing else does."""
        pattern = "".join(f"[{sign}]" if sign in "?[" else sign for sign in mask.lower())
        return fnmatchcase(self.account_group.lower(), pattern)


@dataclass(frozen=True)
class Taken:
    """The agreement that took a trade, and those before it whose scope the trade doesn't fit."""

    agreement: PartnerPlan | None
    passed: list[PartnerPlan]
    count: int


def agreements_ever(partner_id: int, client_id: int) -> list[PartnerPlan]:
    """List what a partner has ever agreed that may be about a client."""
    rows = PartnerPlan.objects.filter(Q(client=None) | Q(client_id=client_id), partner_id=partner_id)
    return list(rows.select_related("plan"))


def taking(trade: Trade, ever: list[PartnerPlan] | None = None) -> Taken:
    """Find the agreement of a partner that takes a trade, as the engine does: the first in their order that it fits.

    ever: all of theirs, where they are known.
    """
    rows = agreements_ever(trade.partner_id, trade.client_id) if ever is None else ever
    held = [row for row in rows if row.starts_at <= trade.at and (row.ends_at is None or row.ends_at > trade.at)]
    ordered = sorted(held, key=_order)
    place = next((n for n, row in enumerate(ordered) if trade.fits(row)), len(ordered))
    return Taken(ordered[place] if place < len(ordered) else None, ordered[:place], len(ordered))


def trade_of(accrual: Accrual) -> Trade:
    """Return what decided on a line's agreement: the account at the close, or the client's first referral for a CPA."""
    referred = Attribution.objects.filter(client_id=accrual.client_id, partner_id=accrual.introducer_id)
    at, platform, group = accrual.closed_at, "", ""
    if accrual.component == Component.CPA:
        first = referred.order_by("starts_at").first()
        at = first.starts_at if first else at
    elif accrual.is_monthly:
        at = RevenueMonth.objects.values_list("decided_at", flat=True).get(pk=-accrual.deal_id)
    elif not accrual.is_sale:
        platform, group = account_at(accrual.account_id, at)
    open_then = referred.filter(Q(ends_at=None) | Q(ends_at__gt=at), starts_at__lte=at).first()
    return Trade(
        accrual.introducer_id, accrual.client_id, open_then.link_id if open_then else None, at, platform, group
    )


def account_at(account_id: int, at: dt.datetime) -> tuple[str, str]:
    """Return an account's platform, and the group that it was in."""
    account = TradingAccount.objects.select_related("server").filter(pk=account_id).first()
    if account is None:
        return "", ""
    past = PastAccountGroup.objects.filter(
        Q(starts_at=None) | Q(starts_at__lte=at), account=account, corrected_at=None, ends_at__gt=at
    ).first()
    return account.server.kind, past.group if past else account.group


def which_and_why(accrual: Accrual) -> str:
    """Say which of several agreements took a line's trade and why; empty where there was one, or no plan pays."""
    if accrual.version_id is None:
        return ""
    version = accrual.version
    assert version is not None
    # Above level 1 it may be the ancestor's own agreement; the same plan may be the introducer's, which pays then as well.
    is_own = accrual.level > 1 and version.network != Network.INTRODUCER
    ever = agreements_ever(accrual.partner_id if is_own else accrual.introducer_id, accrual.client_id)
    if len(ever) < 2:
        return ""
    trade = trade_of(accrual)
    if is_own:
        trade = replace(trade, partner_id=accrual.partner_id, link_id=None)
    taken = taking(trade, ever)
    held = taken.agreement
    if held is None or taken.count < 2 or held.plan_id != version.plan_id:
        return ""
    codes = link_codes([held, *taken.passed])
    text = _("Agreement “%(plan)s” since %(day)s, for %(scope)s: the first that this trade fits.") % {
        "plan": held.plan.name,
        "day": formats.day(held.starts_at),
        "scope": describe(held, codes),
    }
    others = "; ".join(f"{row.plan.name} ({describe(row, codes)})" for row in taken.passed)
    return f"{text} {_('It doesn’t fit: %(agreements)s.') % {'agreements': others}}" if others else text

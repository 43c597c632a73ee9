"""Grants bonuses: to whom, under which dated rule, and who decides.

    grant     bonus cost      −X    client credit  +X
    release   client credit   −X    wallet         +X      (wallet/bonuses/ending.py)
    burn      client credit   −X    bonus cost     +X      (wallet/bonuses/ending.py)

Client credit is a bounded account of its own per client and currency: nothing but these three journals touches it, so
it can't be withdrawn. European (ESMA, 2018/796; FCA PS19/18) and Australian (ASIC 2020/986) rules forbid bonuses to
retail clients: that refusal is the default and is lifted only by a brand's own policy.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import Category, Product
from clients.country_rules.gates import may_have
from clients.models import Client
from clients.segments.membership import is_member
from crm.audit_codes import AuditCode
from crm.db.locking import lock
from crm.errors import DomainError, IdempotencyConflict, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import localize, phrase
from crm.models import Actor, Brand, User
from crm.money.amounts import Money, from_minor, quantize, to_minor
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import YES, Decision, no, require
from wallet.audit_codes import WalletAction
from wallet.bonuses import policies
from wallet.choices.bonuses import BonusState, BonusTrigger, ReleaseBy
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.notices import WalletNotice
from wallet.core.amounts import minor_of
from wallet.core.limits import BONUS_RETAIL_BAN, in_base
from wallet.core.references import new_reference
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Account, Balance, BonusGrant, BonusPlan, BonusRule, Deposit

# ── reads ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def credit_account(client: Client, currency: str) -> Account:
    """Return the ledger account of the client's credit in a currency."""
    return posting.account_for(AccountKind.BONUS, brand_id=client.brand_id, currency=currency, client_id=client.pk)


def bonus_held(client: Client, currency: str) -> int:
    """Return the client's credit in a currency, in minor units; it can't be withdrawn."""
    row = Balance.objects.filter(
        account__kind=AccountKind.BONUS, account__client=client, account__currency=currency
    ).first()
    return row.posted_minor if row else 0


def credits_of(client: Client) -> list[Money]:
    """List the client's credit, one amount per currency that has some."""
    rows = Balance.objects.filter(account__kind=AccountKind.BONUS, account__client=client).select_related("account")
    return [Money.of_minor(row.posted_minor, row.account.currency) for row in rows if row.posted_minor]


def grants_of(client: Client, *, limit: int = 50) -> list[BonusGrant]:
    """List the client's bonuses, newest first."""
    rows = BonusGrant.objects.filter(client=client).select_related("rule__plan", "client__brand")
    return list(rows.order_by("-pk")[:limit])


def how_it_becomes_free(grant: BonusGrant) -> str:
    """Say in a sentence how the credit becomes withdrawable, for the client and for staff."""
    if grant.rule.release_by == ReleaseBy.LOTS:
        return _("Released after %(needed)s closed lots; %(done)s traded so far.") % {
            "needed": _lots(grant.lots_needed or Decimal(0)),
            "done": _lots(grant.lots_traded),
        }
    if grant.rule.release_by == ReleaseBy.DAYS and grant.release_at:
        return _("Released on %(day)s.") % {"day": formats.day(grant.release_at)}
    return _("You can trade with it but not withdraw it.")


def _lots(number: Decimal) -> str:
    return formats.number(number.quantize(Decimal("0.01")))


def rule_on(plan: BonusPlan, day: dt.date) -> BonusRule | None:
    """Return the plan's rule in force on a day."""
    return plan.rules.filter(valid_from__lte=day).order_by("-valid_from", "-pk").first()


def may_have_bonus(client: Client) -> Decision:
    """Decide whether this client may be given a bonus at all."""
    banned = BONUS_RETAIL_BAN.of(client.brand)
    if client.category == Category.RETAIL and banned & {client.brand.licence_country, client.country}:
        return no(_("ESMA, FCA and ASIC rules don't allow bonuses for this retail client."))
    if not may_have(client, Product.BONUS):
        return no(_("The country rules don't allow bonuses for this client."))
    if client.kyc_level == 0:
        return no(_("The client isn't verified yet."))
    if client.restrictions:
        return no(_("The client is restricted."))
    return YES


# ── plans ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def create_plan(*, brand: Brand, name: str, actor: Actor) -> BonusPlan:
    """Create an empty campaign. Who: `wallet.manage_bonus` on the brand.

    Raises: NotAllowed, DomainError for a name twice.
    """
    require(policies.can_manage_bonus(actor, brand.pk))
    if BonusPlan.objects.filter(brand=brand, name=name).exists():
        raise DomainError(_("There is already a plan called “%(name)s”.") % {"name": name})
    plan = BonusPlan.objects.create(brand=brand, name=name)
    audit.record(
        actor=actor, action=WalletAction.BONUS_PLAN_CREATED, target=plan, brand_id=brand.pk, after={"name": name}
    )
    return plan


@transaction.atomic
def write_rule(*, plan_id: int, actor: Actor, valid_from: dt.date, **terms: Any) -> BonusRule:
    """Write the plan's terms from a day on; past terms can't be changed.

    Who: `wallet.manage_bonus` on the brand. Raises: NotAllowed, DomainError for a day that has passed.
    """
    plan = lock(BonusPlan, plan_id, "brand")
    require(policies.can_manage_bonus(actor, plan.brand_id))
    if valid_from < timezone.now().date() and plan.rules.exists():
        raise DomainError(_("You can't backdate terms: bonuses have been granted under the current ones."))
    rule = BonusRule.objects.create(plan=plan, valid_from=valid_from, created_by=actor, **terms)
    audit.record(
        actor=actor,
        action=WalletAction.BONUS_RULE_WRITTEN,
        target=plan,
        brand_id=plan.brand_id,
        after={"valid_from": valid_from.isoformat(), **{name: str(value) for name, value in terms.items()}},
    )
    return rule


@transaction.atomic
def switch_plan(*, plan_id: int, on: bool, actor: Actor) -> BonusPlan:
    """Stop a campaign, or start it again. Bonuses that were granted go on. Who: `wallet.manage_bonus`."""
    plan = lock(BonusPlan, plan_id)
    require(policies.can_manage_bonus(actor, plan.brand_id))
    plan.is_enabled = on
    plan.save(update_fields=["is_enabled"])
    audit.record(
        actor=actor, action=WalletAction.BONUS_PLAN_SWITCHED, target=plan, brand_id=plan.brand_id, after={"on": on}
    )
    return plan


# ── giving ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def grant_bonus(
    *, client_id: int, plan_id: int, amount: Decimal, currency: str, reason: str, request_key: str, actor: Actor
) -> BonusGrant:
    """Grant a client credit by hand; above the rule's limit it waits for a second person.

    Who: `wallet.grant_bonus` in reach. Raises: NotAllowed, DomainError (client, plan, amount), IdempotencyConflict.
    """
    client = lock(Client, client_id, "brand")
    require(policies.can_grant_bonus(actor, client))
    amount_minor = minor_of(amount, currency)
    known = BonusGrant.objects.filter(client=client, request_key=request_key).first()
    if known is not None:
        if (known.amount_minor, known.currency) != (amount_minor, currency):
            raise IdempotencyConflict(_("This form was already submitted with a different amount. Start again."))
        return known
    if not reason.strip():
        raise DomainError(_("Enter a reason for this bonus."))
    allowed = may_have_bonus(client)
    if not allowed:
        raise DomainError(allowed.reason)
    plan = BonusPlan.objects.filter(pk=plan_id, brand_id=client.brand_id, is_enabled=True).first()
    rule = rule_on(plan, timezone.now().date()) if plan else None
    if rule is None:
        raise DomainError(_("This plan has no terms in effect today."))
    if not is_member(client.pk, rule.segment_id):
        raise DomainError(_("This plan is only for clients in the segment “%(segment)s”.") % {"segment": rule.segment})
    base = in_base(client.brand, amount, currency)
    left = _left(client, rule)
    if base > left:
        raise DomainError(
            _("The client can receive up to %(left)s more under this plan.")
            % {"left": formats.money(left, client.brand.base_currency)}
        )
    needs_second = to_minor(base, client.brand.base_currency) > rule.four_eyes_minor
    grant = _write(
        client,
        BonusOffer(rule, Money(amount, currency), base),
        request_key=request_key,
        reason=reason,
        actor=actor,
        needs_second=needs_second,
    )
    if needs_second:
        audit_grant(grant, WalletAction.BONUS_REQUESTED, actor=actor, reason=reason)
        notify(
            people_with("wallet.approve_bonus", brand_id=client.brand_id),
            kind=WalletNotice.BONUS_REQUESTED,
            title=phrase("Bonus of %(money)s for %(client)s: awaiting second approval")
            % {"money": grant.money, "client": client},
            url=f"/money/bonuses/{grant.pk}/",
            dedupe_key=f"bonus:{grant.pk}",
        )
        return grant
    return _give(grant, actor=actor)


@transaction.atomic
def decide_bonus(*, grant_id: int, approve: bool, actor: User, reason: str = "") -> BonusGrant:
    """Approve or refuse a bonus as the second person.

    Who: `wallet.approve_bonus`, and not the requester (also a CHECK). Raises: NotAllowed, WrongState, DomainError (no
    reason, or the client may have no bonus now).
    """
    client_id = BonusGrant.objects.values_list("client_id", flat=True).get(pk=grant_id)
    lock(Client, client_id, "brand")
    grant = lock_grant(grant_id)
    require(policies.can_decide_bonus(actor, grant))
    if not approve and not reason.strip():
        raise DomainError(_("Enter a reason."))
    grant.decided_by = actor
    if approve:
        allowed = may_have_bonus(grant.client)
        if not allowed:
            raise DomainError(allowed.reason)
        return _give(grant, actor=actor, reason=reason)
    grant.move_to(BonusState.REJECTED)
    grant.end_reason, grant.finished_at = reason, timezone.now()
    grant.save()
    audit_grant(grant, WalletAction.BONUS_REFUSED, actor=actor, reason=reason)
    notify(
        [grant.requested_by_id] if grant.requested_by_id else [],
        kind=WalletNotice.BONUS_DECIDED,
        title=phrase("Your bonus %(reference)s was rejected") % {"reference": grant.reference},
        body=reason,
        url=f"/money/bonuses/{grant.pk}/",
        dedupe_key=f"bonus:{grant.pk}:decided",
    )
    return grant


@transaction.atomic
def grant_for_deposit(deposit_id: int) -> list[BonusGrant]:
    """Grant what the brand's campaigns give for a settled deposit; the same deposit twice gives once."""
    deposit = Deposit.objects.select_related("client__brand", "wallet").get(pk=deposit_id)
    plans = list(BonusPlan.objects.filter(brand_id=deposit.brand_id, is_enabled=True).order_by("pk"))
    if not plans or deposit.settled_at is None or deposit.state != "settled":
        return []
    client = lock(Client, deposit.client_id, "brand")
    if not may_have_bonus(client):
        return []
    grants = (_earned(client, plan, deposit) for plan in plans)
    return [grant for grant in grants if grant is not None]


def _earned(client: Client, plan: BonusPlan, deposit: Deposit) -> BonusGrant | None:
    assert deposit.settled_at is not None
    rule = rule_on(plan, deposit.settled_at.date())
    if rule is None or rule.trigger == BonusTrigger.BY_HAND:
        return None
    if rule.trigger == BonusTrigger.FIRST_DEPOSIT and not deposit.is_first:
        return None
    base_currency = client.brand.base_currency
    key = f"plan:{plan.pk}:deposit:{deposit.pk}"
    if to_minor(deposit.base_amount, base_currency) < rule.deposit_minimum_minor:
        return None
    if not is_member(client.pk, rule.segment_id):
        return None
    if BonusGrant.objects.filter(client=client, request_key=key).exists():
        return None
    credited = deposit.credited
    share = min(deposit.base_amount * rule.percent / 100, _left(client, rule))
    if share <= 0 or deposit.base_amount <= 0:
        return None
    amount = quantize(credited.amount * share / deposit.base_amount, credited.currency, rounding=ROUND_DOWN)
    if amount <= 0:
        return None
    base = quantize(share, base_currency, rounding=ROUND_DOWN)
    grant = _write(
        client,
        BonusOffer(rule, Money(amount, credited.currency), base),
        request_key=key,
        reason=localize(phrase("For deposit %(reference)s") % {"reference": deposit.reference}),
        deposit=deposit,
    )
    return _give(grant)


def _left(client: Client, rule: BonusRule) -> Decimal:
    """Compute what the client may still get under the plan, in the brand's base currency."""
    not_given = [BonusState.REJECTED, BonusState.WITHDRAWN]
    grants = BonusGrant.objects.filter(client=client, rule__plan=rule.plan_id).exclude(state__in=not_given)
    so_far = grants.aggregate(total=Sum("base_amount"))["total"] or Decimal(0)
    return max(from_minor(rule.maximum_minor, client.brand.base_currency) - so_far, Decimal(0))


@dataclass(frozen=True, slots=True)
class BonusOffer:
    """What a rule gives a client: in the credit account's currency, and the same in the brand's base currency."""

    rule: BonusRule
    money: Money
    base_amount: Decimal


def _write(
    client: Client,
    offer: BonusOffer,
    *,
    request_key: str,
    reason: str,
    actor: Actor = None,
    deposit: Deposit | None = None,
    needs_second: bool = False,
) -> BonusGrant:
    rule = offer.rule
    needed = offer.base_amount / 100 * rule.lots_per_hundred if rule.lots_per_hundred else None
    return BonusGrant.objects.create(
        client=client,
        brand_id=client.brand_id,
        rule=rule,
        account=credit_account(client, offer.money.currency),
        deposit=deposit,
        reference=new_reference("B"),
        request_key=request_key,
        amount_minor=offer.money.minor,
        currency=offer.money.currency,
        base_amount=offer.base_amount,
        needs_second=needs_second,
        reason=reason[:300],
        requested_by=actor,
        created_at=timezone.now(),
        lots_needed=needed if rule.release_by == ReleaseBy.LOTS else None,
    )


def _give(grant: BonusGrant, *, actor: Actor = None, reason: str = "") -> BonusGrant:
    """Book a bonus: from the broker's bonus cost into the client's credit."""
    if grant.state != BonusState.PENDING:
        raise WrongState(_("This bonus is “%(state)s”.") % {"state": grant.get_state_display()})
    cost = posting.house(AccountKind.BONUS_COST, brand_id=grant.brand_id, currency=grant.currency)
    posting.post(
        Entry(
            key=f"bonus:{grant.reference}:grant",
            kind=JournalKind.BONUS,
            brand_id=grant.brand_id,
            lines=(Line(cost, -grant.amount_minor), Line(grant.account, grant.amount_minor)),
            description=f"{grant.reference} {grant.rule.plan}",
        ),
        actor=actor,
    )
    now, rule = timezone.now(), grant.rule
    grant.move_to(BonusState.ACTIVE)
    grant.granted_at = now
    if rule.release_by == ReleaseBy.DAYS and rule.release_days:
        grant.release_at = now + dt.timedelta(days=rule.release_days)
    if rule.expires_days:
        grant.expires_at = now + dt.timedelta(days=rule.expires_days)
    before = BonusGrant.objects.filter(client=grant.client_id, state=BonusState.ACTIVE, lots_needed__isnull=False)
    if grant.lots_needed is not None and not before.exists():
        grant.lots_from = now
    grant.save()
    audit_grant(grant, WalletAction.BONUS_GRANTED, actor=actor, reason=reason or grant.reason)
    return grant


def lock_grant(pk: int) -> BonusGrant:
    """Lock a bonus. Lock order: the client before its bonuses, so the caller has the client's lock."""
    return lock(BonusGrant, pk, "client__brand", "rule__plan", "account")


def audit_grant(
    grant: BonusGrant, action: AuditCode, *, actor: Actor = None, reason: str = "", after: dict[str, Any] | None = None
) -> None:
    """Record an audit entry about a bonus, with its reference, state and amount."""
    audit.record(
        actor=actor,
        action=action,
        target=grant,
        client_id=grant.client_id,
        brand_id=grant.brand_id,
        reason=reason,
        after={"reference": grant.reference, "state": grant.state, "amount": str(grant.money), **(after or {})},
    )

"""What a client's KYC level lets them deposit, and the dated rules of a brand for clients who aren't verified.

Both are checked when a deposit is started and when the money arrives.

The rule that shaped this is CySEC's Circular C721 of 9 July 2025: all deposits together at most EUR 2,000, from a bank
account in the client's own name, low risk only, identification first; not verified after 15 days from the first
deposit, the relation ends and the money goes back to where it came from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import RiskRating
from clients.followups import add_task
from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n.localized_text import LocalizedText, amount, joined, localize, phrase
from crm.models import Actor, Brand
from crm.money.amounts import Money, from_minor
from crm.notices.notify import notify, people_with
from crm.rates import fx
from crm.security import audit
from crm.security.policies import require
from kyc.levels.ladder import allowance_of
from wallet.audit_codes import WalletAction
from wallet.choices.deposits import DepositState, TermState
from wallet.choices.notices import WalletNotice
from wallet.choices.psp import PspKind
from wallet.core.limits import in_base
from wallet.deposits import policies
from wallet.models import Deposit, PaymentMethod, UnverifiedRule, UnverifiedTerm

C721: dict[str, Any] = {
    "valid_from": dt.date(2025, 7, 9),
    "maximum_minor": 200_000,
    "kinds": [PspKind.BANK.value],
    "own_name_only": True,
    "low_risk_only": True,
    "needs_profile": True,
    "days": 15,
    "source": "CySEC Circular C721 (9 July 2025): delayed verification of identity",
}
PROFILE = ("first_name", "last_name", "date_of_birth", "country", "address_line", "city")
TASK_DUE = dt.timedelta(days=1)
REFUND_LINES = 50


def rule_on(brand_id: int, day: dt.date) -> UnverifiedRule | None:
    """Return the brand's rule in force on a day; None where it has none."""
    rules = UnverifiedRule.objects.filter(brand_id=brand_id, valid_from__lte=day).select_related("brand")
    return rules.order_by("-valid_from", "-pk").first()


def rule_for(client: Client) -> UnverifiedRule | None:
    """Return the rule that binds this client today; None once they are verified."""
    return None if client.kyc_level > 0 else rule_on(client.brand_id, timezone.now().date())


@transaction.atomic
def write_rule(*, brand: Brand, actor: Actor, **terms: Any) -> UnverifiedRule:
    """Write the brand's rule for unverified clients from a day on.

    Who: `wallet.manage_unverifiedrule` at the brand. Raises: NotAllowed, DomainError without a source.
    """
    require(policies.can_manage_unverified_rules(actor, brand.pk))
    if not str(terms.get("source", "")).strip():
        raise DomainError(_("Enter the legal source of the rule."))
    rule = UnverifiedRule.objects.create(brand=brand, created_by=actor, **terms)
    audit.record(
        actor=actor,
        action=WalletAction.UNVERIFIED_RULE_WRITTEN,
        target=rule,
        brand_id=brand.pk,
        after={name: str(value) for name, value in terms.items()},
    )
    return rule


# ── when a deposit is started ────────────────────────────────────────────────────────────────────────────────────────


def check_intent(client: Client, method: PaymentMethod, amount: Decimal, currency: str) -> None:
    """Refuse an amount or method that the client's level, or the rule for unverified clients, doesn't allow.

    Raises DomainError with a sentence for the client.
    """
    rule = rule_for(client)
    if rule is not None:
        _check_who(client, rule)
        if rule.kinds and method.kind not in rule.kinds:
            raise DomainError(_("Until you're verified, you can only deposit by bank transfer from your own account."))
    if not allows_method(client, method.kind):
        raise DomainError(_("This payment method isn't available at your verification level."))
    most = most_for(client, rule)
    if most is None or paid_in(client) + in_base(client.brand, amount, currency) <= most:
        return
    if client.kyc_level:
        raise DomainError(_("This is more than you can deposit at your verification level."))
    raise DomainError(
        _("You can't deposit more than the limit until you're verified. Please upload your documents first.")
    )


def allows_method(client: Client, kind: str) -> bool:
    """Tell whether the client's level allows a kind of payment method, to deposit or withdraw."""
    methods = allowance_of(client).methods
    return not methods or kind in methods


def why_not(client: Client) -> str:
    """Say why this client can't deposit at all at their level, whatever the amount and method; else empty."""
    rule = rule_for(client)
    try:
        if rule is not None:
            _check_who(client, rule)
        most = most_for(client, rule)
        if most is not None and paid_in(client) >= most:
            if client.kyc_level:
                return _("You've reached the maximum deposit of your verification level.")
            return _("You've reached the maximum deposit before verification.")
    except fx.NoRate:
        return ""
    except DomainError as refused:
        return refused.message
    return ""


def still_allowed(client: Client) -> Money | None:
    """Return how much a client may still deposit at their level; None where no limit is known to bind them."""
    if why_not(client):
        return None
    most = most_for(client, rule_for(client))
    try:
        return None if most is None else Money(max(most - paid_in(client), Decimal(0)), client.brand.base_currency)
    except fx.NoRate:
        return None


def _check_who(client: Client, rule: UnverifiedRule) -> None:
    if rule.needs_profile and not all(getattr(client, name) for name in PROFILE):
        raise DomainError(_("Please complete your personal details first."))
    if rule.low_risk_only and client.risk_rating != RiskRating.LOW:
        raise DomainError(_("Please verify your identity before making a deposit."))


def most_for(client: Client, rule: UnverifiedRule | None) -> Decimal | None:
    """Return how much a client may deposit in all at their level, in the brand's base currency; None: no limit.

    A rule for unverified clients takes the place of the default level's limit; with a brand's own, the lower one binds.
    """
    minor = allowance_of(client).deposits_max_minor
    if rule is not None:
        minor = (
            rule.maximum_minor if minor is None or not client.brand.kyc_level_table else min(minor, rule.maximum_minor)
        )
    return None if minor is None else from_minor(minor, client.brand.base_currency)


def paid_in(client: Client, *, but: int | None = None) -> Decimal:
    """Sum everything that arrived so far, booked and held, in the brand's base currency.

    but: a deposit to leave out.
    """
    rows = Deposit.objects.filter(client=client)
    if but is not None:
        rows = rows.exclude(pk=but)
    settled = rows.filter(settled_at__isnull=False).aggregate(total=Sum("base_amount"))["total"] or Decimal(0)
    held = rows.filter(state=DepositState.HELD, received_minor__gt=0)
    return settled + sum(
        (in_base(client.brand, deposit.received or Decimal(0), deposit.received_currency) for deposit in held),
        Decimal(0),
    )


# ── when the money arrives ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ArrivalIssues:
    """How money that arrived breaks the rule."""

    over_limit: bool = False
    payer_not_named: bool = False


def judge_arrival(deposit: Deposit, client: Client) -> ArrivalIssues:
    """Check the rule again with what really arrived: over the limit, a forbidden method, an account without a name."""
    rule = rule_for(client)
    kind = deposit.payment_method.kind if deposit.payment_method else deposit.psp.kind
    wrong_way = (rule is not None and bool(rule.kinds) and kind not in rule.kinds) or not allows_method(client, kind)
    return ArrivalIssues(
        over_limit=wrong_way or _is_over(deposit, client, most_for(client, rule)),
        payer_not_named=rule is not None and rule.own_name_only and not deposit.payer_name.strip(),
    )


def _is_over(deposit: Deposit, client: Client, most: Decimal | None) -> bool:
    if most is None:
        return False
    received = from_minor(deposit.received_minor or 0, deposit.received_currency)
    worth = in_base(client.brand, received, deposit.received_currency)
    return paid_in(client, but=deposit.pk) + worth > most


def start_term(client: Client) -> UnverifiedTerm | None:
    """Start an unverified client's term with their first money. The client is locked; a second call changes nothing."""
    rule = rule_for(client)
    if rule is None or not rule.days or UnverifiedTerm.objects.filter(client=client).exists():
        return None
    now = timezone.now()
    term = UnverifiedTerm.objects.create(
        client=client, rule=rule, started_at=now, ends_at=now + dt.timedelta(days=rule.days)
    )
    audit.record(
        actor=None,
        action=WalletAction.UNVERIFIED_TERM_STARTED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"ends_at": term.ends_at.isoformat(), "rule": rule.source},
    )
    return term


@transaction.atomic
def note_verified(client_id: int) -> None:
    """Stop the term of a client who was verified in time."""
    lock(Client, client_id, "brand")
    term = UnverifiedTerm.objects.filter(client_id=client_id, state=TermState.RUNNING).first()
    if term is not None:
        term.move_to(TermState.VERIFIED)
        term.finished_at = timezone.now()
        term.save(update_fields=["state", "finished_at"])


def due_terms(*, limit: int = 200) -> list[int]:
    """List the running terms that are over."""
    rows = UnverifiedTerm.objects.filter(state=TermState.RUNNING, ends_at__lte=timezone.now())
    return list(rows.order_by("ends_at", "pk").values_list("pk", flat=True)[:limit])


@transaction.atomic
def end_term(term_id: int) -> str:
    """End a term that is over: no further deposit, no money to the platform, and a list of refunds for compliance.

    Returns the term's state; a client verified meanwhile is just that.
    """
    client = lock(Client, UnverifiedTerm.objects.values_list("client_id", flat=True).get(pk=term_id), "brand")
    term = lock(UnverifiedTerm, term_id, "rule")
    if term.state != TermState.RUNNING:
        return term.state
    term.move_to(TermState.VERIFIED if client.kyc_level > 0 else TermState.ENDED)
    term.finished_at = timezone.now()
    term.save(update_fields=["state", "finished_at"])
    if term.state == TermState.ENDED:
        audit.record(
            actor=None,
            action=WalletAction.UNVERIFIED_TERM_ENDED,
            target=client,
            client_id=client.pk,
            brand_id=client.brand_id,
            reason=term.rule.source,
            after={"refunds": [str(line) for line in refund_list(client)]},
        )
        _raise_task(client, term)
    return term.state


def _raise_task(client: Client, term: UnverifiedTerm) -> None:
    title = phrase("%(client)s isn't verified after %(days)s days: close the relationship and refund deposits") % {
        "client": client,
        "days": term.rule.days,
    }
    people = list(people_with("wallet.manage_unverifiedrule", brand_id=client.brand_id))
    notify(
        people,
        kind=WalletNotice.UNVERIFIED_TERM_ENDED,
        title=title,
        url="/money/unverified/",
        body=joined((line.words for line in refund_list(client)), "; "),
        dedupe_key=f"unverified-term:{term.pk}",
    )
    for person in people[:1]:
        add_task(
            client_id=client.pk,
            actor=None,
            title=localize(title),
            due_at=timezone.now() + TASK_DUE,
            assignee_id=getattr(person, "pk", person),
        )


@dataclass(frozen=True, slots=True)
class RefundLine:
    """A deposit that goes back to where it came from, and what is left of it."""

    deposit: Deposit
    money: Money

    def __str__(self) -> str:
        """For the audit row: the same in every language."""
        return f"{self.deposit.reference}: {self.money} {self._way}"

    @property
    def words(self) -> LocalizedText:
        """For pages: money as its reader writes it."""
        return joined([f"{self.deposit.reference}:", amount(self.money), self._way], " ")

    @property
    def _way(self) -> str:
        return f"→ {self.deposit.psp} {self.deposit.instrument}".strip()


def refund_list(client: Client) -> list[RefundLine]:
    """List what came in and wasn't returned yet, oldest first."""
    return refund_lists([client.pk]).get(client.pk, [])


def refund_lists(client_ids: Iterable[int]) -> dict[int, list[RefundLine]]:
    """List for each of many clients what came in and wasn't returned yet, oldest first."""
    rows = (
        Deposit.objects.filter(Q(settled_at__isnull=False) | Q(state=DepositState.HELD), client_id__in=list(client_ids))
        .select_related("psp")
        .order_by("client_id", "pk")
    )
    lines: dict[int, list[RefundLine]] = {}
    for deposit in rows[: REFUND_LINES * 20]:
        left = (deposit.received_minor or 0) - deposit.refunded_minor - deposit.charged_back_minor
        if left > 0:
            line = RefundLine(deposit, Money.of_minor(left, deposit.received_currency))
            lines.setdefault(deposit.client_id, []).append(line)
    return lines

"""Challenges of the demo: programmes on sale, and accounts with simulated money judged by their rules from their first deal on."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils import timezone

from crm import approvals
from crm.demo import Demo
from crm.events import ChallengeSold, publish
from crm.models import Brand, User
from crm.money.amounts import to_minor
from prop.appeals.filing import file_appeal
from prop.certificates.issuing import issue_certificate
from prop.challenges.pending import pending_of
from prop.choices import ChallengeState, StageState
from prop.corrections.finding import find_correction
from prop.judge import feed
from prop.judge.days import to_msc
from prop.judge.inputs import Sample
from prop.judge.live import judge_history
from prop.merging.requests import offers_of, request_merge
from prop.models import Challenge, PhaseAccount, ProgrammeVersion, PublishProposal
from prop.news.calendar import enter_releases
from prop.payouts.requests import offer_for, offer_of, request_payout
from prop.payouts.reviews import decide_payout
from prop.programmes.drafts import create_programme, draft_version
from prop.programmes.publishing import propose_publication
from prop.programmes.templates import TEMPLATES
from prop.trials.running import DAYS_MAX, run_trial
from trading.choices import AccountState
from trading.demo import IDLE
from trading.models import AccountType, Deal, EquityPoint, TradingAccount
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line

BALANCE: Final = 10_000  # what demo accounts begin with
# Sales of these last days pay partners.
PAID_TO_PARTNERS: Final = dt.timedelta(days=30)
PROGRAMMES: Final = {
    "two-step": ("Two-step", "Prove yourself in two phases, then keep 80 % of the profit."),
    "one-step": ("One-step", "One phase with a trailing limit."),
    "sprint": ("Sprint", "A small target and tight limits, for a few days."),
    "instant": ("Instant", "Trade a funded account from the first day."),
}
# What the demo's instant funding leaves out, so that some of it lasts, and pays sooner.
EASIER: Final = (("  best_day: 25\n", ""), ("  weekend: false\n", ""), ("payout_days: 14", "payout_days: 5"))
# The template of one phase with limits and a target that a few days reach.
TIGHT: Final = (
    (
        "target: 10, daily_loss: 4, max_loss: 6, max_loss_kind: trailing_equity, locks_at_start: true, min_days: 3",
        "target: 1, daily_loss: 1, max_loss: 2, news_minutes: 2",
    ),
)
# What a draft of the sprint's next version says instead: twice as much may be lost.
WIDER: Final = ("daily_loss: 1, max_loss: 2", "daily_loss: 2, max_loss: 4")
CHANGES: Final = {"instant": EASIER, "sprint": TIGHT}
OTHERS_OF: Final = 3  # of accounts with a profit each third, of those without two of three are sprints
RELEASES: Final = ("USD,Consumer prices", "EUR,Interest rate decision", "GBP,Gross domestic product", "USD,Payrolls")
TRIED_MAX: Final = 20  # deals, until judging one's account again gives something else
KEPT_FREE: Final = 5  # each fifth demo account stays one that was opened for free


def load(demo: Demo) -> None:
    """Put programmes on sale and turn demo accounts into challenges that are as far as their deals took them."""
    makers, checkers = demo.by_role.get("administrator"), demo.by_role.get("finance")
    if not makers or not checkers:
        return
    for number, brand in enumerate(demo.brands):
        demo.progress("Challenges", number, len(demo.brands))
        versions = _on_sale(brand, makers[0], checkers[0])
        accounts = TradingAccount.objects.filter(
            client__brand=brand, is_demo=True, state=AccountState.OPEN, missing_since=None, client__user__isnull=False
        ).select_related("client__brand", "server")
        twice = {account.client_id for account in accounts if account.request_key.endswith(f":{IDLE}")}
        hedged = [account.pk for account in demo.extra.get("hedged_challenge", [])]
        for place, account in enumerate(accounts.order_by("pk") if versions else []):
            kind = "instant" if account.client_id in twice else _kind_of(account, place)
            if not kind and account.pk in hedged:  # suspected abuse needs a challenge to be found on
                kind = "sprint"
            if kind:
                with transaction.atomic():
                    _challenge(account, versions[kind])
        _merge(brand)
        _pay_out(brand, checkers[0])
        _appeal(brand)
        _enter_news(brand, makers[0], demo.now)
        if versions and Challenge.objects.filter(version=versions["sprint"]).exists():
            _try_out(versions["sprint"], makers[0])
    demo.progress("Challenges", 1, 1)


def _kind_of(account: TradingAccount, place: int) -> str:
    """Choose what an account is a challenge of: instant funding mostly where it made a profit; empty where it stays free."""
    is_third = place % OTHERS_OF == OTHERS_OF - 1
    if place % KEPT_FREE == KEPT_FREE - 1:
        return ""
    if account.balance > BALANCE:
        return "sprint" if is_third else "instant"
    return "two-step" if is_third else "sprint"


def _on_sale(brand: Brand, maker: User, checker: User) -> dict[str, ProgrammeVersion]:
    """Publish the programmes by two people, on an account type of their own."""
    like = AccountType.objects.filter(brand=brand, is_demo=True, is_enabled=True).order_by("pk").first()
    if like is None:
        return {}
    kind = AccountType.objects.create(
        brand=brand,
        name="Challenge",
        kind=like.kind,
        server=like.server,
        group=like.group,
        currency=like.currency,
        leverages=like.leverages,
        default_leverage=like.default_leverage,
        spread_from=like.spread_from,
        execution=like.execution,
        kyc_level=0,
        is_demo=True,
        position=90,
    )
    versions = {}
    for code, (name, description) in PROGRAMMES.items():
        programme = create_programme(brand=brand, name=name, description=description, actor=maker)
        version = draft_version(programme_id=programme.pk, content=_terms(code, kind), actor=maker)
        proposal = propose_publication(version_id=version.pk, actor=maker, reason="On sale from today")
        approvals.approve(PublishProposal, proposal.pk, actor=checker)
        version.refresh_from_db()
        versions[code] = version
    return versions


def _terms(code: str, kind: AccountType, *more: tuple[str, str]) -> bytes:
    """Write the terms of a programme: its template with the demo's changes, and more of them."""
    template = TEMPLATES["one-step" if code == "sprint" else code][1]
    for text, other in (*CHANGES.get(code, ()), *more):
        assert text in template
        template = template.replace(text, other)
    return template.format(currency=kind.currency, account=kind.name).encode()


def _try_out(sold: ProgrammeVersion, maker: User) -> None:
    """Draft the next version of a programme with wider limits, and try it on the challenges that were bought."""
    terms = _terms("sprint", sold.account_type, WIDER)
    draft = draft_version(programme_id=sold.programme_id, content=terms, actor=maker)
    run_trial(version_id=draft.pk, days=DAYS_MAX, of_programme_id=sold.programme_id, actor=maker)


def _challenge(account: TradingAccount, version: ProgrammeVersion) -> None:
    """Let an account be a challenge from its first deposit on: funded from the start where it made a profit."""
    deposit = Deal.objects.filter(account=account, symbol="").order_by("executed_at").first()
    if deposit is None or deposit.profit != BALANCE:
        return
    TradingAccount.objects.filter(pk=account.pk).update(account_type=version.account_type)
    phase = version.phases.order_by("number")[0]
    challenge = _bought(account, version, deposit)
    row = PhaseAccount.objects.create(
        challenge=challenge,
        phase=phase,
        account=account,
        state=StageState.RUNNING,
        started_at=deposit.executed_at + dt.timedelta(seconds=1),
        judged_until=deposit.executed_at,
    )
    if phase.is_funded:
        issue_certificate(row)
    points = EquityPoint.objects.filter(account_id=account.pk, at__gt=deposit.executed_at).order_by("at")
    currency = account.currency
    samples = [Sample(to_msc(p.at), to_minor(p.balance, currency), to_minor(p.equity, currency)) for p in points]
    newest = feed.sample_of(account)
    judge_history(row, [*samples, newest] if newest and (not samples or newest.at > samples[-1].at) else samples)


def _bought(account: TradingAccount, version: ProgrammeVersion, deposit: Deal) -> Challenge:
    """Write the purchase. A welcome credit pays the fee, so that the client's wallet is what it was."""
    client, size = account.client, version.sizes.get(balance=BALANCE)
    challenge = Challenge(
        brand=client.brand,
        client=client,
        version=version,
        size=size,
        currency=version.currency,
        balance=size.balance,
        price=size.fee,
        discount=Decimal(0),
        request_key=f"demo:{account.pk}",
        bought_at=account.opened_at or deposit.executed_at,
        state=ChallengeState.FUNDED if version.phases.count() == 1 else ChallengeState.ACTIVE,
    )
    wallet, minor = posting.wallet_of(client, version.currency), to_minor(size.fee, version.currency)
    cost, income = (
        posting.house(kind, brand_id=client.brand_id, currency=version.currency)
        for kind in (AccountKind.BONUS_COST, AccountKind.CHALLENGE_FEES)
    )
    steps = (
        (JournalKind.ADJUSTMENT, "Welcome credit for a challenge", Line(cost, -minor), Line(wallet, minor)),
        (JournalKind.CHALLENGE_FEE, str(version), Line(wallet, -minor), Line(income, minor)),
    )
    for kind, text, *lines in steps:
        entry = Entry(
            key=f"demo-challenge:{account.pk}:{kind}",
            kind=kind,
            brand_id=client.brand_id,
            lines=tuple(lines),
            description=text,
        )
        challenge.payment_id = posting.post(entry).journal_id
    challenge.save()
    # What partners earn on it is accrued when it is delivered: not of months before their first one, which would stay open.
    if challenge.bought_at > timezone.now() - PAID_TO_PARTNERS:
        publish(
            ChallengeSold(
                client_id=client.pk,
                brand_id=client.brand_id,
                challenge_id=challenge.pk,
                amount=challenge.price,
                currency=challenge.currency,
                sold_at=challenge.bought_at,
            )
        )
    return challenge


def _pay_out(brand: Brand, person: User) -> None:
    """Let every trader ask who can; each second request already awaits its second approval."""
    funded = Challenge.objects.filter(brand=brand, state=ChallengeState.FUNDED).select_related(
        "client__brand", "client__user", "version"
    )
    asked = 0
    for challenge in funded.order_by("pk"):
        offer = offer_of(challenge)
        if offer is None or offer.problem or challenge.client.user is None:
            continue
        payout = request_payout(
            challenge_id=challenge.pk, request_key=f"demo:{challenge.pk}", actor=challenge.client.user
        )
        asked += 1
        if asked % 2 == 0:
            decide_payout(payout_id=payout.pk, outcome="sending", actor=person)


def _merge(brand: Brand) -> None:
    """Let the first trader ask to merge who has two funded accounts and may."""
    funded = PhaseAccount.objects.filter(
        challenge__brand=brand, challenge__state=ChallengeState.FUNDED, state=StageState.RUNNING
    ).select_related(
        "phase", "account__server", "challenge__version", "challenge__client__brand", "challenge__client__user"
    )
    rows = list(funded.filter(account__balance__gt=BALANCE).order_by("pk"))
    offers = {row.pk: offer_for(row, pending_of([row.pk])[row.pk]) for row in rows}
    for row in sorted(rows, key=lambda row: not getattr(offers[row.pk], "problem", "")):  # who can't be paid yet first
        offer = next((offer for offer in offers_of(row) if not offer.problem), None)
        if offer is not None and row.challenge.client.user is not None:
            request_merge(
                kept_id=row.pk, closed_id=offer.row.pk, request_key=f"demo:{row.pk}", actor=row.challenge.client.user
            )
            return


def _enter_news(brand: Brand, person: User, now: dt.datetime) -> None:
    """Enter releases of the next days, and one that is over: an account that traded beside it then comes out differently."""
    coming = [now.replace(hour=12, minute=30) + dt.timedelta(days=days) for days in range(1, 8)]
    lines = [f"{at:%Y-%m-%d %H:%M},{RELEASES[at.day % len(RELEASES)]}" for at in coming]
    enter_releases(brand=brand, text="\n".join(lines), actor=person)
    rows = PhaseAccount.objects.filter(
        challenge__brand=brand, phase__news_minutes__isnull=False, state__in=[StageState.RUNNING, StageState.BREACHED]
    )
    deals = Deal.objects.filter(account__challenge_phase__in=rows, symbol__contains="USD")
    newest = deals.order_by("-account__challenge_phase__state", "-executed_at")  # of running accounts first
    for executed_at, row_id in newest.values_list("executed_at", "account__challenge_phase")[:TRIED_MAX]:
        with transaction.atomic():
            text = f"{executed_at:%Y-%m-%d %H:%M},USD,Speech of the central bank’s chair"
            enter_releases(brand=brand, text=text, actor=person)
            if find_correction(phase_account_id=row_id) is not None:
                return
            transaction.set_rollback(True)


def _appeal(brand: Brand) -> None:
    """Let the first trader who lost an account appeal its breach: staff has one to decide."""
    lost = PhaseAccount.objects.filter(
        challenge__brand=brand, state=StageState.BREACHED, breach__isnull=False, challenge__client__user__isnull=False
    ).select_related("challenge__client__user")
    row = lost.order_by("pk").first()
    if row is not None and row.challenge.client.user is not None:
        reason = "The spread widened for a second. My position was closed at a price that other feeds never showed."
        file_appeal(phase_account_id=row.pk, reason=reason, actor=row.challenge.client.user)

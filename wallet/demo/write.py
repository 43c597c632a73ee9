"""Writing the demo's money: journals through the ledger in waves, then the rows that tell of them."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from decimal import Decimal
from typing import Any, TypeAlias

from clients.choices import TimelineKind
from clients.models import TimelineEntry
from clients.timeline import entry_texts
from crm.audit_codes import AuditCode
from crm.db.bulk import copy_models
from crm.demo import Demo
from crm.i18n.localized_text import LocalizedText, joined
from crm.models import Actor, User
from crm.money.amounts import Money, from_minor
from crm.security import audit, crypto
from wallet.audit_codes import WalletAction
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import BOUNDED_KINDS, AccountKind, Phase
from wallet.choices.psp import InboxState, Verdict
from wallet.choices.reconciliation import MovementKind
from wallet.choices.withdrawals import CheckResult, WithdrawalState
from wallet.core import timeline_texts
from wallet.core.limits import exceeds, in_base
from wallet.demo.journeys import Plans, Step
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Account, Deposit, PspMovement, WebhookCount, WebhookMessage, Withdrawal, WithdrawalCheck
from wallet.withdrawals.checks.registry import CHECKS
from wallet.withdrawals.destinations import destination_label, hash_destination

BATCH = 1_000
WEBHOOK_DAYS = 14
CHECK_WORDS = {
    "funds": "Enough was available.",
    "kyc": "Verified to level 2.",
    "questionnaires": "Nothing is missing.",
    "restrictions": "No restriction.",
    "country": "The country of residence is accepted.",
    "risk": "Rated: Low",
    "return_to_source": "Goes back the way it came.",
    "velocity": "0 other requests within a day.",
    "cooling_off": "Nothing was changed lately.",
    "open_margin": "No account is short of margin.",
    "bonus": "No credit is touched.",
    "aml": "Nothing is open.",
    "churn": "Not what was paid in lately.",
    "structuring": "Nothing that looks split up.",
    "payer": "The client paid in.",
    "chargeback": "None within 180 days.",
    "destination": "In the client's name, as far as it says.",
}
LOOKS = {
    "risk": "The client is rated high risk.",
    "return_to_source": "Should go back first to where it came from.",
    "cooling_off": "The destination is new or was changed within the last 24 hours.",
    "churn": "Paid in lately and goes again; only 0.02 lots were traded.",
    "payer": "Somebody else paid in.",
}


def days(number: int) -> dt.timedelta:
    return dt.timedelta(days=number)


# ── the ledger ───────────────────────────────────────────────────────────────────────────────────────────────────────


def post_steps(demo: Demo, plans: Plans) -> None:
    """Post every step. Wave n holds the n-th step of each client, so that a reservation is there before its end."""
    accounts = _Accounts(plans)
    by_client: dict[int, list[Step]] = defaultdict(list)
    for step in sorted(plans.steps, key=lambda step: step.at):
        by_client[step.client.pk].append(step)
    waves: dict[int, list[Step]] = defaultdict(list)
    for steps in by_client.values():
        for place, step in enumerate(steps):
            waves[place].append(step)
    for place in sorted(waves):
        wave = sorted(waves[place], key=lambda step: step.at)
        for start in range(0, len(wave), BATCH):
            part = wave[start : start + BATCH]
            posted = posting.post_many([accounts.entry(step) for step in part], posted_at=[step.at for step in part])
            for step, one in zip(part, posted, strict=True):
                step.journal_id = one.journal_id


Key: TypeAlias = tuple[str, int, str, int]  # kind, brand, currency, owner


class _Accounts:
    """The accounts that the steps need, opened in one statement."""

    def __init__(self, plans: Plans) -> None:
        wanted: dict[Key, Account] = {}
        for step in plans.steps:
            for key in (self._wallet(step), self._other(step)):
                wanted.setdefault(key, self._account(key))
        copy_models(list(wanted.values()))
        self.accounts = wanted
        movements: list[Any] = [*plans.deposits, *plans.withdrawals, *plans.transfers]
        for plan in movements:
            key = ("client_wallet", plan.brand_id, plan.currency, plan.client_id)
            if key not in wanted:
                wanted[key] = self._account(key)
                wanted[key].save()
            plan.wallet = wanted[key]

    @staticmethod
    def _wallet(step: Step) -> Key:
        return "client_wallet", step.client.brand_id, step.currency, step.client.pk

    @staticmethod
    def _other(step: Step) -> Key:
        kind = "psp_clearing" if step.other[0] == "psp" else "platform_clearing"
        return kind, step.client.brand_id, step.currency, step.other[1]

    @staticmethod
    def _account(key: Key) -> Account:
        kind, brand_id, currency, owner = key
        account = Account(
            kind=kind, brand_id=brand_id, currency=currency, is_bounded=AccountKind(kind) in BOUNDED_KINDS
        )
        if kind == "client_wallet":
            account.client_id = owner
        elif kind == "psp_clearing":
            account.psp_id = owner
        else:
            account.subject = f"server:{owner}"
        return account

    def entry(self, step: Step) -> Entry:
        lines: tuple[Line, ...] = ()
        if step.minor:
            wallet, other = self.accounts[self._wallet(step)], self.accounts[self._other(step)]
            lines = (Line(wallet, step.minor), Line(other, -step.minor))
        return Entry(
            key=step.key,
            kind=step.kind,
            brand_id=step.client.brand_id,
            lines=lines,
            phase=step.phase,
            description=step.about.reference,
            resolves_id=step.resolves.journal_id if step.resolves else None,
        )


# ── the movements ────────────────────────────────────────────────────────────────────────────────────────────────────


def write_movements(demo: Demo, plans: Plans) -> None:
    for step in plans.steps:
        setattr(step.about, "reservation_id" if step.phase == Phase.PENDING else "journal_id", step.journal_id)
    rates = _Rates()
    seen: set[int] = set()
    for deposit in sorted(plans.deposits, key=lambda one: one.settled_at or demo.now):
        if deposit.settled_at:
            deposit.base_amount = rates.base(deposit, deposit.received_minor or 0, deposit.settled_at)
            deposit.is_first = deposit.client_id not in seen
            seen.add(deposit.client_id)
    plans.deposits.sort(key=lambda one: one.created_at)
    plans.withdrawals.sort(key=lambda one: one.requested_at)
    plans.transfers.sort(key=lambda one: one.created_at)
    finance = demo.by_role.get("finance", [])
    for withdrawal in plans.withdrawals:
        _decide(demo, withdrawal, finance, rates)
    copy_models(plans.deposits)
    copy_models(plans.withdrawals)
    copy_models(plans.transfers)
    copy_models([check for one in plans.withdrawals for check in _checks(demo, one)])
    copy_models(_psp_movements(plans))
    webhooks = _webhooks(demo, plans)
    copy_models(webhooks)
    copy_models(_webhook_counts(webhooks))
    copy_models(list(_timeline(plans)))
    audit.record_many(_audit_rows(plans))


class _Rates:
    """Base amounts, one look-up per brand, currency and day."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, str, dt.date], Decimal] = {}

    def base(self, movement: Any, minor: int, at: dt.datetime) -> Decimal:
        brand, currency = movement.client.brand, movement.currency
        key = (brand.pk, currency, at.date())
        if key not in self.known:
            self.known[key] = in_base(brand, Decimal(100_000), currency, on=at.date()) / 100_000
        return (from_minor(minor, currency) * self.known[key]).quantize(Decimal("0.01"))


def _decide(demo: Demo, withdrawal: Withdrawal, finance: list[User], rates: _Rates) -> None:
    """Who approved it and when; where it goes; whether it needed two."""
    client, rng = withdrawal.client, demo.rng
    digits = f"{client.pk:08d}{rng.randrange(100):02d}"
    destination = {"iban": f"DE02 5001 0517 {digits[:4]} {digits[4:8]} {digits[8:]}", "holder": client.full_name}
    withdrawal.sealed_destination = crypto.encrypt_for_client(client.pk, json.dumps(destination).encode())
    withdrawal.destination_label = destination_label(destination)
    withdrawal.destination_hash = hash_destination(destination)
    withdrawal.base_amount = rates.base(withdrawal, withdrawal.amount_minor, withdrawal.requested_at)
    withdrawal.needs_second = exceeds(client.brand, withdrawal.base_amount, "withdrawal_four_eyes_minor")
    first, second = (finance[0], finance[-1]) if finance else (None, None)
    asked, end = withdrawal.requested_at, withdrawal.finished_at
    if end is None:
        if withdrawal.needs_second and rng.random() < 0.35:
            withdrawal.state = WithdrawalState.AWAITING_SECOND_APPROVAL
            withdrawal.reviewed_by, withdrawal.reviewed_at = first, asked + (demo.now - asked) / 2
        return
    if withdrawal.state == WithdrawalState.REJECTED:
        withdrawal.rejected_by = first
    elif withdrawal.state != WithdrawalState.CANCELLED:
        withdrawal.approved_at = asked + (end - asked) * 0.8
        withdrawal.sent_at = withdrawal.approved_at + dt.timedelta(seconds=1)
        if withdrawal.needs_second:
            withdrawal.reviewed_by, withdrawal.reviewed_at = first, asked + (end - asked) * 0.5
            withdrawal.approved_by = second
        elif withdrawal.base_amount <= 50:
            withdrawal.approved_automatically = True
        else:
            withdrawal.approved_by = first


def _checks(demo: Demo, withdrawal: Withdrawal) -> list[WithdrawalCheck]:
    look = demo.rng.choice(list(LOOKS)) if demo.rng.random() < 0.3 else ""
    return [
        WithdrawalCheck(
            withdrawal=withdrawal,
            name=name,
            checked_at=withdrawal.requested_at,
            outcome=CheckResult.REVIEW if name == look else CheckResult.PASS,
            reason=LOOKS[name] if name == look else CHECK_WORDS[name],
        )
        for name in CHECKS
    ]


def _psp_movements(plans: Plans) -> list[PspMovement]:
    rows = []
    movements: list[Any] = [*plans.deposits, *plans.withdrawals]
    for movement in movements:
        is_in = isinstance(movement, Deposit)
        at = movement.settled_at if is_in else movement.finished_at
        if at is None or (not is_in and movement.state != WithdrawalState.SETTLED):
            continue
        rows.append(
            PspMovement(
                psp=movement.psp,
                kind=MovementKind.PAYMENT if is_in else MovementKind.PAYOUT,
                reference=movement.reference,
                psp_reference=movement.psp_reference,
                client_id=movement.client_id,
                journal_id=movement.journal_id,
                amount_minor=movement.amount_minor if is_in else -movement.amount_minor,
                currency=movement.currency,
                occurred_at=at,
            )
        )
    return sorted(rows, key=lambda row: row.occurred_at)


def _webhooks(demo: Demo, plans: Plans) -> list[WebhookMessage]:
    """The inbox of the last fortnight; a few of its messages were forged or came twice."""
    since, rows = demo.now - days(WEBHOOK_DAYS), []
    for deposit in plans.deposits:
        if deposit.settled_at and deposit.settled_at > since:
            rows.append(_webhook(demo, deposit, deposit.settled_at))
            if demo.rng.random() < 0.06:
                rows.append(_webhook(demo, deposit, deposit.settled_at + dt.timedelta(seconds=40), Verdict.DUPLICATE))
            if demo.rng.random() < 0.02:
                rows.append(_webhook(demo, deposit, deposit.settled_at, Verdict.WRONG_SIGNATURE))
    return sorted(rows, key=lambda row: row.received_at)


def _webhook_counts(webhooks: list[WebhookMessage]) -> list[WebhookCount]:
    counts: dict[tuple[int, dt.date, str], WebhookCount] = {}
    for one in webhooks:
        if one.verdict == Verdict.ACCEPTED:
            continue
        key = (one.psp_id, one.received_at.date(), str(one.verdict))
        count = counts.setdefault(key, WebhookCount(psp_id=key[0], day=key[1], verdict=key[2]))
        count.received, count.kept, count.last_at = count.received + 1, count.kept + 1, one.received_at
    return list(counts.values())


def _webhook(demo: Demo, deposit: Deposit, at: dt.datetime, verdict: Verdict = Verdict.ACCEPTED) -> WebhookMessage:
    event_id = f"evt_{demo.rng.randbytes(12).hex()}"
    data = {
        "id": deposit.psp_reference,
        "reference": deposit.reference,
        "status": "captured",
        "amount_minor": deposit.amount_minor,
        "received_minor": deposit.amount_minor,
        "currency": deposit.currency,
    }
    body = {"id": event_id, "type": "payment.captured", "merchant": f"merchant-{deposit.psp.code}", "data": data}
    believed = verdict != Verdict.WRONG_SIGNATURE
    states = {Verdict.ACCEPTED: InboxState.DONE, Verdict.DUPLICATE: InboxState.IGNORED}
    words = {
        Verdict.ACCEPTED: f"{deposit.reference} settled",
        Verdict.DUPLICATE: "The PSP sent this event before",
        Verdict.WRONG_SIGNATURE: "Wrong signature",
    }
    return WebhookMessage(
        psp=deposit.psp,
        received_at=at,
        body=json.dumps(body).encode(),
        verdict=verdict,
        headers={"content-type": "application/json", "user-agent": "sandbox-psp/1"},
        ip="127.0.0.1",
        event_id=event_id if believed else "",
        event_type="payment.captured" if believed else "",
        reference=deposit.reference if believed else "",
        state=states.get(verdict, InboxState.REFUSED),
        attempts=1,
        outcome=words[verdict],
        processed_at=at,
    )


# ── what people and the audit log read ───────────────────────────────────────────────────────────────────────────────


def _timeline(plans: Plans) -> Any:
    for deposit in plans.deposits:
        if deposit.settled_at:
            yield _entry(
                deposit,
                deposit.settled_at,
                timeline_texts.deposit(deposit.is_first, *_sum(deposit)),
                f"deposit:{deposit.pk}",
                joined([deposit.reference, deposit.psp.client_name(deposit.currency)]),
                f"/money/deposits/{deposit.pk}/",
            )
    for one in plans.withdrawals:
        url = f"/money/withdrawals/{one.pk}/"
        yield _entry(
            one,
            one.requested_at,
            timeline_texts.withdrawal_asked_for(*_sum(one)),
            f"withdrawal-requested:{one.pk}",
            one.reference,
            url,
        )
        if one.finished_at:
            paid = one.state == WithdrawalState.SETTLED
            said = (
                timeline_texts.withdrawal_paid(*_sum(one))
                if paid
                else timeline_texts.withdrawal_came_back(one.state, *_sum(one))
            )
            key = f"withdrawal-{'settled' if paid else 'refused'}:{one.pk}"
            yield _entry(one, one.finished_at, said, key, one.reason, url)
    for transfer in plans.transfers:
        assert transfer.finished_at is not None
        yield _entry(
            transfer,
            transfer.finished_at,
            timeline_texts.transfer(transfer.direction, transfer.trading_account_label, *_sum(transfer)),
            f"transfer:{transfer.pk}",
            transfer.reference,
            "",
        )


def _sum(movement: Any) -> tuple[Decimal, str]:
    return movement.money.amount, movement.currency


def _entry(
    movement: Any, at: dt.datetime, title: LocalizedText, key: str, body: LocalizedText, url: str
) -> TimelineEntry:
    return TimelineEntry(
        client_id=movement.client_id,
        at=at,
        kind=TimelineKind.PAYMENT,
        url=url,
        dedupe_key=key,
        is_visible_to_client=True,
        **entry_texts(title=title, body=body),
    )


def _audit_rows(plans: Plans) -> list[dict[str, Any]]:
    rows = []
    for deposit in plans.deposits:
        rows.append(_fact(deposit, WalletAction.DEPOSIT_STARTED, deposit.created_at, deposit.client.user))
        if deposit.settled_at:
            rows.append(_fact(deposit, WalletAction.DEPOSIT_SETTLED, deposit.settled_at))
        elif deposit.state in (DepositState.FAILED, DepositState.EXPIRED):
            rows.append(_fact(deposit, WalletAction.of("deposit", deposit.state), deposit.created_at + days(1)))
    for one in plans.withdrawals:
        rows.append(_fact(one, WalletAction.WITHDRAWAL_REQUESTED, one.requested_at, one.client.user))
        if one.reviewed_at:
            rows.append(_fact(one, WalletAction.WITHDRAWAL_REVIEWED, one.reviewed_at, one.reviewed_by))
        if one.approved_at:
            rows.append(_fact(one, WalletAction.WITHDRAWAL_APPROVED, one.approved_at, one.approved_by))
            rows.append(_fact(one, WalletAction.WITHDRAWAL_SENT, one.sent_at))
        if one.finished_at:
            who = one.rejected_by or (one.client.user if one.state == WithdrawalState.CANCELLED else None)
            rows.append(_fact(one, WalletAction.of("withdrawal", one.state), one.finished_at, who))
    for transfer in plans.transfers:
        rows.append(_fact(transfer, WalletAction.TRANSFER_STARTED, transfer.created_at, transfer.client.user))
        rows.append(_fact(transfer, WalletAction.TRANSFER_SETTLED, transfer.finished_at))
    return sorted(rows, key=lambda row: row["at"])


def _fact(movement: Any, action: AuditCode, at: dt.datetime | None, actor: Actor = None) -> dict[str, Any]:
    money = Money.of_minor(movement.amount_minor, movement.currency)
    return {
        "actor": actor,
        "action": action,
        "target": movement,
        "client_id": movement.client_id,
        "at": at,
        "brand_id": movement.brand_id,
        "after": {"reference": movement.reference, "amount": str(money)},
    }

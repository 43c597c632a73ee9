"""The wallet's handlers of events: its own, and those of trading platforms."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.urls import reverse

from clients import timeline
from clients.choices import Stage, TimelineKind
from clients.facts import names_of, rebuild_client
from clients.models import Client
from clients.stages import move_stage
from compliance.aml import stream
from crm.events import (
    BalanceOperationSettled,
    ClientVerified,
    DealsSynced,
    DepositHeld,
    DepositRestored,
    DepositReversed,
    DepositSettled,
    DisputeOpened,
    TransferSettled,
    WithdrawalRefused,
    WithdrawalRequested,
    WithdrawalSettled,
    subscribe,
)
from crm.i18n.localized_text import joined, phrase
from crm.money.amounts import Money, from_minor
from crm.notices.notify import notify, people_with
from trading.choices import DealAction
from trading.models import Deal
from wallet.bonuses import ending, granting
from wallet.choices.deposits import DEPOSIT_ARRIVED, DepositState, HoldReason
from wallet.choices.notices import WalletNotice
from wallet.choices.withdrawals import Purpose, WithdrawalState
from wallet.core import timeline_texts
from wallet.deposits import aml_movements as aml_deposits
from wallet.deposits import unverified
from wallet.deposits.screened_payers import screen_payer
from wallet.disputes import bonus_disputes
from wallet.models import Deposit, Transfer, Withdrawal
from wallet.transfers.verbs import finish_transfer
from wallet.withdrawals import aml_movements as aml_withdrawals
from wallet.withdrawals.payout_results import parts_of
from wallet.withdrawals.screened_payees import screen_payees

MoneyMoved = (
    DepositSettled | DepositReversed | WithdrawalRequested | WithdrawalSettled | WithdrawalRefused | TransferSettled
)


@subscribe(BalanceOperationSettled)
def finish_the_transfer(event: BalanceOperationSettled) -> None:
    """Book or release a transfer when the platform has confirmed or refused its operation."""
    finish_transfer(operation_id=event.operation_id, confirmed=event.confirmed)


@subscribe(DepositSettled, DepositReversed, DepositRestored, WithdrawalSettled, WithdrawalRefused)
def keep_the_facts(
    event: DepositSettled | DepositReversed | DepositRestored | WithdrawalSettled | WithdrawalRefused,
) -> None:
    """Rebuild the client's facts about money."""
    assert event.client_id is not None
    rebuild_client(event.client_id, *names_of("wallet"))


@subscribe(DepositSettled, DepositReversed)
def have_deposits_monitored(event: DepositSettled | DepositReversed) -> None:
    """Write a deposit, or what was taken back of it, to the stream that AML rules watch."""
    deposit = Deposit.objects.select_related(*aml_deposits.NEEDED).get(pk=event.deposit_id)
    if isinstance(event, DepositSettled):
        stream.record(aml_deposits.movements_of([deposit]))
    else:
        stream.record(aml_deposits.taken_back(deposit.reference))


@subscribe(DepositSettled, DepositHeld)
def have_payers_screened(event: DepositSettled | DepositHeld) -> None:
    """Screen who paid, where it wasn't the client."""
    screen_payer(Deposit.objects.select_related("client").get(pk=event.deposit_id))


@subscribe(WithdrawalRequested)
def have_payees_screened(event: WithdrawalRequested) -> None:
    """Screen whose account the money goes to, where it isn't the client's."""
    screen_payees(Withdrawal.objects.values_list("request_reference", flat=True).get(pk=event.withdrawal_id))


@subscribe(WithdrawalRequested, WithdrawalRefused)
def have_withdrawals_monitored(event: WithdrawalRequested | WithdrawalRefused) -> None:
    """Write a requested withdrawal with all its parts, or that it came back, to the stream that AML rules watch."""
    reference = Withdrawal.objects.values_list("request_reference", flat=True).get(pk=event.withdrawal_id)
    stream.record(aml_withdrawals.parts_requested(reference))


@subscribe(ClientVerified)
def stop_the_days_of_the_unverified(event: ClientVerified) -> None:
    """Stop the term of a client who was verified."""
    assert event.client_id is not None
    unverified.note_verified(event.client_id)


@subscribe(DepositSettled)
def give_what_campaigns_promise(event: DepositSettled) -> None:
    """Grant the bonuses of campaigns for a settled deposit."""
    granting.grant_for_deposit(event.deposit_id)


@subscribe(DepositReversed)
def take_the_bonus_of_a_reversed_deposit(event: DepositReversed) -> None:
    """Take away credit for a refunded or charged-back deposit."""
    if event.dispute_id is None:
        ending.burn_by_refund(deposit_id=event.deposit_id, amount=event.amount, refund=event.reference)
    else:
        bonus_disputes.take(dispute_id=event.dispute_id, reference=event.reference, amount=event.amount)


@subscribe(DepositRestored)
def give_again_what_a_won_dispute_had_cost(event: DepositRestored) -> None:
    """Restore credit, or notify those who decide on it, when a dispute was won."""
    if event.dispute_id is not None:
        bonus_disputes.give_again(dispute_id=event.dispute_id, reference=event.reference, amount=event.amount)


@subscribe(WithdrawalSettled)
def take_the_bonus_of_who_withdraws(event: WithdrawalSettled) -> None:
    """Take away credit for a paid withdrawal, as the rule says."""
    ending.burn_by_withdrawal(event.withdrawal_id)


@subscribe(DealsSynced)
def count_lots_and_make_up_losses(event: DealsSynced) -> None:
    """Release credit by closed lots; a negative balance that the platform compensated takes credit first."""
    holders = ending.clients_with_credit(event.client_ids)
    if not holders:
        return
    made_up = Deal.objects.filter(
        pk__in=event.deal_ids, action=DealAction.SO_COMPENSATION, account__client_id__in=holders
    )
    for deal_id in made_up.order_by("pk").values_list("pk", flat=True):
        ending.burn_by_negative_balance(deal_id)
    for client_id in holders:
        ending.release_by_trading(client_id)


def _money(event: MoneyMoved | DepositRestored) -> Money:
    return Money(event.amount, event.currency)


@subscribe(DepositSettled)
def tell_of_the_deposit(event: DepositSettled) -> None:
    """Add the deposit to the timeline, move the client's stage, and notify the agent of a first deposit."""
    assert event.client_id is not None
    deposit = Deposit.objects.select_related("psp", "payment_method").get(pk=event.deposit_id)
    url = reverse("wallet:deposit", kwargs={"deposit_id": deposit.pk})

    first = timeline_texts.deposit(event.is_first, event.amount, event.currency)
    timeline.add_entry(
        client_id=event.client_id,
        kind=TimelineKind.PAYMENT,
        title=first,
        url=url,
        body=joined([deposit.reference, deposit.method_name]),
        dedupe_key=f"deposit:{deposit.pk}",
        at=event.settled_at,
        is_visible_to_client=True,
    )
    move_stage(client_id=event.client_id, to=Stage.FUNDED, reason=first)
    client = Client.objects.get(pk=event.client_id)
    if event.is_first and client.owner_id:
        notify(
            [client.owner_id],
            kind=WalletNotice.FIRST_DEPOSIT,
            url=client.get_absolute_url(),
            title=phrase("First deposit by %(client)s: %(money)s") % {"client": client, "money": _money(event)},
            dedupe_key=f"ftd:{client.pk}",
        )


@subscribe(DepositReversed)
def tell_of_the_reversal(event: DepositReversed) -> None:
    """Add the reversal to the timeline; a client without other deposits steps back to verified."""
    assert event.client_id is not None
    deposit = Deposit.objects.get(pk=event.deposit_id)
    timeline.add_entry(
        client_id=event.client_id,
        kind=TimelineKind.PAYMENT,
        title=phrase("Deposit %(reference)s was reversed: %(money)s")
        % {"reference": deposit.reference, "money": _money(event)},
        dedupe_key=f"deposit-reversed:{deposit.pk}:{event.kind}:{event.dispute_id or event.reference}",
        is_visible_to_client=event.kind == "refund",
    )
    still_there = [
        state for state in DEPOSIT_ARRIVED if state not in (DepositState.CHARGED_BACK, DepositState.REFUNDED)
    ]
    if not Deposit.objects.filter(client_id=event.client_id, state__in=still_there).exists():
        client = Client.objects.get(pk=event.client_id)
        if client.stage == Stage.FUNDED and client.kyc_level > 0:
            move_stage(
                client_id=event.client_id,
                to=Stage.VERIFIED,
                reason=phrase("The only deposit was reversed"),
                is_step_back=True,
            )


def _ask_about_a_refund(event: WithdrawalRequested, withdrawal: Withdrawal, url: str) -> None:
    """Notify approvers of a refund that a colleague requested; the client is notified when it is done."""
    assert event.client_id is not None
    timeline.add_entry(
        client_id=event.client_id,
        kind=TimelineKind.PAYMENT,
        title=phrase("Refund requested: %(m)s") % {"m": _money(event)},
        body=withdrawal.reference,
        url=url,
        dedupe_key=f"withdrawal-requested:{withdrawal.pk}",
    )
    people = people_with("wallet.approve_withdrawal", brand_id=event.brand_id)
    notify(
        [pk for pk in people if pk != withdrawal.requested_by_id],
        kind=WalletNotice.WITHDRAWAL_REQUESTED,
        title=phrase("Refund of %(money)s to %(client)s awaits your approval")
        % {"client": withdrawal.client, "money": _money(event)},
        body=phrase("Needs a second approval") if withdrawal.needs_second else "",
        url=url,
        dedupe_key=f"withdrawal:{withdrawal.pk}",
    )


@subscribe(WithdrawalRequested)
def ask_finance(event: WithdrawalRequested) -> None:
    """Add the request to the timeline, and notify approvers where it needs a decision."""
    assert event.client_id is not None
    withdrawal = Withdrawal.objects.select_related("client").get(pk=event.withdrawal_id)
    url = reverse("wallet:withdrawal", kwargs={"withdrawal_id": withdrawal.pk})
    if withdrawal.purpose == Purpose.REFUND:
        _ask_about_a_refund(event, withdrawal, url)
        return
    timeline.add_entry(
        client_id=event.client_id,
        kind=TimelineKind.PAYMENT,
        title=timeline_texts.withdrawal_asked_for(event.amount, event.currency),
        body=withdrawal.reference,
        url=url,
        dedupe_key=f"withdrawal-requested:{withdrawal.pk}",
        is_visible_to_client=True,
    )
    if event.needs_review:
        notify(
            people_with("wallet.approve_withdrawal", brand_id=event.brand_id),
            kind=WalletNotice.WITHDRAWAL_REQUESTED,
            title=phrase("%(client)s requested a withdrawal of %(money)s")
            % {"client": withdrawal.client, "money": _money(event)},
            body=phrase("Needs a second approval") if withdrawal.needs_second else "",
            url=url,
            dedupe_key=f"withdrawal:{withdrawal.pk}",
        )


@subscribe(WithdrawalSettled)
def tell_of_the_payout(event: WithdrawalSettled) -> None:
    """Keep one timeline entry for the whole request: it grows with each part that is paid."""
    assert event.client_id is not None
    every = parts_of(Withdrawal.objects.only("request_reference").get(pk=event.withdrawal_id))
    paid = [part for part in every if part.state in (WithdrawalState.SETTLED, WithdrawalState.CAME_BACK)]
    timeline.add_entry(
        client_id=event.client_id,
        kind=TimelineKind.PAYMENT,
        dedupe_key=f"withdrawal-settled:{every[0].pk}",
        title=timeline_texts.withdrawal_paid(*_sum(paid)),
        body=timeline_texts.parts(every, paid),
        replaces=True,
        url=reverse("wallet:withdrawal", kwargs={"withdrawal_id": every[0].pk}),
        is_visible_to_client=True,
    )


@subscribe(WithdrawalRefused)
def tell_that_it_came_back(event: WithdrawalRefused) -> None:
    """Keep one timeline entry for all parts that ended so.

    What was paid and came back later has an entry of its own.
    """
    assert event.client_id is not None
    withdrawal = Withdrawal.objects.defer("sealed_destination").get(pk=event.withdrawal_id)
    state, every = withdrawal.state, parts_of(withdrawal)
    if state == WithdrawalState.SETTLED:
        return  # paid after all, before anybody heard that it was not
    if state == WithdrawalState.CAME_BACK:
        title, ended = timeline_texts.withdrawal_came_back(state, event.amount, event.currency), [withdrawal]
        key, reasons = f"withdrawal-came-back:{withdrawal.pk}", [event.reason]
    else:
        ended = [part for part in every if part.state == state]
        title, key = timeline_texts.withdrawal_came_back(state, *_sum(ended)), f"withdrawal-refused:{every[0].pk}"
        reasons = [part.reason for part in ended]
    timeline.add_entry(
        client_id=event.client_id,
        kind=TimelineKind.PAYMENT,
        dedupe_key=key,
        title=title,
        replaces=True,
        body=timeline_texts.why_parts_came_back(state, reasons, timeline_texts.parts(every, ended)),
        is_visible_to_client=True,
        url=reverse("wallet:withdrawal", kwargs={"withdrawal_id": ended[0].pk}),
    )


def _sum(parts: Sequence[Withdrawal]) -> tuple[Decimal, str]:
    return from_minor(sum(part.amount_minor for part in parts), parts[0].currency), parts[0].currency


@subscribe(TransferSettled)
def tell_of_the_transfer(event: TransferSettled) -> None:
    """Add the transfer to the timeline."""
    assert event.client_id is not None
    transfer = Transfer.objects.get(pk=event.transfer_id)
    timeline.add_entry(
        client_id=event.client_id,
        kind=TimelineKind.PAYMENT,
        dedupe_key=f"transfer:{transfer.pk}",
        title=timeline_texts.transfer(event.direction, transfer.trading_account_label, event.amount, event.currency),
        body=transfer.reference,
        is_visible_to_client=True,
    )


@subscribe(DepositRestored)
def tell_that_it_came_back_from_the_bank(event: DepositRestored) -> None:
    """Add to the timeline that a refund came back, or a chargeback was reversed; for staff only."""
    assert event.client_id is not None
    deposit = Deposit.objects.get(pk=event.deposit_id)

    title = (
        phrase("The refund of %(reference)s was returned: %(money)s")
        if event.dispute_id is None
        else phrase("The chargeback of %(reference)s was reversed: %(money)s")
    ) % {"reference": deposit.reference, "money": _money(event)}
    timeline.add_entry(
        client_id=event.client_id,
        kind=TimelineKind.PAYMENT,
        title=title,
        dedupe_key=f"deposit-restored:{event.dispute_id or event.reference}",
    )


@subscribe(DepositHeld)
def ask_finance_about_held_money(event: DepositHeld) -> None:
    """Notify finance of a held deposit, with the reasons."""
    deposit = Deposit.objects.select_related("client").get(pk=event.deposit_id)
    notify(
        people_with("wallet.release_deposit", brand_id=event.brand_id),
        kind=WalletNotice.DEPOSIT_HELD,
        title=phrase("Deposit of %(money)s from %(client)s is on hold")
        % {"money": Money(event.amount, event.currency), "client": deposit.client},
        body=joined((HoldReason(reason).label for reason in deposit.hold_reasons), "; "),
        url=reverse("wallet:deposit", kwargs={"deposit_id": deposit.pk}),
        dedupe_key=f"deposit-held:{deposit.pk}",
    )


@subscribe(DisputeOpened)
def ask_finance_about_the_dispute(event: DisputeOpened) -> None:
    """Notify finance of a new dispute."""
    deposit = Deposit.objects.select_related("client").get(pk=event.deposit_id)
    notify(
        people_with("wallet.answer_dispute", brand_id=event.brand_id),
        kind=WalletNotice.DISPUTE_OPENED,
        title=phrase("New dispute over %(money)s from %(client)s")
        % {"money": Money(event.amount, event.currency), "client": deposit.client},
        body=event.reason,
        url=reverse("wallet:dispute", kwargs={"pk": event.dispute_id}),
        dedupe_key=f"dispute-opened:{event.dispute_id}",
    )

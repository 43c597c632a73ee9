"""Every table of states holds together, and `move_to` takes its steps and no other."""

from __future__ import annotations

import pytest
from django.apps import apps

from crm.db.states import HasState
from crm.errors import WrongState

TABLES = sorted(
    (f"{model._meta.label}.{field}", model, field)
    for model in apps.get_models()
    if issubclass(model, HasState)
    for field in model.TRANSITIONS
)
# Nothing ends there: a month is closed and opened again, a day is run again, a PSP goes on reporting.
ENDLESS = {
    # Asked again every night.
    "compliance.VendorCheck.state": {"waiting", "sent", "unknown", "refused", "answered", "ended"},
    "kyc.Document.state": {*("uploaded", "checking", "pending_review", "approved", "rejected", "expired", "replaced")},
    # Noted as two, it may be opened again; merged, undone.
    "leads.PossibleDuplicate.state": {"open", "dismissed", "merged"},
    "wallet.AnnouncedReport.state": {"missing", "came"},
    "wallet.BankOrder.state": {"waiting", "in_file", "sent", "settled", "returned"},
    "wallet.BonusGrant.state": set(),
    "wallet.Deposit.state": {
        *("created", "pending", "authorised", "failed", "expired", "held"),
        *("settled", "refunded", "returned", "charged_back", "cb_reversed"),
    },
    "wallet.Dispute.state": {"inquiry", "needs_response", "submitted", "won", "lost"},
    "wallet.Period.state": {"open", "closing", "closed"},
    "wallet.SourceRun.state": {"agrees", "breaks", "missing", "failed"},
    "wallet.Withdrawal.claim_state": {"", "waiting", "claimed", "over"},
    "trading.SymbolAlias.state": {"proposed", "by_rule", "confirmed", "refused"},
    "trading.TradingAccount.state": {"requested", "opening", "open", "unknown", "failed", "archived"},
}
every_table = pytest.mark.parametrize(("model", "field"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES])


def states_of(model, field):
    column = model._meta.get_field(field)
    return {value for value, _label in column.flatchoices} | ({""} if column.blank else set())


def closure(steps, start):
    """Everything that steps lead to from there, the start included."""
    reached, ahead = set(), set(start)
    while ahead:
        state = ahead.pop()
        reached.add(state)
        ahead |= set(steps[state]) - reached
    return reached


@every_table
def test_each_state_of_the_choices_is_a_key_and_no_other(model, field):
    table = model.TRANSITIONS[field]
    assert set(table) == states_of(model, field)
    assert set().union(*table.values()) <= set(table)


@every_table
def test_every_state_can_be_reached(model, field):
    column = model._meta.get_field(field)
    first = model.FIRST_STATES.get(field) or {column.get_default()}
    assert closure(model.TRANSITIONS[field], first) == set(model.TRANSITIONS[field])


@every_table
def test_every_way_can_come_to_an_end_where_there_is_one(model, field):
    table = model.TRANSITIONS[field]
    ends = {state for state, following in table.items() if not following}
    going_on = {state for state in table if not closure(table, {state}) & ends}
    assert going_on == ENDLESS.get(f"{model._meta.label}.{field}", set())


@every_table
def test_move_to_takes_the_steps_of_the_table_and_changes_nothing_else(model, field):
    table = model.TRANSITIONS[field]
    for before in table:
        for after in table:
            row = model(**{field: before})
            whole = dict(row.__dict__)
            assert row.can_move_to(after, field) == (after in table[before]) == (after in row.next_states(field))
            if after in table[before]:
                row.move_to(after, field)
                assert row.__dict__ == whole | {field: after}
            else:
                with pytest.raises(WrongState, match=r"can't change to .*\. Reload the page\.$"):
                    row.move_to(after, field)
                assert row.__dict__ == whole


def test_there_are_tables():
    assert len(TABLES) > 30

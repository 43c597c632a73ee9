"""What answers hold back or bound: opening a trading account, its leverage, deposits above an amount, withdrawals.

    require(gates.may_open_account(client, kind, is_own=True))

Apps above ask here before they act; each refusal is a sentence for its reader.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.i18n import formats
from crm.security.policies import YES, Decision, no
from kyc.questionnaires.choices import AskedAt
from kyc.questionnaires.obligations import Standing, State, published_of, standings_of
from kyc.questionnaires.publishing import kind_labels


def may_open_account(client: Client, kind: str, *, is_own: bool, now: dt.datetime | None = None) -> Decision:
    """Decide whether answers let a client have a real trading account of a kind."""
    if not published_of(client.brand):
        return YES
    now = now or timezone.now()
    standings = standings_of(client, now)
    held = _held(standings.holding(AskedAt.REGISTRATION, AskedAt.ACCOUNT), is_own)
    if not held:
        return held
    # A review or a warning holds an account back whenever it was asked for.
    held = _held([row for row in standings.rows if row.is_open and row.state != State.DUE], is_own)
    if not held:
        return held
    given = standings.given
    until = max((one.cooling_off_until for one in given if one.cooling_off_until), default=None)
    if until is not None and until > now:
        day = formats.moment(until)
        if is_own:
            return no(_("After your answers, you can open a trading account from %(day)s.") % {"day": day})
        return no(_("Cooling-off after the client's answers until %(day)s.") % {"day": day})
    allowed = [set(one.account_kinds) for one in given if one.account_kinds]
    if allowed and kind not in set.intersection(*allowed):
        names = ", ".join(kind_labels(sorted(set.intersection(*allowed)))) or "–"
        return no(_("Given the answers, only these accounts are possible: %(kinds)s.") % {"kinds": names})
    return YES


def _held(rows: Sequence[Standing], is_own: bool) -> Decision:
    """Refuse with the first thing that isn't settled."""
    if not rows:
        return YES
    row = min(rows, key=lambda one: not one.needs_client)
    values = {"title": row.content.label}
    if row.state == State.DECLINED:
        return no(
            _("We can't offer you this. Please contact support.")
            if is_own
            else _("Declined after enhanced due diligence: %(title)s.") % values
        )
    if row.state == State.IN_REVIEW:
        return no(
            _("We're reviewing your answers and will let you know.")
            if is_own
            else _("Enhanced due diligence is open: %(title)s.") % values
        )
    if row.state == State.WARNING:
        return no(
            _("Please read and confirm the warning first: %(title)s.") % values
            if is_own
            else _("The client hasn't acknowledged the warning yet: %(title)s.") % values
        )
    return no(
        _("Please complete this questionnaire first: %(title)s.") % values
        if is_own
        else _("The client hasn't completed the questionnaire yet: %(title)s.") % values
    )


@dataclass(frozen=True, slots=True)
class LeverageLimit:
    """The highest leverage that a client's answers allow, and which questionnaire says so."""

    leverage: int
    title: str


def leverage_limit(client: Client) -> LeverageLimit | None:
    """Find the lowest limit of the answers that count; None where there is none."""
    if not published_of(client.brand):
        return None
    rows = [row for row in standings_of(client).rows if row.submission is not None and row.submission.leverage_max]
    limits = [LeverageLimit(row.submission.leverage_max or 0, row.content.label) for row in rows if row.submission]
    return min(limits, key=lambda one: one.leverage, default=None)


def may_deposit(client: Client, worth: Decimal | None) -> Decision:
    """Decide whether a client may pay in so much (in the brand's base currency); None: whatever the amount."""
    if not published_of(client.brand):
        return YES
    rows = standings_of(client).holding(AskedAt.REGISTRATION, AskedAt.DEPOSIT)
    return _held(
        [
            row
            for row in rows
            if row.content.settings.asked_at == AskedAt.REGISTRATION
            or (worth is not None and worth > row.content.settings.over)
        ],
        is_own=True,
    )


def needed_for_deposits(client: Client) -> list[tuple[Standing, Decimal]]:
    """List what the client has to answer before deposits, each with the amount from which on."""
    rows = standings_of(client).holding(AskedAt.DEPOSIT)
    return [(row, row.content.settings.over) for row in rows if row.needs_client]


def may_withdraw(client: Client) -> Decision:
    """Decide whether answers are missing before a withdrawal. A review never holds a client's own money back."""
    if not published_of(client.brand):
        return YES
    rows = standings_of(client).holding(AskedAt.WITHDRAWAL)
    return _held([row for row in rows if row.needs_client], is_own=True)

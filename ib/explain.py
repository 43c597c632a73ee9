"""How an amount came about, in words: settlement → accruals → the deal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.i18n import formats
from ib.choices import (
    FIXED,
    MONTHLY,
    OF_REVENUE,
    OF_SALES,
    SHARES_OF_MONEY,
    AccrualKind,
    AccrualState,
    Component,
    Reason,
)
from ib.models import Accrual, PlanTier, PlanVersion, RevenueMonth, ReversedPart, Settlement
from trading.choices import SymbolGroup


@dataclass(frozen=True)
class Step:
    """One line of an explanation: what, and the figure it leads to."""

    text: str
    figure: str = ""


def plain(value: Decimal) -> str:
    """Write a decimal without the zeros at its end, as the reader writes numbers."""
    trimmed = value.normalize()
    digits = max(0, -int(trimmed.as_tuple().exponent))
    return formats.number(value, digits)


def explain(
    accrual: Accrual, version: PlanVersion | None = None, *, for_staff: bool = False, agreement: str = ""
) -> list[Step]:
    """List the steps from the deal to the amount, or to the reason why there is none.

    agreement: which of several applies and why (`ib.agreements.scopes`).
    for_staff: names the deposit behind a clawback; what a client paid in is no business of a partner's.
    """
    version = version or (accrual.version if accrual.version_id else None)
    steps = (
        [_month_of(accrual)]
        if accrual.is_monthly
        else [_sale_of(accrual)]
        if accrual.is_sale
        else [
            Step(
                _("Deal %(deal)s closed %(lots)s lots of %(symbol)s on %(at)s")
                % {
                    "deal": f"#{accrual.ticket}",
                    "lots": plain(accrual.lots),
                    "symbol": accrual.symbol,
                    "at": formats.moment(accrual.closed_at, seconds=True),
                },
                _("%(lots)s lots") % {"lots": plain(accrual.lots)},
            )
        ]
    )
    if agreement:
        steps.append(Step(agreement))
    if accrual.held_seconds is not None:
        steps.append(_held(accrual, version))
    if accrual.symbol_group:
        steps.append(
            Step(
                _("%(symbol)s is in the symbol group “%(group)s”")
                % {"symbol": accrual.symbol, "group": SymbolGroup(accrual.symbol_group).label}
            )
        )
    if accrual.state == AccrualState.EXCLUDED:
        return [
            *steps,
            Step(
                _("Not paid: %(reason)s") % {"reason": why_not(accrual, version)},
                formats.money(Decimal(0), accrual.currency),
            ),
        ]
    if accrual.kind == AccrualKind.ORIGINAL or accrual.rate is not None:
        steps += _revenue(accrual, version) if accrual.component in OF_REVENUE and for_staff else []
        steps += _product(accrual, version)
    if accrual.passed_percent and accrual.state != AccrualState.REVERSED:
        text = _("%(percent)s %% of it goes to the client, by the plan")
        steps.append(Step(text % {"percent": plain(accrual.passed_percent)}))
    if accrual.passed_per_lot and accrual.state != AccrualState.REVERSED:
        text = _("%(amount)s per lot of it goes to the client, by the plan")
        steps.append(Step(text % {"amount": f"{plain(accrual.passed_per_lot)} {accrual.rate_currency}"}))
    if accrual.kind == AccrualKind.CAPPED and accrual.cap is not None and accrual.below is not None:
        steps.append(_capped(accrual, version, for_staff=for_staff))
    if accrual.kind in (AccrualKind.CLAWBACK, AccrualKind.RESTORED):
        steps += _reversed(accrual, for_staff=for_staff)
    if for_staff and accrual.source.startswith("replay:"):
        steps.append(Step(_("Added by commission replay #%(replay)s") % {"replay": accrual.source.partition(":")[2]}))
    if accrual.kind != AccrualKind.ORIGINAL:
        steps.append(
            Step(
                _("Correction: %(reason)s") % {"reason": Reason(accrual.reason).label},
                formats.money(accrual.amount, accrual.currency, sign=True),
            )
        )
    return steps


def _month_of(accrual: Accrual) -> Step:
    """Name the month that is paid for."""
    return Step(
        _("Client #%(client)s in %(month)s") % {"client": accrual.client_id, "month": formats.month(accrual.month)}
    )


def _sale_of(accrual: Accrual) -> Step:
    """Name the challenge that is paid for."""
    return Step(
        _("Challenge #%(challenge)s was sold to client #%(client)s on %(at)s")
        % {
            "challenge": accrual.ticket,
            "client": accrual.client_id,
            "at": formats.moment(accrual.closed_at, seconds=True),
        }
    )


def _revenue(accrual: Accrual, version: PlanVersion | None) -> list[Step]:
    """List what the net revenue is made of, where that is still what this row was calculated from."""
    month = RevenueMonth.objects.filter(pk=-accrual.deal_id).first()
    if month is None or version is None or None in (month.charged, month.swaps, month.booked):
        return []
    is_result = accrual.component == Component.NET_RESULT
    markup = (month.pip_worth or Decimal(0)) * version.markup_pips
    parts = [
        (_("What the client lost by trading"), month.lost)
        if is_result
        else (
            _("Mark-up of %(pips)s pips on the closed volume") % {"pips": plain(version.markup_pips)},
            markup.quantize(EIGHT_PLACES, rounding="ROUND_DOWN"),
        ),
        (_("Commission that the platform charged"), month.charged),
        (_("Swaps"), month.swaps),
        (_("Fees charged, less bonuses, by the ledger"), month.booked),
    ]
    if sum((amount or Decimal(0) for _text, amount in parts), Decimal(0)) != accrual.basis:
        return []  # calculated again since: a correction has the newer figures
    return [Step(text, f"{plain(amount or Decimal(0))} {month.currency}") for text, amount in parts]


def _held(accrual: Accrual, version: PlanVersion | None) -> Step:
    text = _("Held for %(held)s") % {"held": formats.duration(accrual.held_seconds)}
    if version is not None and version.min_hold_seconds:
        text = _("Held for %(held)s; the plan's minimum is %(least)s") % {
            "held": formats.duration(accrual.held_seconds),
            "least": formats.duration(version.min_hold_seconds),
        }
    return Step(text)


EIGHT_PLACES: Final = Decimal("0.00000001")


def _product(accrual: Accrual, version: PlanVersion | None) -> list[Step]:
    """Explain basis × rate × share of the level = amount, with its limits, and the conversion where currencies differ."""
    assert accrual.rate is not None and accrual.share is not None
    basis, steps = accrual.lots, []
    if accrual.basis is not None and accrual.basis_fx is not None:
        steps = _basis(accrual)
        basis = accrual.basis * accrual.basis_fx
    pot = basis * accrual.rate
    if accrual.cap is not None:
        pot = min(pot, accrual.cap)
    computed = (pot * accrual.share).quantize(EIGHT_PLACES, rounding="ROUND_DOWN")
    if accrual.tier and version is not None:
        steps += [_ranked(tier) for tier in version.tiers.filter(number=accrual.tier)]
    if accrual.ratio is not None:
        text = _("Personal ratio: %(percent)s %% of the plan's rates")
        steps.append(Step(text % {"percent": plain(accrual.ratio)}))
    steps.append(Step(_formula(accrual, version), f"{plain(computed)} {accrual.rate_currency}"))
    if accrual.below is not None:
        computed = max(Decimal(0), computed - accrual.below)
        steps.append(
            Step(
                _("Less %(below)s, the most that a partner below earns on this trade")
                % {"below": f"{plain(accrual.below)} {accrual.rate_currency}"},
                f"{plain(computed)} {accrual.rate_currency}",
            )
        )
    is_cut = accrual.kind == AccrualKind.ORIGINAL and accrual.rate_amount != computed
    if is_cut and version is not None and version.cap_upline is not None:
        computed = accrual.rate_amount
        steps.append(_of_upline(accrual, version))
    if accrual.rate_currency != accrual.currency and accrual.fx_rate is not None:
        converted = (computed * accrual.fx_rate).quantize(EIGHT_PLACES, rounding="ROUND_DOWN")
        steps.append(_converted(accrual.fx_rate, accrual, f"{plain(converted)} {accrual.currency}"))
    return steps


def _upline_cap(accrual: Accrual, version: PlanVersion) -> dict[str, str]:
    """Say what all levels together get of the trade, and of which revenue that is a part."""
    assert version.cap_upline is not None
    revenue = accrual.revenue or Decimal(0)
    most = max(Decimal(0), (revenue * version.cap_upline / 100).quantize(EIGHT_PLACES, rounding="ROUND_DOWN"))
    return {
        "cap": f"{plain(most)} {accrual.rate_currency}",
        "percent": plain(version.cap_upline),
        "revenue": f"{plain(revenue)} {accrual.rate_currency}",
    }


def _of_upline(accrual: Accrual, version: PlanVersion) -> Step:
    text = _(
        "All levels together get at most %(cap)s, %(percent)s %% of the %(revenue)s that the broker earned on this trade;"
        " this is what the levels below left of it"
    )
    return Step(text % _upline_cap(accrual, version), f"{plain(accrual.rate_amount)} {accrual.rate_currency}")


def _capped(accrual: Accrual, version: PlanVersion | None, *, for_staff: bool) -> Step:
    """Say what the plan pays in the day or month, and what earlier trades had earned of it.

    What all partners together earned is for staff.
    """
    assert accrual.cap is not None and accrual.below is not None
    cap, before = accrual.cap, accrual.below
    words = {"cap": formats.money(cap, accrual.rate_currency), "before": formats.money(before, accrual.rate_currency)}
    if version is not None and version.is_capped_together:
        if for_staff:
            return Step(_capped_together(accrual) % words)
        if accrual.reason == Reason.CAP_DAY:
            return Step(_("Earlier trades of all partners reached the plan's limit for the day"))
        return Step(_("Earlier trades of all partners reached the plan's limit for the month"))
    if accrual.reason == Reason.CAP_REVENUE:
        return Step(
            _(
                "The plan pays a partner at most %(cap)s in the month, its part of what the broker earned on these trades;"
                " earlier trades earned %(before)s"
            )
            % words
        )
    if accrual.reason == Reason.CAP_MONTH:
        return Step(_("The plan pays a partner at most %(cap)s per month; earlier trades earned %(before)s") % words)
    return Step(_("The plan pays a partner at most %(cap)s per day; earlier trades earned %(before)s") % words)


def _capped_together(accrual: Accrual) -> str:
    if accrual.reason == Reason.CAP_REVENUE:
        return _(
            "The plan pays all partners together at most %(cap)s in the month, its part of what the broker earned on its trades;"
            " earlier trades earned %(before)s"
        )
    if accrual.reason == Reason.CAP_MONTH:
        return _("The plan pays all partners together at most %(cap)s per month; earlier trades earned %(before)s")
    return _("The plan pays all partners together at most %(cap)s per day; earlier trades earned %(before)s")


def _ranked(tier: PlanTier) -> Step:
    words = {"rank": tier.name, "percent": plain(tier.factor * 100)}
    return Step(_("Rank %(rank)s when the position was closed: %(percent)s %% of the plan's rates") % words)


def _converted(rate: Decimal, accrual: Accrual, figure: str) -> Step:
    words = {"rate": plain(rate), "day": formats.day(accrual.fx_on)}
    return Step(_("Converted at %(rate)s, the reference rate of %(day)s") % words, figure)


def _basis(accrual: Accrual) -> list[Step]:
    """Say what a component's rate applies to, in its own currency and in the plan's."""
    assert accrual.basis is not None and accrual.basis_fx is not None
    text = {
        Component.PIP: _("What one pip of the closed volume is worth"),
        Component.POINT: _("What one point of the closed volume is worth, the last digit of the price"),
        Component.SPREAD: _("What the mark-up on the spread is worth on the closed volume"),
        Component.COMMISSION: _("Commission that the platform charged for opening and closing this volume"),
        Component.LOSS: _("The client's net loss on this trade: profit, swap and commission together"),
        Component.CPA: _("Clients who qualified with this trade"),
        Component.REVENUE: _("Net revenue from the client in the month"),
        Component.NET_RESULT: _("Net revenue from the client in the month"),
        Component.POT: _("Lots that the client closed in the month"),
        Component.SALE: _("Challenges sold"),
        Component.SALE_SHARE: _("What the client paid for the challenge"),
    }[Component(accrual.component)]
    if accrual.component in FIXED:
        return [Step(text, plain(accrual.basis))]
    steps = [Step(text, f"{plain(accrual.basis)} {accrual.basis_currency}")]
    if accrual.basis_currency != accrual.rate_currency:
        converted = accrual.basis * accrual.basis_fx
        steps.append(_converted(accrual.basis_fx, accrual, f"{plain(converted)} {accrual.rate_currency}"))
    return steps


def _formula(accrual: Accrual, version: PlanVersion | None) -> str:
    """Write the plan's rate and the level's share in words."""
    assert accrual.rate is not None and accrual.share is not None
    is_share = accrual.component in SHARES_OF_MONEY
    words = {
        "plan": str(version) if version else "",
        "level": accrual.level,
        "lots": plain(accrual.lots),
        "rate": plain(accrual.rate * 100 if is_share else accrual.rate),
        "share": formats.number(accrual.share * 100),
        "currency": accrual.rate_currency,
    }
    if accrual.is_override:
        return (
            _("%(plan)s pays level %(level)s a fixed %(rate)s %(currency)s per lot: %(lots)s lots × %(rate)s") % words
        )
    if accrual.component == Component.PIP:
        text = _("%(plan)s: %(rate)s pips × %(share)s %% for level %(level)s") % words
    elif accrual.component == Component.POINT:
        text = _("%(plan)s: %(rate)s points × %(share)s %% for level %(level)s") % words
    elif accrual.component == Component.CPA:
        text = _("%(plan)s: %(rate)s %(currency)s once for the client × %(share)s %% for level %(level)s") % words
    elif accrual.component == Component.SALE:
        text = _("%(plan)s: %(rate)s %(currency)s per challenge × %(share)s %% for level %(level)s") % words
    elif accrual.component == Component.POT:
        text = _pot(accrual, version) % words
    elif is_share:
        text = _("%(plan)s: %(rate)s %% of it × %(share)s %% for level %(level)s") % words
    else:
        text = _("%(plan)s: %(lots)s lots × %(rate)s %(currency)s per lot × %(share)s %% for level %(level)s") % words
    if accrual.cap is not None:
        cap = formats.money(accrual.cap, accrual.rate_currency)
        most = _("%(text)s, at most %(cap)s per trade for all levels together")
        if accrual.component in MONTHLY:
            most = _("%(text)s, at most %(cap)s per client and month for all levels together")
        if accrual.component in OF_SALES:
            most = _("%(text)s, at most %(cap)s per challenge for all levels together")
        text = most % {"text": text, "cap": cap}
    return text


def _pot(accrual: Accrual, version: PlanVersion | None) -> str:
    """Say what a lot is worth in the month: the pot divided by everybody's lots."""
    row = version.components.filter(component=Component.POT).first() if version else None
    if row is None:
        return _("%(plan)s: %(rate)s %(currency)s per lot × %(share)s %% for level %(level)s")
    text = _(
        "%(plan)s: a pot of %(pot)s divided by the lots of all clients under the plan makes"
        " %(rate)s %(currency)s per lot, × %(share)s %% for level %(level)s"
    )
    return text.replace("%(pot)s", formats.money(row.value, accrual.rate_currency).replace("%", "%%"))


def _reversed(accrual: Accrual, *, for_staff: bool) -> list[Step]:
    """Explain which part of which deposit was reversed or restored, and what share of the client's money it is."""
    part = ReversedPart.objects.select_related("deposit").filter(source=accrual.source).first()
    if part is None:
        return []
    is_back = accrual.kind == AccrualKind.RESTORED
    amount = (part.restored if is_back else part.taken) or Decimal(0)
    steps = []
    if for_staff:
        text = (
            _("Chargeback %(part)s of deposit %(deposit)s was reversed: %(amount)s of %(whole)s recovered")
            if is_back
            else _("%(amount)s of %(whole)s of deposit %(deposit)s was returned to the payer (%(part)s)")
        )
        words = {
            "deposit": part.deposit.reference,
            "part": part.reference,
            "whole": formats.money(part.amount, part.currency),
            "amount": formats.money(amount, part.currency),
        }
        steps.append(Step(text % words))
    share = round(amount / part.amount * part.base / part.paid_in * 100, 4)
    text = _("%(share)s %% of the client's deposits behind this trade")
    return [*steps, Step(text % {"share": plain(share)})]


def why_not(accrual: Accrual, version: PlanVersion | None = None) -> str:
    """Translate the reason for no commission, with the figures that decided."""
    reason = Reason(accrual.reason)
    if reason == Reason.HELD_TOO_SHORT and version is not None and accrual.held_seconds is not None:
        return _("closed after %(held)s seconds; %(plan)s requires at least %(least)s seconds") % {
            "held": accrual.held_seconds,
            "plan": version,
            "least": version.min_hold_seconds,
        }
    if reason == Reason.SYMBOL_NOT_MAPPED:
        return _("symbol %(symbol)s isn't assigned to a symbol group yet") % {"symbol": accrual.symbol}
    if reason == Reason.NO_RATE and version is not None:
        return _("%(plan)s has no rate for %(group)s") % {
            "plan": version,
            "group": SymbolGroup(accrual.symbol_group).label,
        }
    if reason == Reason.NO_DIFFERENCE and accrual.below is not None:
        return _("a partner below earns %(below)s on this trade, which is as much or more than %(plan)s pays") % {
            "below": f"{plain(accrual.below)} {accrual.rate_currency}",
            "plan": version,
        }
    if reason == Reason.CAP_UPLINE and version is not None and version.cap_upline is not None:
        text = _(
            "all levels together get at most %(cap)s, %(percent)s %% of the %(revenue)s that the broker earned on this trade;"
            " the levels below have earned that"
        )
        return text % _upline_cap(accrual, version)
    if reason == Reason.BEYOND_LEVELS and version is not None:
        return _("%(plan)s pays no commission at level %(level)s") % {"plan": version, "level": accrual.level}
    return str(reason.label)


def explain_settlement(settlement: Settlement) -> list[Step]:
    """List the steps from the sum of the accruals to what was paid."""
    currency = settlement.currency
    steps = [
        Step(
            ngettext("%(trades)s trade, %(lots)s lots", "%(trades)s trades, %(lots)s lots", settlement.trades)
            % {"trades": settlement.trades, "lots": plain(settlement.lots)},
            f"{plain(settlement.accrued)} {currency}",
        )
    ]
    if settlement.carried_in:
        steps.append(Step(_("Carried forward from the last settlement"), f"{plain(settlement.carried_in)} {currency}"))
    if settlement.carried_out:
        steps.append(Step(_("Carried forward to the next settlement"), f"{plain(-settlement.carried_out)} {currency}"))
    steps.append(Step(_("Credited"), formats.money(settlement.amount, currency)))
    return steps

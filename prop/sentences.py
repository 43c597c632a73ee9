"""The rules of a phase as sentences, the same for the trader who buys, the staff who sell and the page of a breach."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.i18n import formats
from prop.choices import LossBy, MaxLoss, Rule
from prop.judge.state import Source
from prop.models import Breach, PhaseAccount, ProgrammePhase, ProgrammeVersion
from prop.programmes.styles import STYLES


def percent(value: Decimal) -> str:
    """Write a percentage without zeros at its end."""
    return f"{formats.number(value.normalize() if value % 1 else value.quantize(Decimal(1)))} %"


def name_of(phase: ProgrammePhase) -> str:
    """Name a phase as its trader knows it."""
    return _("Funded account") if phase.is_funded else _("Phase %(number)s") % {"number": phase.number}


def limit_text(rule: str, threshold: Decimal, currency: str) -> str:
    """Write the limit of a rule in the rule's own unit: an amount, days, minutes, lots or a leverage."""
    if rule in (Rule.DAILY_LOSS, Rule.MAX_LOSS):
        return formats.money(threshold, currency)
    shown = {"count": formats.number(threshold)}
    if rule in (Rule.MAX_DAYS, Rule.INACTIVITY):
        return ngettext("%(count)s day", "%(count)s days", int(threshold)) % shown
    if rule == Rule.NEWS:
        return ngettext("%(count)s minute", "%(count)s minutes", int(threshold)) % shown
    if rule in (Rule.LOTS, Rule.TRADE_LOTS):
        return _("%(count)s lots") % shown
    return f"1:{shown['count']}" if rule == Rule.LEVERAGE else shown["count"]


def limit_at(breach: Breach) -> str:
    """Write the limit that a breach was judged by."""
    return limit_text(breach.rule, breach.threshold, breach.judged_account.challenge.currency)


def source_of(breach: Breach) -> str:
    """Name what a breach was judged by: a sample, what the platform reported between two, a deal, or the clock."""
    names = {
        Source.SAMPLED: _("Sample"),
        Source.REPORTED: _("Reported by the platform"),
        Source.DEAL: _("Deal"),
        Source.CLOCK: _("Time passed"),
    }
    return names.get(breach.evidence.get("source", ""), "")


def limit_of(row: PhaseAccount) -> str:
    """Write the limit that the breach of an account reached; empty where there is none."""
    breach = getattr(row, "breach", None)
    return limit_text(breach.rule, breach.threshold, row.challenge.currency) if breach else ""


def rules_of(phase: ProgrammePhase) -> list[str]:
    """Write each rule of a phase as a sentence, the most important first."""
    rules = []
    if phase.target is not None:
        rules.append(_("Reach a profit of %(share)s with all positions closed.") % {"share": percent(phase.target)})
    if phase.daily_loss is not None:
        rules.append(_daily_loss(phase) % {"share": percent(phase.daily_loss)})
    rules.append(_max_loss(phase) % {"share": percent(phase.max_loss)})
    return [*rules, *_days(phase), *_limits(phase), *_funding(phase)]


def _daily_loss(phase: ProgrammePhase) -> str:
    if phase.daily_loss_by == LossBy.EQUITY:
        return _(
            "Equity may not fall by %(share)s of the starting balance below the equity at the start of the server day."
        )
    return _(
        "Equity may not fall by %(share)s of the starting balance below the balance at the start of the server day."
    )


def _max_loss(phase: ProgrammePhase) -> str:
    if phase.max_loss_kind == MaxLoss.STATIC:
        return _("Equity may never fall %(share)s below the starting balance.")
    if phase.max_loss_kind == MaxLoss.TRAILING_BALANCE:
        if phase.locks_at_start:
            return _(
                "Equity may never fall %(share)s below the highest balance; the limit stops at the starting balance."
            )
        return _("Equity may never fall %(share)s below the highest balance.")
    if phase.locks_at_start:
        return _("Equity may never fall %(share)s below the highest equity; the limit stops at the starting balance.")
    return _("Equity may never fall %(share)s below the highest equity.")


def _days(phase: ProgrammePhase) -> list[str]:
    rules = []
    if phase.min_days:
        rules.append(
            ngettext("Trade on at least %(count)s day.", "Trade on at least %(count)s days.", phase.min_days)
            % {"count": phase.min_days}
        )
    if phase.max_days is not None:
        rules.append(
            ngettext("Finish within %(count)s day.", "Finish within %(count)s days.", phase.max_days)
            % {"count": phase.max_days}
        )
    if phase.inactive_days is not None:
        rules.append(
            ngettext(
                "The account is closed after %(count)s day without a trade.",
                "The account is closed after %(count)s days without a trade.",
                phase.inactive_days,
            )
            % {"count": phase.inactive_days}
        )
    return rules


def _limits(phase: ProgrammePhase) -> list[str]:
    rules = []
    if phase.consistency is not None:
        rules.append(
            _("The best day may make up at most %(share)s of the profit.") % {"share": percent(phase.consistency)}
        )
    if phase.news_minutes is not None:
        rules.append(_("No trades within %(minutes)s minutes of important news.") % {"minutes": phase.news_minutes})
    if not phase.holds_weekend:
        rules.append(_("Close all positions before the weekend."))
    if phase.max_lots is not None:
        rules.append(_("At most %(lots)s lots open at the same time.") % {"lots": formats.number(phase.max_lots)})
    if phase.leverage is not None:
        rules.append(_("Leverage up to 1:%(leverage)s.") % {"leverage": phase.leverage})
    return rules + [str(STYLES[style]) for style in phase.forbidden_styles if style in STYLES]


def _funding(phase: ProgrammePhase) -> list[str]:
    rules = []
    if phase.split is not None:
        rules.append(_("You receive %(share)s of the profit.") % {"share": percent(phase.split)})
    if phase.scaling_profit is not None and phase.scaling_growth is not None:
        rules.append(
            _("With a profit of %(profit)s the account grows by %(growth)s.")
            % {"profit": percent(phase.scaling_profit), "growth": percent(phase.scaling_growth)}
        )
        rules += _scaling(phase)
    return rules


def _scaling(phase: ProgrammePhase) -> list[str]:
    """Write what else a step of scaling takes, and what it brings."""
    rules = []
    if phase.scaling_payouts:
        text = ngettext(
            "It grows after at least %(count)s payout since the last step.",
            "It grows after at least %(count)s payouts since the last step.",
            phase.scaling_payouts,
        )
        rules.append(text % {"count": phase.scaling_payouts})
    if phase.scaling_days:
        text = ngettext(
            "It grows no sooner than %(count)s day after the last step.",
            "It grows no sooner than %(count)s days after the last step.",
            phase.scaling_days,
        )
        rules.append(text % {"count": phase.scaling_days})
    if phase.scaling_split is not None:
        rules.append(
            _("From the first step on you receive %(share)s of the profit.") % {"share": percent(phase.scaling_split)}
        )
    return rules


def about_payouts(version: ProgrammeVersion) -> list[str]:
    """Write what a version promises about payouts and the fee."""
    said = [
        ngettext("Payouts every %(count)s day.", "Payouts every %(count)s days.", version.payout_days)
        % {"count": version.payout_days}
    ]
    if version.payout_minimum:
        said.append(
            _("Payouts begin at a profit of %(amount)s.")
            % {"amount": formats.money(version.payout_minimum, version.currency)}
        )
    if version.refunds_fee:
        said.append(_("The fee is refunded with the first payout."))
    return said

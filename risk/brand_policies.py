"""When a brand's clients count as dormant, what retention flags, and when a case is opened."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Amount, Count, Policy, PolicyArea, Share, declare
from crm.brand_policies.kinds import Lines
from risk.abuse import brand_policies as _abuse  # noqa: F401 - declares that room's policies
from risk.dealing import brand_policies as _dealing  # noqa: F401 - the same
from risk.retention import playbook as _playbook  # noqa: F401 - declares its steps

DAYS, TIMES, HOURS = _("days"), _("times"), _("hours")


class Words(Lines):
    """Words and phrases, one a line, in any language."""

    hint = _("One word or phrase of at most 60 characters a line.")

    def clean_line(self, text: str) -> str:
        if len(text) > 60:
            raise ValueError(text)
        return text.casefold()


DORMANT_DAYS = declare(
    Policy(
        "dormant_days",
        PolicyArea.RETENTION,
        _("Clients are dormant after at least"),
        Count(7, 730, DAYS),
        30,
        _("Without a trade, a deposit or a sign-in, and without an open position."),
        needs_four_eyes=False,
    )
)
DORMANT_GAPS = declare(
    Policy(
        "dormant_gaps",
        PolicyArea.RETENTION,
        _("And not before so many times their usual gap"),
        Count(1, 50, TIMES),
        5,
        _(
            "The usual gap between a client's active days, by the median of the last year: who trades monthly is given longer."
        ),
        needs_four_eyes=False,
    )
)


def _threshold(key: str, label: object, kind: Count | Share, default: int, help: object = "") -> Policy[int]:
    return declare(Policy(key, PolicyArea.RETENTION, label, kind, default, help, needs_four_eyes=False))  # type: ignore[arg-type]


# By the name that the flags' SQL has for each.
THRESHOLDS: Final = {
    "days": _threshold("flag_inactive_days", _("Flag clients as inactive after at least"), Count(2, 365, DAYS), 7),
    "gaps": _threshold(
        "flag_inactive_gaps", _("Flag as inactive not before so many times their usual gap"), Count(1, 50, TIMES), 4
    ),
    "window_days": _threshold(
        "flag_window", _("Losses, deposits and withdrawals are summed over the last"), Count(7, 90, DAYS), 30
    ),
    "sign_ins": _threshold(
        "flag_sign_ins",
        _("Flag sign-ins without trades from"),
        Count(2, 14, DAYS),
        4,
        _("Days with a sign-in, in two weeks."),
    ),
    "streak": _threshold("flag_losing_streak", _("Flag a losing streak from"), Count(2, 10, _("trades")), 3),
    "drop_points": _threshold(
        "flag_money_lost",
        _("Flag losses from this share of the money"),
        Share(500, 10_000),
        3_000,
        _("Closed and open losses, compared with the equity without them."),
    ),
    "fill_points": _threshold(
        "flag_fills",
        _("Flag fills that are worse than usual by this share of the spread"),
        Share(1_000, 50_000),
        5_000,
        _("On average over the last orders, by the quotes of their moment. Where there are none, nothing is flagged."),
    ),
    "deposit_points": _threshold("flag_deposits_falling", _("Flag deposits that fall by"), Share(1_000, 10_000), 6_000),
    "withdrawn_points": _threshold(
        "flag_withdrawn", _("Flag withdrawals from this share of the money"), Share(1_000, 10_000), 8_000
    ),
    "ticket_hours": _threshold("flag_ticket", _("Flag tickets unanswered for"), Count(1, 240, HOURS), 24),
}
CASE_WEIGHT = _threshold(
    "retention_weight",
    _("Open a retention case from this weight of flags"),
    Count(1, 10),
    2,
    _("Inactivity, withdrawals of nearly everything and complaints weigh 2, other flags 1."),
)
QUIET_DAYS = _threshold("retention_quiet", _("After a decision open no case again for"), Count(1, 180, DAYS), 14)
CASE_HOURS = _threshold("retention_hours", _("Retention cases are decided within"), Count(1, 240, HOURS), 16)
HELD_BACK = _threshold(
    "retention_held_back",
    _("Share of flagged clients in the control group"),
    Share(0, 5_000),
    0,
    _(
        "They are flagged, but no case is opened: what retention achieves is the difference. The group is drawn by chance."
    ),
)
REVENUE_PER_LOT = declare(
    Policy(
        "revenue_per_lot",
        PolicyArea.RETENTION,
        _("Revenue per lot"),
        Amount(),
        500,
        _(
            "Spread and commission that a closed lot brings on average; revenue at risk and lifetime value count with it."
        ),
        needs_four_eyes=False,
    )
)
COMPLAINT_WORDS = declare(
    Policy(
        "complaint_words",
        PolicyArea.RETENTION,
        _("Words of a complaint"),
        Words(),
        [
            "complaint",
            "complain",
            "scam",
            "fraud",
            "rip-off",
            "lawyer",
            "regulator",
            "ombudsman",
            "close my account",
            "unacceptable",
            "beschwerde",
            "betrug",
            "abzocke",
            "anwalt",
            "konto schließen",
            "unverschämt",
        ],
        _("Looked for in what clients write in tickets and e-mails."),
        needs_four_eyes=False,
    )
)

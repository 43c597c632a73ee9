"""What a brand sets about monitoring."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Count, Fraction, Policy, PolicyArea, declare

ALERT_PROBABILITY = declare(
    Policy(
        "alert_probability",
        PolicyArea.MONITORING,
        _("Probability below which a day raises an alert"),
        Fraction(Decimal(0), Decimal("0.05"), 6),
        "0.01",
        _("However much of the budget is left, a day must be less probable than this. 0: no alerts from the baseline."),
    )
)
ALERT_BUDGET = declare(
    Policy(
        "alert_budget",
        PolicyArea.MONITORING,
        _("Alert budget: cases per 100 agent-days"),
        Fraction(Decimal(0), Decimal(20), 2),
        "0.5",
        _(
            "How many alerts people have time to review. The most unusual days are raised; broken rules count, and always are."
        ),
    )
)
NOTICE_ALERT_TIMES = declare(
    Policy(
        "notice_alert_times",
        PolicyArea.MONITORING,
        _("After notice, alerts need a probability so many times higher"),
        Count(1, 10, _("times")),
        10,
        _(
            "From the day of notice on, less unusual days of a leaver compete for the alert budget. 1: as for everybody."
        ),
    )
)
ALERT_REVIEW_HOURS = declare(
    Policy(
        "alert_review_hours",
        PolicyArea.MONITORING,
        _("Alerts are reviewed within"),
        Count(1, 240, _("working hours")),
        24,
        _("The heads above the desk are notified of alerts that are still undecided then."),
        needs_four_eyes=False,
    )
)
ESCALATION_HOURS = declare(
    Policy(
        "agent_escalation_hours",
        PolicyArea.MONITORING,
        _("Escalated alerts are decided within"),
        Count(1, 240, _("working hours")),
        16,
        _("The reporting officer's queue marks later ones as late."),
        needs_four_eyes=False,
    )
)
ANOMALY_PROBABILITY = declare(
    Policy(
        "anomaly_probability",
        PolicyArea.MONITORING,
        _("Probability below which a client's or partner's day is an anomaly"),
        Fraction(Decimal(0), Decimal("0.01"), 6),
        "0.0001",
        _("Against their own past. 0: none are raised."),
        needs_four_eyes=False,
    )
)
ANOMALIES_PER_DAY = declare(
    Policy(
        "anomalies_per_day",
        PolicyArea.MONITORING,
        _("Most anomalies of clients and partners per day"),
        Count(0, 200, _("per day")),
        10,
        _("The most improbable ones become work. Those of payment methods, servers and queues are always raised."),
        needs_four_eyes=False,
    )
)
ANOMALY_HOURS = declare(
    Policy(
        "anomaly_hours",
        PolicyArea.MONITORING,
        _("Anomalies are decided within"),
        Count(1, 240, _("working hours")),
        8,
        _("The queue marks later ones as late."),
        needs_four_eyes=False,
    )
)
MONITORING_KEPT_DAYS = declare(
    Policy(
        "monitoring_kept_days",
        PolicyArea.MONITORING,
        _("Counts and scores of staff are kept for"),
        Count(200, 1100, _("days")),
        400,
        _(
            "Then they are deleted, and with them the baselines of people who left. Judging a day needs the 195 days before."
        ),
    )
)
ALERT_FIGURES_YEARS = declare(
    Policy(
        "alert_figures_years",
        PolicyArea.MONITORING,
        _("Figures and explanations of alerts are kept for"),
        Count(1, 10, _("years after the decision")),
        3,
        _("Then they are deleted. That a day was reviewed, by whom, and the decision stay as evidence."),
    )
)

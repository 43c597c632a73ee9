"""What a brand sets about screening."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from compliance.vendors.choices import ScreenedBy
from crm.brand_policies import Choice, Count, Fraction, Policy, PolicyArea, Switch, declare

SCREENING_THRESHOLD = declare(
    Policy(
        "screening_threshold",
        PolicyArea.IDENTITY,
        _("Screening threshold"),
        Fraction(Decimal("0.5"), Decimal(1), 4),
        "0.8",
        _("Matches with a watchlist from this score on are reviewed. 1: only exact ones."),
    )
)
SCREENED_BY = declare(
    Policy(
        "screened_by",
        PolicyArea.IDENTITY,
        _("Clients are screened by"),
        Choice(dict(ScreenedBy.choices)),
        ScreenedBy.BUILT_IN.value,
        _("A vendor is set up on the page of screening vendors. Without one, the imported lists are used."),
    )
)
SECOND_PERSON = Choice(
    {"always": _("Always"), "high_risk": _("For clients with a high risk rating"), "never": _("Never")}
)
TRUE_MATCH_SECOND_PERSON = declare(
    Policy(
        "true_match_second_person",
        PolicyArea.IDENTITY,
        _("A true match is confirmed by two people"),
        SECOND_PERSON,
        "always",
        _("Until the second person decides, the account stays frozen by the possible match."),
    )
)
FALSE_POSITIVE_SECOND_PERSON = declare(
    Policy(
        "false_positive_second_person",
        PolicyArea.IDENTITY,
        _("A possible match is dismissed by two people"),
        SECOND_PERSON,
        "high_risk",
        _("Until the second person decides, the account stays frozen."),
    )
)
MATCH_REVIEW_HOURS = declare(
    Policy(
        "match_review_hours",
        PolicyArea.PROMISES,
        _("Possible matches are reviewed within"),
        Count(1, 240, _("working hours")),
        4,
        _("The client's account is frozen until then. Later ones are marked as late."),
        needs_four_eyes=False,
    )
)
DELISTING_HOURS = declare(
    Policy(
        "delisting_hours",
        PolicyArea.PROMISES,
        _("Delisted true matches are reviewed within"),
        Count(1, 480, _("working hours")),
        24,
        _("The client's restriction stays until then. Later ones are marked as late."),
        needs_four_eyes=False,
    )
)
AML_CASE_HOURS = declare(
    Policy(
        "aml_case_hours",
        PolicyArea.PROMISES,
        _("AML cases are decided within"),
        Count(1, 480, _("working hours")),
        24,
        _("Later ones are marked as late."),
        needs_four_eyes=False,
    )
)
AML_CASE_SECOND_PERSON = declare(
    Policy(
        "aml_case_second_person",
        PolicyArea.IDENTITY,
        _("An AML case is closed without suspicion by two people"),
        SECOND_PERSON,
        "high_risk",
        _("Reporting a suspicion is the MLRO's decision alone."),
    )
)
AML_ALERTS_HOLD = declare(
    Policy(
        "aml_alerts_hold",
        PolicyArea.WITHDRAWALS,
        _("AML alerts of high severity hold withdrawals"),
        Switch(),
        True,
        _("A withdrawal waits for a person while such an alert is open, or where the request itself would raise one."),
    )
)
RETENTION_YEARS = declare(
    Policy(
        "retention_years",
        PolicyArea.IDENTITY,
        _("Records are kept after the relation ended for"),
        Count(5, 25, _("years")),
        5,
        _(
            "Directive (EU) 2015/849, Article 40: five years. 31 CFR 501.601 asks for ten for sanctions, Australia for seven. "
            "Afterwards clients can be erased."
        ),
    )
)

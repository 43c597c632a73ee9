"""What a brand sets about verification."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Amount, Choice, Choices, Count, Counts, Fraction, Policy, PolicyArea, Switch, declare
from kyc.choices import IssueCode
from kyc.providers.choices import VerifiedBy
from kyc.urgency.doubts import HARMLESS

KYC_LEVEL_REQUIRED = declare(
    Policy(
        "kyc_level_required",
        PolicyArea.IDENTITY,
        _("KYC level of a verified client"),
        Count(1, 5),
        1,
        _("From this level on a client is verified. What each level requires is set on the page of KYC levels."),
    )
)
KYC_VERIFIED_BY = declare(
    Policy(
        "kyc_verified_by",
        PolicyArea.IDENTITY,
        _("Identity and address are checked by"),
        Choice(dict(VerifiedBy.choices)),
        VerifiedBy.BUILT_IN.value,
        _("A provider is set up on the page of KYC providers. Without one, officers decide every document."),
    )
)
KYC_PROVIDER_FALLBACK_HOURS = declare(
    Policy(
        "kyc_provider_fallback_hours",
        PolicyArea.IDENTITY,
        _("Built-in checks replace a KYC provider that hasn't answered for"),
        Count(0, 168, _("hours")),
        0,
        _("0: never. Clients then wait until the provider answers again."),
    )
)
KYC_EXPIRY_NOTICE_DAYS = declare(
    Policy(
        "kyc_expiry_notice_days",
        PolicyArea.IDENTITY,
        _("Notices before a document expires"),
        Counts(1, 180, _("days")),
        [60, 30, 7],
        _("The client is notified in the client portal and by e-mail. For documents approved from then on."),
        needs_four_eyes=False,
    )
)
RESTRICTIONS: Final = {
    "no_deposit": _("Deposits"),
    "no_trading": _("Trading: positions can't be opened or closed by the client"),
    "no_withdrawal": _("Withdrawals"),
}
KYC_EXPIRY_GRACE_DAYS = declare(
    Policy(
        "kyc_expiry_grace_days",
        PolicyArea.IDENTITY,
        _("Grace period after a document expired"),
        Count(0, 365, _("days")),
        14,
    )
)
KYC_EXPIRY_RESTRICTS = declare(
    Policy(
        "kyc_expiry_restricts",
        PolicyArea.IDENTITY,
        _("Blocked after the grace period"),
        Choices(RESTRICTIONS),
        ["no_deposit"],
        _("Until a new document is approved. Positions can be closed and money withdrawn unless you select those too."),
    )
)
KYC_REVIEW_HOURS = declare(
    Policy(
        "kyc_review_hours",
        PolicyArea.PROMISES,
        _("Documents are reviewed within"),
        Count(1, 240, _("working hours")),
        8,
        _("Counted from the upload. Later ones are marked as late."),
        needs_four_eyes=False,
    )
)
KYC_BLOCKING_SECOND_PERSON = declare(
    Policy(
        "kyc_blocking_second_person",
        PolicyArea.IDENTITY,
        _("Approving a document despite a blocking problem takes two people"),
        Switch(),
        False,
        _("The first person proposes with a note, a colleague approves. Until then the document is pending review."),
    )
)
KYC_UNDO_SECONDS = declare(
    Policy(
        "kyc_undo_seconds",
        PolicyArea.IDENTITY,
        _("A decision on a document can be undone for"),
        Count(0, 120, _("seconds")),
        8,
        _("0: decisions are final immediately."),
        needs_four_eyes=False,
    )
)
KYC_BATCH_DOUBTS = declare(
    Policy(
        "kyc_batch_doubts",
        PolicyArea.IDENTITY,
        _("Doubts that officers may confirm for several files in one step"),
        Choices({code.value: code.label for code in HARMLESS}),
        [IssueCode.NAME_CUT, IssueCode.PRINT_NEAR, IssueCode.POA_ISSUER],
        _("Only files where every other check passed. Never clients rated high, hints of editing, or duplicates."),
    )
)
DEPOSIT_UNVERIFIED_MAX = declare(
    Policy(
        "deposit_unverified_max_minor",
        PolicyArea.DEPOSITS,
        _("Total deposits of an unverified client"),
        Amount(),
        200000,
        _("CySEC C721: EUR 2,000. A brand with its own KYC levels sets it there."),
    )
)
WITHDRAWAL_KYC_LEVEL = declare(
    Policy(
        "withdrawal_kyc_level",
        PolicyArea.WITHDRAWALS,
        _("KYC level needed to withdraw"),
        Count(0, 3),
        1,
        _("A brand with its own KYC levels sets it there."),
    )
)
KYC_SECOND_LOOK_HOURS = declare(
    Policy(
        "kyc_second_look_hours",
        PolicyArea.PROMISES,
        _("Documents get their second look within"),
        Count(1, 480, _("working hours")),
        40,
        _("Counted from the automatic approval that was drawn."),
        needs_four_eyes=False,
    )
)
QUESTIONNAIRE_NOTICE_DAYS = declare(
    Policy(
        "questionnaire_notice_days",
        PolicyArea.IDENTITY,
        _("Notice before answers to a questionnaire expire"),
        Count(0, 180, _("days")),
        30,
        _("For answers given from then on. The client is notified and e-mailed this far ahead."),
        needs_four_eyes=False,
    )
)
EDD_REVIEW_HOURS = declare(
    Policy(
        "edd_review_hours",
        PolicyArea.PROMISES,
        _("Enhanced due diligence is decided within"),
        Count(1, 240, _("working hours")),
        24,
        _("Counted from the client's answers. Later ones are marked as late."),
        needs_four_eyes=False,
    )
)
CATEGORY_REVIEW_HOURS = declare(
    Policy(
        "category_review_hours",
        PolicyArea.PROMISES,
        _("Client category requests are decided within"),
        Count(1, 240, _("working hours")),
        40,
        _("Counted from the request. Later ones are marked as late."),
        needs_four_eyes=False,
    )
)
CATEGORY_REVIEW_MONTHS = declare(
    Policy(
        "category_review_months",
        PolicyArea.IDENTITY,
        _("Client categories are reviewed after"),
        Count(1, 36, _("months")),
        12,
        _("Of professional clients and eligible counterparties."),
    )
)
CATEGORY_TRADE_LOTS = declare(
    Policy(
        "category_trade_lots",
        PolicyArea.IDENTITY,
        _("Lots of a trade of significant size"),
        Fraction(Decimal("0.01"), Decimal(100), 2),
        "0.5",
        _("Such trades count for clients who ask to be professional; MiFID II leaves the size to the firm."),
    )
)


def _review_months(risk: str, label: Any, months: int) -> Policy[int]:
    return declare(
        Policy(f"client_review_months_{risk}", PolicyArea.IDENTITY, label, Count(1, 60, _("months")), months)
    )


CLIENT_REVIEW_MONTHS_HIGH = _review_months("high", _("Periodic review of high-risk clients after"), 12)
CLIENT_REVIEW_MONTHS_MEDIUM = _review_months("medium", _("Periodic review of medium-risk clients after"), 24)
CLIENT_REVIEW_MONTHS_LOW = _review_months("low", _("Periodic review of low-risk clients after"), 36)
CLIENT_REVIEW_FOLLOW_UP_DAYS = declare(
    Policy(
        "client_review_follow_up_days",
        PolicyArea.IDENTITY,
        _("Review again after documents were requested"),
        Count(1, 180, _("days")),
        30,
        _("Also after an escalation."),
        needs_four_eyes=False,
    )
)
CLIENT_REVIEW_GRACE_DAYS = declare(
    Policy(
        "client_review_grace_days",
        PolicyArea.IDENTITY,
        _("A periodic review is overdue after"),
        Count(1, 365, _("days")),
        60,
    )
)
CLIENT_REVIEW_RESTRICTS = declare(
    Policy(
        "client_review_restricts",
        PolicyArea.IDENTITY,
        _("Blocked while a periodic review is overdue"),
        Choices(RESTRICTIONS),
        [],
    )
)
CLIENT_REVIEW_HOURS = declare(
    Policy(
        "client_review_hours",
        PolicyArea.PROMISES,
        _("Periodic reviews are done within"),
        Count(1, 1_000, _("working hours")),
        160,
        needs_four_eyes=False,
    )
)

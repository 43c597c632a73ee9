"""What a brand sets about verification."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Amount, Count, Policy, PolicyArea, declare

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
KYC_EXPIRY_NOTICE_DAYS = declare(
    Policy(
        "kyc_expiry_notice_days",
        PolicyArea.IDENTITY,
        _("Notice before a document expires"),
        Count(1, 180, _("days")),
        30,
        _("For documents approved from then on. The event kyc.document_expiring is published this far ahead."),
        needs_four_eyes=False,
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

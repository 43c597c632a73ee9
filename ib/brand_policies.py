"""What a brand sets about its partners."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Choice, Count, Policy, PolicyArea, Switch, declare
from ib.agreements.choices import ClientNames


class PartnerTouch(models.TextChoices):
    """Which enquiry or visit with a partner's code a registration is credited to."""

    FIRST = "first", _("The first partner whose link or code was used")
    LAST = "last", _("The last partner whose link or code was used")


PARTNER_TOUCH = declare(
    Policy(
        "partner_touch",
        PolicyArea.REGISTRATION,
        _("A client who registers is credited to"),
        Choice(dict(PartnerTouch.choices)),
        PartnerTouch.FIRST.value,
        _(
            "A code that the client types when registering counts before both. Applies to registrations from that day on."
        ),
    )
)
PARTNER_TOUCH_DAYS = declare(
    Policy(
        "partner_touch_days",
        PolicyArea.REGISTRATION,
        _("An enquiry through a partner counts for"),
        Count(1, 3650, _("days")),
        365,
        _("Visits without an enquiry are remembered for 30 days at most."),
    )
)
PARTNER_LOCK_IN_DAYS = declare(
    Policy(
        "partner_lock_in_days",
        PolicyArea.REGISTRATION,
        _("A client stays with their partner for"),
        Count(0, 3650, _("days")),
        0,
        _(
            "0: for good. After that, a client who enquires again through another partner's link becomes that partner's."
        ),
    )
)
CLIENT_NAMES = declare(
    Policy(
        "partner_client_names",
        PolicyArea.REGISTRATION,
        _("Partners see their own clients as"),
        Choice(dict(ClientNames.choices)),
        ClientNames.SHORT.value,
        _(
            "On their pages, statements, files and in the API, where their agreements don’t set it. Contact details are never"
            " shared, and of clients further down only whose they are."
        ),
    )
)
CLIENT_CLAIM_HOURS = declare(
    Policy(
        "client_claim_hours",
        PolicyArea.PROMISES,
        _("Partners' claims on clients are answered within"),
        Count(1, 480, _("working hours")),
        24,
        needs_four_eyes=False,
    )
)
PARTNER_VERIFICATION = declare(
    Policy(
        "partner_verification",
        PolicyArea.IDENTITY,
        _("Applicants are approved as partners only once they are verified"),
        Switch(),
        True,
        _("By the documents of their own client record, a company's by its own and its people's."),
    )
)
APPLICATIONS_OPEN = declare(
    Policy(
        "partner_applications",
        PolicyArea.REGISTRATION,
        _("Anyone can apply to become a partner"),
        Switch(),
        True,
        _("On the website and in the client portal. Partners can invite sub-partners in any case."),
        needs_four_eyes=False,
    )
)
SUB_PARTNER_SHARE = declare(
    Policy(
        "sub_partner_share",
        PolicyArea.REGISTRATION,
        _("Partners offer sub-partners at most"),
        Count(1, 100, _("% of their own rates")),
        100,
        _("In each symbol group and component. A CPA may be offered whole."),
    )
)
REFERRAL_SCORE = declare(
    Policy(
        "referral_score",
        PolicyArea.MONITORING,
        _("A partner's referrals are reviewed from a score of"),
        Count(20, 100, _("of 100")),
        60,
        _("Shared devices, accounts and documents, returning people, volume without risk, CPA and gone."),
    )
)
REFERRAL_HOLD = declare(
    Policy(
        "referral_hold",
        PolicyArea.MONITORING,
        _("Payouts wait while a partner's referrals are under review"),
        Switch(),
        True,
        _("Confirmed abuse holds them in any case, until finance releases them."),
    )
)
REFERRAL_REVIEW_HOURS = declare(
    Policy(
        "referral_review_hours",
        PolicyArea.PROMISES,
        _("Referrals under review are decided within"),
        Count(1, 480, _("working hours")),
        24,
        needs_four_eyes=False,
    )
)
COMMISSION_DISPUTE_HOURS = declare(
    Policy(
        "commission_dispute_hours",
        PolicyArea.PROMISES,
        _("Commission disputes are answered within"),
        Count(1, 480, _("working hours")),
        40,
        _("Partners see the day. Later ones are marked as late."),
        needs_four_eyes=False,
    )
)

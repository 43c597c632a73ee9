"""States and kinds of screening, restrictions and risk."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices, EmailChannel
from crm.notices.kinds import MANDATORY, NoticeGroup, NotificationKind, staff

# Who reads in a timeline that somebody was screened, and how it ended. Whoever talks to clients must not learn of a
# possible match: a word to the person would be tipping off.
NOT_FOR_SALES = "compliance.view_screening"


class EntryKind(models.TextChoices):
    PERSON = "person", _("Person")
    ENTITY = "entity", _("Organisation")
    VESSEL = "vessel", _("Ship or aircraft")


class NameKind(models.TextChoices):
    PRIMARY = "primary", _("Name")
    ALIAS = "alias", _("Alias")
    ORIGINAL = "original", _("Original script")


class VersionState(BadgeChoices):
    CURRENT = "current", "green", _("In force")
    WAITING = "waiting", "yellow", _("Awaiting confirmation")
    SUPERSEDED = "superseded", "secondary", _("Superseded")
    REFUSED = "refused", "red", _("Rejected")


VERSION_TRANSITIONS: dict[str, set[str]] = {
    VersionState.CURRENT: {VersionState.SUPERSEDED},
    VersionState.WAITING: {VersionState.SUPERSEDED, VersionState.REFUSED},
    VersionState.SUPERSEDED: set(),
    VersionState.REFUSED: set(),
}


class ListTopic(models.TextChoices):
    """What an entry is listed for; see `compliance.sources.base`."""

    SANCTION = "sanction", _("Sanction")
    RESTRICTION = "restriction", _("Restriction without freezing")
    PEP = "pep", _("PEP")
    CRIME = "crime", _("Crime")
    OWN = "own", _("Own list")


class ScreeningTrigger(models.TextChoices):
    REGISTERED = "registered", _("Registered")
    VERIFIED = "verified", _("Client verified")
    DEMAND = "demand", _("On demand")
    LIST = "list", _("List changed")
    PROFILE = "profile", _("Client's data changed")
    COMPANY = "company", _("Linked to a company")
    CONNECTED = "connected", _("Payer, payee, owner or partner noted")
    VENDOR = "vendor", _("Vendor's notice")


class HitState(BadgeChoices):
    OPEN = "open", "yellow", _("Pending review")
    FALSE_POSITIVE = "false_positive", "green", _("False positive")
    CONFIRMED = "confirmed", "red", _("True match")
    OUTDATED = "outdated", "secondary", _("Outdated")


HIT_TRANSITIONS: dict[str, set[str]] = {
    HitState.OPEN: {HitState.FALSE_POSITIVE, HitState.CONFIRMED, HitState.OUTDATED},
    HitState.FALSE_POSITIVE: set(),
    HitState.CONFIRMED: set(),
    HitState.OUTDATED: set(),
}


class ClearReason(models.TextChoices):
    """Why a possible match is another person."""

    BIRTH_DATE = "birth_date", _("Different date of birth")
    NAME = "name", _("Different name")
    NATIONALITY = "nationality", _("Different nationality or country")
    DOCUMENT = "document", _("Identity document checked")
    DECEASED = "deceased", _("The listed person is deceased or elsewhere")
    OTHER = "other", _("Other reason")


class RestrictionKind(BadgeChoices):
    NO_DEPOSIT = "no_deposit", "orange", _("Deposits blocked")
    NO_WITHDRAWAL = "no_withdrawal", "orange", _("Withdrawals blocked")
    NO_TRADING = "no_trading", "orange", _("Trading blocked")
    FROZEN = "frozen", "red", _("Frozen")


class RestrictionCause(models.TextChoices):
    MANUAL = "manual", _("Placed by staff")
    SCREENING_HOLD = "screening_hold", _("Possible watchlist match under review")
    CONFIRMED_MATCH = "confirmed_match", _("Confirmed watchlist match")
    DOCUMENT_OVERDUE = "document", _("Document expired")
    REVIEW_OVERDUE = "review", _("Periodic review overdue")
    VENDOR_PENDING = "vendor_pending", _("Screening by a vendor pending")


# Placed and lifted by the system as the client's verification runs out and is renewed.
OVERDUE_CAUSES = (RestrictionCause.DOCUMENT_OVERDUE, RestrictionCause.REVIEW_OVERDUE)


class CountryRiskLevel(BadgeChoices):
    GREY = "grey", "yellow", _("Increased monitoring")
    BLACK = "black", "red", _("Call for action")


class RiskGroup(models.TextChoices):
    """What a factor of a risk model is about."""

    SCREENING = "screening", _("Screening")
    GEOGRAPHY = "geography", _("Geography")
    CLIENT = "client", _("Client")
    PRODUCT = "product", _("Product")
    CHANNEL = "channel", _("Channel")
    BEHAVIOUR = "behaviour", _("Behaviour")


# What a comparison found, by the code that an explanation keeps.
EVIDENCE = {
    "same_day": _("Same day"),
    "same_year": _("Within the listed year"),
    "day_and_month_swapped": _("Day and month swapped"),
    "near": _("Within one year"),
    "differs": _("Differs"),
    "same": _("Exact"),
    "unknown": _("Unknown"),
    "weak_alias": _("Weak alias"),
    "father_and_son_swapped": _("Name and father's name swapped"),
    "other_order": _("Different order"),
    "one_word": _("One word only"),
    "common_words_only": _("Common words only"),
    "words_on_both_sides_differ": _("Each name has a word that the other lacks"),
    "written_together": _("Words written together"),
    "characters": _("Original characters compared"),
    "read_korean": _("Read as Korean"),
    "read_japanese": _("Read as Japanese"),
    "gender_differs": _("Gender differs"),
    "numbers_differ": _("Numbers differ"),
    "other_legal_form": _("Different legal form"),
    "initials": _("Initials of the other name"),
    "one_typing_error": _("Typing error"),
    "syllable_missing": _("A syllable is missing"),
    "same_number": _("Same number"),
    "same_street": _("Same street and number"),
    "same_city": _("Same city"),
}


# What a list calls the numbers of its entries.
IDENTIFIER_KINDS = {
    "passport": _("Passport"),
    "national": _("National ID"),
    "tax": _("Tax number"),
    "registration": _("Registration number"),
    "lei": _("LEI"),
    "imo": _("IMO number"),
    "swift": _("SWIFT/BIC"),
    "wallet": _("Crypto address"),
}


class ComplianceNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    POSSIBLE_MATCH = (
        "compliance.possible_match",
        _("Possible watchlist matches"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.decide_hit"),
        EmailChannel.AT_ONCE,
    )
    CASE_FOLLOW_UP = (
        "compliance.case_follow_up",
        _("Answers and tasks of AML cases"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.decide_amlcase"),
        EmailChannel.OFF,
    )
    REPORT_WAITS = (
        "compliance.report_waits",
        _("Suspicion reports that await a decision"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.see_amlreports"),
        EmailChannel.AT_ONCE,
    )
    MATCH_CONFIRMED = (
        "compliance.match_confirmed",
        _("True watchlist matches"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.decide_hit"),
        EmailChannel.AT_ONCE,
    )
    DELISTED = (
        "compliance.delisted",
        _("Matches removed from a watchlist"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.decide_hit"),
        EmailChannel.AT_ONCE,
    )
    ERASURE_PROPOSED = (
        "compliance.erasure_proposed",
        _("Proposed erasures of clients"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.erase_client"),
        EmailChannel.AT_ONCE,
    )
    VENDOR_PROPOSED = (
        "compliance.vendor_proposed",
        _("Proposed screening vendors"),
        NoticeGroup.COMPLIANCE,
        staff("crm.manage_identity_policies"),
        EmailChannel.AT_ONCE,
    )
    LIST_PROBLEM = (
        "compliance.list_problem",
        _("Watchlists that are stale or need confirmation"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.import_watchlist"),
        EmailChannel.AT_ONCE,
    )
    LIFT_ASKED = (
        "compliance.lift_asked",
        _("Requests to lift a restriction"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.lift_restriction"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    LIFT_REFUSED = (
        "compliance.lift_refused",
        _("Your requests to lift a restriction: rejections"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.lift_restriction"),
    )
    RISK_MODEL_PROPOSED = (
        "compliance.risk_model_proposed",
        _("Proposed risk models"),
        NoticeGroup.COMPLIANCE,
        staff("crm.manage_identity_policies"),
        EmailChannel.AT_ONCE,
    )
    RISK_OVERRIDE_PROPOSED = (
        "compliance.risk_override_proposed",
        _("Proposed changes of a risk rating"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.override_risk"),
        EmailChannel.AT_ONCE,
    )
    RESTRICTED = (
        "compliance.restricted",
        _("Your clients restricted"),
        NoticeGroup.CLIENTS,
        staff("clients.view_client"),
    )
    AML_RULE_PROPOSED = (
        "compliance.aml_rule_proposed",
        _("AML rules awaiting second approval"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.approve_amlrule"),
    )

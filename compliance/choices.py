"""States and kinds of screening, restrictions and risk."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices

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
    CURRENT = "current", "green", _("Current")
    SUPERSEDED = "superseded", "secondary", _("Superseded")
    REFUSED = "refused", "red", _("Refused")


VERSION_TRANSITIONS: dict[str, set[str]] = {
    VersionState.CURRENT: {VersionState.SUPERSEDED},
    VersionState.SUPERSEDED: set(),
    VersionState.REFUSED: set(),
}


class ScreeningTrigger(models.TextChoices):
    VERIFIED = "verified", _("Client verified")
    DEMAND = "demand", _("On demand")
    LIST = "list", _("List changed")
    PROFILE = "profile", _("Client's data changed")


class HitState(BadgeChoices):
    OPEN = "open", "yellow", _("To review")
    FALSE_POSITIVE = "false_positive", "green", _("False positive")
    CONFIRMED = "confirmed", "red", _("Confirmed")
    OUTDATED = "outdated", "secondary", _("Outdated")


HIT_TRANSITIONS: dict[str, set[str]] = {
    HitState.OPEN: {HitState.FALSE_POSITIVE, HitState.CONFIRMED, HitState.OUTDATED},
    HitState.FALSE_POSITIVE: set(),
    HitState.CONFIRMED: set(),
    HitState.OUTDATED: set(),
}


class ClearReason(models.TextChoices):
    """Why a possible match is another person."""

    BIRTH_DATE = "birth_date", _("Another date of birth")
    NAME = "name", _("Another name")
    NATIONALITY = "nationality", _("Another nationality or country")
    DOCUMENT = "document", _("Identity document seen")
    DECEASED = "deceased", _("The listed person is dead or elsewhere")
    OTHER = "other", _("Another reason")


class RestrictionKind(BadgeChoices):
    NO_DEPOSIT = "no_deposit", "orange", _("No deposits")
    NO_WITHDRAWAL = "no_withdrawal", "orange", _("No withdrawals")
    NO_TRADING = "no_trading", "orange", _("No trading")
    FROZEN = "frozen", "red", _("Frozen")


class RestrictionCause(models.TextChoices):
    MANUAL = "manual", _("Placed by staff")
    SCREENING_HOLD = "screening_hold", _("Possible watchlist match under review")
    CONFIRMED_MATCH = "confirmed_match", _("Confirmed watchlist match")


class CountryRiskLevel(BadgeChoices):
    GREY = "grey", "yellow", _("Increased monitoring")
    BLACK = "black", "red", _("Call for action")

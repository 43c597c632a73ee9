"""Kinds of questionnaires and questions, when one is asked for, and states of an enhanced review."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class QuestionnaireKind(BadgeChoices):
    APPROPRIATENESS = "appropriateness", "indigo", _("Appropriateness test")
    SOURCE_OF_FUNDS = "source_of_funds", "teal", _("Source of funds and wealth")
    TAX = "tax", "blue", _("Tax self-certification")
    PEP = "pep", "orange", _("PEP declaration")
    OTHER = "other", "secondary", _("Other questionnaire")


class QuestionType(models.TextChoices):
    SINGLE = "single", _("One choice")
    MULTIPLE = "multiple", _("Several choices")
    NUMBER = "number", _("A number")
    MONEY = "money", _("Amount of money")
    DATE = "date", _("Date")
    COUNTRY = "country", _("Country")
    TEXT = "text", _("Text")
    DECLARATION = "declaration", _("Declaration to tick")
    TAX = "tax", _("Tax residences")


CHOICE_TYPES = (QuestionType.SINGLE, QuestionType.MULTIPLE)


class AskedAt(models.TextChoices):
    """From when on a client needs it."""

    REQUEST = "request", _("Only when a colleague requests it")
    REGISTRATION = "registration", _("From registration on")
    ACCOUNT = "account", _("Before the first trading account")
    DEPOSIT = "deposit", _("Before deposits above an amount")
    WITHDRAWAL = "withdrawal", _("Before a withdrawal")


class NoTinReason(models.TextChoices):
    """Why there is no tax number, as the CRS (section I of the Commentary) and FATCA forms have it."""

    A = "A", _("A: the country issues no tax numbers to its residents")
    B = "B", _("B: I can't obtain a number (please explain)")
    C = "C", _("C: the country doesn't require the number to be disclosed")


class ReviewState(BadgeChoices):
    """An enhanced due diligence review that an answer called for."""

    OPEN = "open", "yellow", _("Under review")
    CLEARED = "cleared", "green", _("Cleared")
    DECLINED = "declined", "red", _("Declined")


REVIEW_TRANSITIONS: dict[str, set[str]] = {
    ReviewState.OPEN: {ReviewState.CLEARED, ReviewState.DECLINED},
    ReviewState.CLEARED: set(),
    ReviewState.DECLINED: set(),
}

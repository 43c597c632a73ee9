"""Criteria, grounds and states of a client's category."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class Criterion(models.TextChoices):
    """The three criteria of MiFID II Annex II section II.1; two of them must be met."""

    TRADES = "trades", _("Trades of significant size, 10 per quarter on average over the last four quarters")
    PORTFOLIO = "portfolio", _("Financial instruments and cash deposits of more than EUR 500,000")
    EXPERIENCE = (
        "experience",
        _("At least one year in the financial sector, in a position that requires this knowledge"),
    )


CRITERIA_NEEDED = 2
# A document proves these; trades are counted where they were made with us.
NEED_EVIDENCE = (Criterion.PORTFOLIO, Criterion.EXPERIENCE)


class Basis(models.TextChoices):
    """Why a client has a category."""

    REQUEST = "request", _("On the client's request (Annex II section II)")
    PER_SE = "per_se", _("Per se (Annex II section I)")
    OPT_DOWN = "opt_down", _("Client asked for more protection")
    REVIEW = "review", _("Review: confirmed")
    CORRECTION = "correction", _("Criteria no longer met, or a correction")
    MIGRATED = "migrated", _("From the earlier system")


# What a colleague proposes. Clients ask for more protection themselves.
PROPOSED_BASES = (Basis.REQUEST, Basis.PER_SE, Basis.REVIEW, Basis.CORRECTION)


class RequestState(BadgeChoices):
    OPEN = "open", "yellow", _("Under review")
    APPROVED = "approved", "green", _("Approved")
    REJECTED = "rejected", "red", _("Declined")
    WITHDRAWN = "withdrawn", "secondary", _("Withdrawn by client")


REQUEST_TRANSITIONS: dict[str, set[str]] = {
    RequestState.OPEN: {RequestState.APPROVED, RequestState.REJECTED, RequestState.WITHDRAWN},
    RequestState.APPROVED: set(),
    RequestState.REJECTED: set(),
    RequestState.WITHDRAWN: set(),
}

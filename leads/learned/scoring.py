"""Scoring a lead with the version in use: probability, its place among earlier leads from 0 to 100, and the main reasons."""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from django.utils import timezone

from clients.choices import Stage
from leads.learned.features import DAYS, FEATURES, values_of
from leads.models import Lead, LeadModel
from leads.scoring import Signals

REASONS: Final = 3
REASON_LEAST: Final = 0.1  # less in log-odds is no reason


@dataclass(frozen=True, slots=True)
class Prospect:
    """What the learned score says of a lead; `reasons`: features by code, with a sign for what they do to the score."""

    probability: float | None = None
    score: int | None = None
    reasons: list[str] = field(default_factory=list)

    def write_to(self, lead: Lead) -> None:
        """Write it into the lead, not saved."""
        lead.probability, lead.learned_score, lead.learned_reasons = self.probability, self.score, self.reasons


UNKNOWN: Final = Prospect()


class Learned:
    """A version, ready to score one lead after the other in a few microseconds."""

    def __init__(self, row: LeadModel) -> None:
        model = row.loaded(FEATURES)
        self.rates, self.edges, self.names = row.rates, row.edges, list(FEATURES)
        self.factors = (model.weights * model.slope / model.spread).tolist()
        self.means = model.mean.tolist()
        self.constant = model.slope * model.intercept + model.shift

    def prospect(self, seen: Signals) -> Prospect:
        """Score a lead as of `seen.now`."""
        values = values_of(seen, self.rates)
        parts = [(value - mean) * factor for value, mean, factor in zip(values, self.means, self.factors, strict=True)]
        odds = max(-50.0, min(50.0, sum(parts) + self.constant))
        probability = 1 / (1 + math.exp(-odds))
        place = max(0, min(100, bisect_right(self.edges, probability) - 1))
        main = sorted(zip(parts, self.names, strict=True), key=lambda part: -abs(part[0]))[:REASONS]
        reasons = [f"{'+' if part > 0 else '-'}{name}" for part, name in main if abs(part) >= REASON_LEAST]
        return Prospect(probability, place, reasons)


def in_use() -> Learned | None:
    """Load the version in use, once per process; None where none was trained yet."""
    pk = LeadModel.objects.filter(is_active=True).order_by().values_list("pk", flat=True).first()
    return None if pk is None else _loaded(pk)


@lru_cache(maxsize=2)
def _loaded(pk: int) -> Learned:
    return Learned(LeadModel.objects.get(pk=pk))


def prospect_of(seen: Signals) -> Prospect:
    """Score one lead; unknown where no version was trained yet."""
    learned = in_use()
    return UNKNOWN if learned is None else learned.prospect(seen)


def explained(reasons: list[str]) -> list[dict[str, Any]]:
    """Write reasons for a page: what each is about, and whether it raises the score."""
    return [
        {"raises": code[0] == "+", "label": FEATURES[code[1:]]} for code in reasons if code and code[1:] in FEATURES
    ]


def open_leads() -> list[int]:
    """List whose leads of the last month are scored again each night: another day without a deposit says something."""
    since = timezone.now() - dt.timedelta(days=DAYS)
    rows = Lead.objects.filter(captured_at__gte=since, refusal="", client__first_deposit_at=None)
    ids = rows.exclude(client__stage=Stage.CLOSED).order_by("client_id").values_list("client_id", flat=True)
    return list(dict.fromkeys(ids))

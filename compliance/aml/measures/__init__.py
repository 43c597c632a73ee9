"""What a rule can measure: each measure is one statement over the movements, its parameters, and a sentence.

A statement yields every movement from the scope's `since` on at which the rule holds, judged by what had happened up to that
movement and nothing later. So it doesn't matter whether it is run for a few clients as money moves, or for all of them over a
year: the same movements are found. `compliance.aml.running` puts scope, period and population around it.

Placeholders: `{movement}` is the stream (or the stream with a movement that is only asked about), `{months}` the deposits of
clients by month, which are kept with it; parameters are named.
Sources of the indicators: FATF/Egmont, "Trade-Based Money Laundering: Risk Indicators"; FATF, "Money Laundering and Terrorist
Financing in the Securities Sector" (2009), annex; FINRA, Regulatory Notice 19-18; EBA/GL/2021/02 on ML/TF risk factors.
"""

from __future__ import annotations

from compliance.aml.measures import countries, flows, links, payments, profiles
from compliance.aml.measures.kit import MEASURES, Label, Measure, Parameter, Unit, shown

__all__ = [
    "MEASURES",
    "Measure",
    "Parameter",
    "Unit",
    "choices",
    "countries",
    "flows",
    "links",
    "payments",
    "profiles",
    "shown",
]


def choices() -> list[tuple[str, Label]]:
    """List the measures for a form."""
    return [(measure.code, measure.label) for measure in MEASURES.values()]

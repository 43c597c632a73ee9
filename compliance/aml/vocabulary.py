"""Whom a rule may be for: every fact of a client, and what they declared."""

from __future__ import annotations

from typing import Final

from clients.declared.vocabulary import DECLARED
from clients.vocabulary import CLIENT
from crm.conditions import WiderVocabulary

POPULATION: Final = WiderVocabulary("aml", DECLARED, base=CLIENT, preview="compliance:aml_condition")

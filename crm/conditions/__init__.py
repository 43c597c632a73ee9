"""Conditions: one typed expression over described fields, stored as data, read as a sentence, run in SQL and in Python.

    condition = read(stored, vocabulary)            # checked: refuses with words that name the part
    condition.sentence()                            # “Country is Germany or Austria, and score is at least 50”
    clients.filter(condition.q(now))                # a set, as one statement
    condition.holds(subject, now)                   # one subject, without the database

Stored: `{"version": 1, "all": [{"field": "country", "is": "in", "value": ["DE", "AT"]}, {"any": […]}, {"not": {…}}]}`. The two
ways of running agree, empty values included: a comparison with an empty value doesn't hold, its negation does.
"""

from crm.conditions.expression import Condition, all_of, always, everything, read, readable
from crm.conditions.fields import Field, FieldType, Happening, Vocabulary, WiderVocabulary

__all__ = [
    "Condition",
    "Field",
    "FieldType",
    "Happening",
    "Vocabulary",
    "WiderVocabulary",
    "all_of",
    "always",
    "everything",
    "read",
    "readable",
]

"""The top of a record's page: hero figures, what to do next, what can be created. Apps register loaders in `panels.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from crm.ui.charts import Number


@dataclass(frozen=True)
class HeroFigure:
    """One of the few large figures of a record. `value` is as shown; `trend` is drawn as a small curve beside it."""

    label: str | Promise
    value: str
    trend: Sequence[Number] = ()
    hint: str = ""
    tone: str = ""
    url: str = ""


@dataclass(frozen=True)
class NextStep:
    """Something a person should do now. The lowest `urgency` of all is the record's next step, the others follow below.

    `is_dialog` opens the address in the shared dialog.
    """

    urgency: int
    title: str
    button: str = ""
    url: str = ""
    note: str = ""
    icon: str = "circle-dot"
    tone: str = "info"
    is_dialog: bool = False


@dataclass(frozen=True)
class Creation:
    """An entry of the record's "Create" menu."""

    label: str | Promise
    url: str
    icon: str
    is_dialog: bool = True

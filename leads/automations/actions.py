"""What a step of an automation does: kinds that apps register, each with its options, its words and its effect on many clients.

    register(ActionKind("email", _("Send an e-mail"), "mail", fields, clean, words, perform, is_outreach=True))

`perform` gets the runs of a batch that are at the same step and does it for all of them in few statements; what it writes and
that the step is done are one transaction. It says which clients it left out and why; whatever it raises is a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from clients.models import Client
from clients.texts.letters import COMMON, personal_values
from crm.conditions.fields import Label
from crm.errors import DomainError
from crm.models import Brand
from crm.texts.catalogue import PLACEHOLDER, fill
from leads.automations.choices import Reason
from leads.models import AutomationRun

TEXT_CHARS_MAX = 160
ACTIONS: dict[str, ActionKind] = {}


@dataclass(frozen=True, slots=True)
class Turn:
    """A client whose run is at a step. `key`: of this step of this run, unique, for what is written once."""

    run: AutomationRun
    client: Client
    options: dict[str, Any]

    @property
    def key(self) -> str:
        return f"automation:{self.run.pk}:{self.run.position}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a step wasn't done for a client."""

    reason: Reason
    note: str = ""


Outcomes = Mapping[int, LeftOut]


@dataclass(frozen=True, eq=False)
class ActionKind:
    """A kind of step.

    fields: form fields of its options; clean: checks options and returns what is stored, or raises DomainError; words: says
    what is done; perform: does it and returns by the run's id whom it left out. is_outreach: it reaches the client, so it keeps
    to the brand's hours and to who must not be contacted.
    """

    code: str
    label: Label
    icon: str
    fields: Callable[[Brand], Mapping[str, forms.Field]]
    clean: Callable[[Brand, Mapping[str, Any]], dict[str, Any]]
    words: Callable[[Mapping[str, Any]], str]
    perform: Callable[[Sequence[Turn]], Outcomes]
    is_outreach: bool = False


def register(*kinds: ActionKind) -> None:
    """Add kinds of steps. Raises: TypeError when a code is taken."""
    for kind in kinds:
        if kind.code in ACTIONS:
            raise TypeError(f"two steps of automations are called {kind.code!r}")
        ACTIONS[kind.code] = kind


def words_with_variables(given: Any) -> str:
    """Check a line of text that may hold variables. Raises: DomainError, which names an unknown one."""
    text = " ".join(str(given or "").split())
    if not text or len(text) > TEXT_CHARS_MAX:
        raise DomainError(_("Enter a text of at most %(count)s characters.") % {"count": TEXT_CHARS_MAX})
    known = {variable.name for variable in COMMON if not variable.is_link}
    unknown = [name for name in PLACEHOLDER.findall(text) if name not in known]
    if unknown:
        raise DomainError(
            _("There is no variable “%(name)s”. Use one of these: %(known)s.")
            % {"name": unknown[0][:30], "known": ", ".join(sorted(known))}
        )
    if "{{" in PLACEHOLDER.sub("", text) or "}}" in PLACEHOLDER.sub("", text):
        raise DomainError(_("Write a variable with two braces on each side, such as {{ first_name }}."))
    return text


def filled(text: str, client: Client) -> str:
    """Put a client's values into a line of text."""
    if "{{" not in text:
        return text
    brand = client.brand
    of_brand = {"brand": brand.name, "legal_name": brand.legal_name, "support_email": brand.support_email}
    return fill(text, {**of_brand, **personal_values(client)})


def unsent(turns: Sequence[Turn], refused: set[int]) -> Outcomes:
    """Say why some got no e-mail: those in `refused` don't want marketing, others have no address."""
    outcomes = {turn.run.pk: LeftOut(Reason.NO_CONSENT) for turn in turns if turn.client.pk in refused}
    return outcomes | {turn.run.pk: LeftOut(Reason.NO_ADDRESS) for turn in turns if not turn.client.email}


def whole(given: Any, least: int, most: int, message: str) -> int:
    """Read a whole number of an action's options, as a form or stored data has it. Raises: DomainError."""
    text = str(given)
    if isinstance(given, bool) or not text.isascii() or not text.isdigit() or not least <= int(text[:18]) <= most:
        raise DomainError(message)
    return int(text)

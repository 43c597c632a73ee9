"""A row's state: one table says from where to where it moves, for verbs, buttons, diagrams and tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext as _

from crm.errors import WrongState

Transitions = Mapping[str, set[str]]


class HasState(models.Model):
    """A row that moves through states. Each field's table stands beside its choices; a state with no way out is an end."""

    TRANSITIONS: ClassVar[Mapping[str, Transitions]]  # the field's name → state → the states that may follow
    # Where rows begin, if not only at the field's default.
    FIRST_STATES: ClassVar[Mapping[str, set[str]]] = {}

    class Meta:
        abstract = True

    def can_move_to(self, state: str, field: str = "state") -> bool:
        return state in self.TRANSITIONS[field][getattr(self, field)]

    def next_states(self, field: str = "state") -> list[str]:
        """List the states that may follow, in the order in which the choices are declared."""
        return [state for state in self.TRANSITIONS[field] if self.can_move_to(state, field)]

    def move_to(self, state: str, field: str = "state") -> None:
        """Take the next state; the caller holds the row's lock and saves.

        Raises: WrongState where the table has no such step.
        """
        if not self.can_move_to(state, field):
            before = getattr(self, f"get_{field}_display")()
            raise WrongState(
                _("The status is “%(before)s” and can't change to “%(after)s”. Reload the page.")
                % {"before": before, "after": getattr(state, "label", state)}
            )
        setattr(self, field, state)

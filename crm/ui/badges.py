"""A state's label and colour, the same on every page. Choices carry both: see `crm.choices.BadgeChoices`."""

from functools import lru_cache
from typing import Any

from django.db import models

from crm.choices import BadgeChoices

TONES = ("neutral", "info", "success", "warning", "danger", "accent", "teal")
# Colour words as choices write them (Tabler's names); each is one of the design system's tones.
BY_COLOUR = {
    "blue": "info",
    "azure": "info",
    "cyan": "info",
    "primary": "info",
    "green": "success",
    "lime": "success",
    "yellow": "warning",
    "orange": "warning",
    "amber": "warning",
    "red": "danger",
    "purple": "accent",
    "violet": "accent",
    "indigo": "accent",
    "pink": "accent",
}


def tone_name(colour: Any) -> str:
    """Return the design system's tone for any colour word; words it doesn't know are neutral."""
    word = str(colour or "").lower()
    return word if word in TONES else BY_COLOUR.get(word, "neutral")


def _all_badges(parent: type[BadgeChoices] = BadgeChoices) -> list[type[BadgeChoices]]:
    return [choices for sub in parent.__subclasses__() for choices in (sub, *_all_badges(sub))]


@lru_cache(maxsize=1024)
def choices_of(model: type[models.Model], field_name: str) -> dict[Any, tuple[Any, str]]:
    """Map the stored values of a model field to (label, tone).

    Django keeps a field's values and labels but not the class they came from, so the class is found again by its
    members. Plain choices are neutral.
    """
    flat = [(v, label) for v, label in (getattr(model._meta.get_field(field_name), "flatchoices", None) or [])]
    filled = [(str(v), str(label)) for v, label in flat if v not in ("", None)]
    for candidate in _all_badges():
        if [(m.value, str(m.label)) for m in candidate] == filled:
            return {m.value: (m.label, tone_name(m.colour)) for m in candidate}
    return {v: (label, "neutral") for v, label in flat}


def describe(value: Any, *, model: type[models.Model] | None = None, field_name: str = "") -> tuple[str, str]:
    """Return (label, tone) of a state: an enum member, or a stored value with the model field it came from."""
    if value is None or value == "":
        return "", "neutral"
    if hasattr(value, "label"):
        return str(value.label), tone_name(getattr(value, "colour", ""))
    if model is not None and field_name:
        label, tone = choices_of(model, field_name).get(value, (value, "neutral"))
        return str(label), tone
    return str(value), "neutral"

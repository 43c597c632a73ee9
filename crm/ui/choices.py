"""States and kinds that know their label and their badge colour, so that every page shows them the same way."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import models

TONES = ("neutral", "info", "success", "warning", "danger", "accent", "teal")
# Words people reach for; each is one of the tones above.
SYNONYMS = {
    "": "neutral", "gray": "neutral", "grey": "neutral", "secondary": "neutral", "muted": "neutral", "dark": "neutral",
    "light": "neutral", "blue": "info", "primary": "info", "azure": "info", "cyan": "info", "green": "success",
    "lime": "success", "yellow": "warning", "orange": "warning", "amber": "warning", "red": "danger", "purple": "accent",
    "violet": "accent", "indigo": "accent", "pink": "accent",
}  # fmt: skip


def tone_name(value: str | None) -> str:
    """A tone of the design system for any colour word; unknown words are neutral."""
    word = (value or "").lower()
    return word if word in TONES else SYNONYMS.get(word, "neutral")


class ToneChoices(models.TextChoices):
    """`TextChoices` whose members are written `NEW = "new", "info", _("New")`: value, tone, label.

    `Status.NEW.tone` is "info"; `Status.choices` is Django's own. `{% badge lead "status" %}` finds the class by itself.
    """

    tone: str

    def __new__(cls, value: str, tone: str = "neutral") -> "ToneChoices":
        member = str.__new__(cls, value)
        member._value_ = value
        member.tone = tone_name(tone)
        return member


_REGISTRY: dict[tuple[str, ...], list[type[ToneChoices]]] = {}


def _known() -> dict[tuple[str, ...], list[type[ToneChoices]]]:
    """All `ToneChoices` classes by their values. Rebuilt when a class was added since (only at import time)."""

    def walk(cls: type[ToneChoices]) -> Sequence[type[ToneChoices]]:
        return [sub for direct in cls.__subclasses__() for sub in (direct, *walk(direct))]

    classes = walk(ToneChoices)
    if sum(map(len, _REGISTRY.values())) != len(classes):
        _REGISTRY.clear()
        for cls in classes:
            _REGISTRY.setdefault(tuple(cls.values), []).append(cls)
    return _REGISTRY


@lru_cache(maxsize=1024)
def choices_of(model: type[models.Model], field_name: str) -> type[ToneChoices] | None:
    """The `ToneChoices` behind a model field, or None where the field uses other choices."""
    choices = getattr(model._meta.get_field(field_name), "flatchoices", None) or []
    values = tuple(str(value) for value, _label in choices if value not in ("", None))
    labels = [str(label) for value, label in choices if value not in ("", None)]
    for candidate in _known().get(values, []):
        if [str(label) for label in candidate.labels] == labels:
            return candidate
    return None


def describe(value: Any, *, model: type[models.Model] | None = None, field_name: str = "") -> tuple[str, str]:
    """(label, tone) of a state: an enum member, or a stored value with the model field it came from."""
    if hasattr(value, "label"):
        return str(value.label), tone_name(getattr(value, "tone", None) or getattr(value, "color", None))
    if model is not None and field_name and value not in (None, ""):
        known = choices_of(model, field_name)
        if known is not None and value in known.values:
            member = known(value)
            return str(member.label), member.tone
        flat = dict(getattr(model._meta.get_field(field_name), "flatchoices", ()) or ())
        return str(flat.get(value, value)), "neutral"
    return ("" if value is None else str(value)), "neutral"

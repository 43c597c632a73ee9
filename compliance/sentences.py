"""What an audit row was about and what it changed, in words. Used on screen and in packs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from compliance.audit_log.field_labels import FIELD_LABELS

VALUE_MAX = 300
HASH = re.compile(r"[0-9a-f]{40,}")


def on_what(target_type: str, target_id: str) -> str:
    """Name what an audit row is about: `Document #17`."""
    try:
        name = str(apps.get_model(target_type)._meta.verbose_name)
    except (LookupError, ValueError):  # a kind that only an older version knew
        name = target_type.partition(".")[2] or target_type
    return f"{capfirst(name)} #{target_id}"


def sealed_target(target_type: str, target_id: str) -> str:
    """Name what an audit row is about as its seal has it, in no language: a pack is compared with the seal."""
    return f"{target_type.partition('.')[2] or target_type} #{target_id}"


def details(body: dict[str, Any], *, target_type: str = "") -> Iterator[tuple[str, str]]:
    """List (field, `before → after`) of what changed, then the reason and the evidence.

    target_type: what the row is about, for a page: a state is shown as the reader knows it. A pack has the stored value.
    """
    if body.get("erased"):
        yield _("Content"), _("Erased: the client's key was destroyed")
        return
    if body.get("tampered"):
        yield _("Content"), _("Unreadable: the stored data was changed")
        return
    before, after = body.get("before") or {}, body.get("after") or {}
    for field in dict.fromkeys([*before, *after]):
        old, new = (plain(_as_labelled(target_type, field, side.get(field))) for side in (before, after))
        yield field_name(field), f"{old} → {new}" if field in before and field in after else new or f"{old} → –"
    if body.get("reason"):
        yield _("Reason"), str(body["reason"])
    for field, value in (body.get("evidence") or {}).items():
        yield field_name(field), plain(value)


def _as_labelled(target_type: str, field: str, value: Any) -> Any:
    """Return the label of a choice, where the field of that name has choices and this is one of them; else the value."""
    if not target_type or not isinstance(value, str):
        return value
    try:
        choices = apps.get_model(target_type)._meta.get_field(field).flatchoices
    except (
        LookupError,
        ValueError,
        AttributeError,
        FieldDoesNotExist,
    ):  # a field of no choices, or of an older version
        return value
    return next((str(label) for code, label in choices if code == value), value)


def field_name(name: str) -> str:
    """Turn a field's code into a label: `first_name` → First name. Most of these are texts of a form or a table already."""
    label = name.replace("_", " ").capitalize()
    return str(FIELD_LABELS.get(name) or (label and _(label)))


def plain(value: Any) -> str:
    """Write a value as text, short enough for a line."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, dict):
        shown = {key: text for key, item in value.items() if (text := plain(item))}
        text = ", ".join(f"{field_name(str(key)).lower()} {item}" for key, item in shown.items())
    elif isinstance(value, list | tuple):
        text = ", ".join(plain(item) for item in value)
    else:
        text = str(value)
        if HASH.fullmatch(text):  # the whole of it is in the row, and in a pack's attachment
            text = f"{text[:12]}…"
    return text if len(text) <= VALUE_MAX else f"{text[: VALUE_MAX - 1]}…"


def utc(at: dt.datetime) -> str:
    """Write an instant in UTC to the second, as evidence needs it."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

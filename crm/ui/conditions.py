"""The form component of conditions: rows of field, comparison and value, in groups; stored as `crm.conditions` reads it.

`static/js/condition.js` draws the rows from the data in the text area, which is what is sent. Without scripts the text area
itself is edited.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.conditions import Condition, Vocabulary, everything, read
from crm.conditions.operators import BY_TYPE
from crm.errors import outcome_of

CHARS_MAX: Final = 20_000


class ConditionInput(forms.Textarea):
    """The text area with what the script needs to draw rows: fields, their comparisons and choices, and all words."""

    template_name = "crm/ui/condition.html"

    def __init__(self, vocabulary: Vocabulary, empty: Any = "") -> None:
        super().__init__({"rows": 6, "maxlength": CHARS_MAX, "class": "form-control mono", "spellcheck": "false"})
        self.vocabulary, self.empty = vocabulary, empty

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["catalogue"] = json.dumps(catalogue(self.vocabulary, self.empty))
        context["preview"] = reverse(self.vocabulary.preview) if self.vocabulary.preview else ""
        return context


class ConditionField(forms.CharField):
    """A condition over a vocabulary. Cleans to the stored data; nothing entered is the condition that always holds.

    empty: what no conditions mean, where they don't mean always.
    """

    def __init__(self, vocabulary: Vocabulary, *, empty: Any = "", **kwargs: Any) -> None:
        super().__init__(required=False, max_length=CHARS_MAX, widget=ConditionInput(vocabulary, empty), **kwargs)
        self.vocabulary = vocabulary

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return everything().stored()
        found = outcome_of(lambda: read(_data(text), self.vocabulary))
        if not found:
            raise forms.ValidationError(found.message)
        return found.result.stored()

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def _data(text: str) -> Any:
    """Parse what was sent; None, which `read` refuses in words, where it is no JSON."""
    try:
        return json.loads(text[: CHARS_MAX + 1])
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True)
class Preview:
    """What a condition would select now. `problem`: why it can't be read; `of`: how many were looked at, where not all."""

    sentence: str = ""
    count: int = 0
    sample: Sequence[tuple[str, str]] = ()
    of: int | None = None
    problem: str = ""


def preview(request: HttpRequest, vocabulary: Vocabulary, dry_run: Callable[[Condition], Preview]) -> HttpResponse:
    """Answer the component's “Preview”: the sentence, how many meet it, and a few of them."""
    found = outcome_of(lambda: dry_run(read(_data(request.POST.get("condition", "")), vocabulary)))
    shown = found.result if found else Preview(problem=found.message)
    return render(request, "crm/ui/_condition_preview.html", {"preview": shown})


def catalogue(vocabulary: Vocabulary, empty: Any = "") -> dict[str, Any]:
    """Describe a vocabulary for the script."""
    return {
        "fields": [
            {
                "name": field.name,
                "label": str(field.label),
                "group": str(field.group),
                "operators": [
                    {"code": operator.code, "label": str(operator.label), "widget": operator.widget}
                    for operator in BY_TYPE[field.type]
                ],
                "choices": [[code, str(label)] for code, label in field.choices()] if field.choices else None,
            }
            for field in vocabulary.fields
        ],
        "happenings": [{"name": item.name, "label": str(item.label)} for item in vocabulary.happenings],
        "words": {
            "all": _("All of these"),
            "any": _("Any of these"),
            "none": _("None of these"),
            "add": _("Add condition"),
            "group": _("Add group"),
            "remove": _("Remove"),
            "field": _("Field"),
            "comparison": _("Comparison"),
            "value": _("Value"),
            "days": _("days"),
            "happened": _("happened within the last"),
            "commas": _("Separate several values with commas"),
            "always": str(empty) or _("No conditions: always applies."),
            "match": _("Combine with"),
            "try": _("Preview"),
            "apply": _("Apply"),
        },
    }


def sentence_of(data: Any, vocabulary: Vocabulary) -> str:
    """Write a stored condition for a page; where it can't be read any more, say so and why."""
    found = outcome_of(lambda: read(data, vocabulary))
    return found.result.sentence() if found else _("Can't be used: %(reason)s") % {"reason": found.message}

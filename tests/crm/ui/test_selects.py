"""Selects are put together in Python: the same HTML as Django's templates make, escaped alike."""

import re

import pytest
from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext_lazy

from crm.ui.forms import KeelsonRenderer

CHOICES = [
    ("", "---------"), ("a&b", 'Say "<hello>"'), (7, gettext_lazy("Yes")),
    ("Group <1>", [("x", "X"), ("y'", "Y")]),
]  # fmt: skip


def tidy(html: str) -> str:
    return re.sub(r">\s+<", "><", html)


@pytest.mark.parametrize("widget", [forms.Select, forms.SelectMultiple, forms.NullBooleanSelect])
@pytest.mark.parametrize("value", [None, "", "x", 7, ["a&b", "y'"], "true"])
def test_a_select_is_what_the_templates_make(widget, value):
    value = "true" if widget is forms.NullBooleanSelect and isinstance(value, list) else value
    field = widget(attrs={"class": "form-select", "required": True, "disabled": False, "data-x": '"<'})
    if widget is not forms.NullBooleanSelect:
        field.choices = CHOICES
    ours = field.render("a<name", value, attrs={"id": "id_x"}, renderer=KeelsonRenderer())
    assert tidy(ours) == tidy(field.render("a<name", value, attrs={"id": "id_x"}, renderer=TemplatesSetting()))

"""Selects are put together in Python: the same HTML as Django's templates make, escaped alike."""

import re

import pytest
from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext_lazy

from crm.ui.forms import KeelsonRenderer

CHOICES = [
    ("", "---------"),
    ("a&b", 'Say "<hello>"'),
    (7, gettext_lazy("Yes")),
    ("Group <1>", [("x", "X"), ("y'", "Y")]),
]


def tidy(html: str) -> str:
    return re.sub(r">\s+<", "><", html)


@pytest.mark.parametrize("widget", [forms.Select, forms.SelectMultiple, forms.NullBooleanSelect])
@pytest.mark.parametrize("value", [None, "", "x", 7, ["a&b", "y'"], "true"])
def test_a_select_is_what_the_templates_make(widget, value):
    value = "true" if widget is forms.NullBooleanSelect and isinstance(value, list) else value
    field = widget(attrs={"class": "form-select", "required": True, "disabled": False, "data-x": '"<', "size": 4})
    if widget is not forms.NullBooleanSelect:
        field.choices = CHOICES
    ours = field.render("a<name", value, attrs={"id": "id_x"}, renderer=KeelsonRenderer())
    assert tidy(ours) == tidy(field.render("a<name", value, attrs={"id": "id_x"}, renderer=TemplatesSetting()))


def test_a_choice_of_several_folds_and_escapes_and_says_what_is_chosen():
    field = forms.SelectMultiple(attrs={"class": "form-select is-invalid"}, choices=CHOICES[1:])
    html = field.render("a<name", ["a&b", "x"], attrs={"id": "id_x"}, renderer=KeelsonRenderer())
    assert html.startswith('<details class="k-several" id="id_x"><summary class="form-select is-invalid">')
    assert "Say &quot;&lt;hello&gt;&quot;, X</summary>" in html
    assert 'id="id_x_0" name="a&lt;name" value="a&amp;b" checked>' in html
    assert html.count("checked") == 2 and html.count('type="checkbox"') == 4

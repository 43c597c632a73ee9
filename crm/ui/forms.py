"""How every form field looks: label, control, hint, error. Set as FORM_RENDERER, so that any Django form has it."""

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting

CHECKS = (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect)
NO_CLASS = (forms.HiddenInput, forms.MultipleHiddenInput)


def control_class(widget: forms.Widget) -> str:
    """The class a control needs to look like one of ours."""
    if isinstance(widget, NO_CLASS):
        return ""
    if isinstance(widget, CHECKS):
        return "form-check-input"
    return "form-select" if isinstance(widget, forms.Select) else "form-control"


class KeelsonBoundField(BoundField):
    """Adds the control's class, marks wrong fields, and tells `django/forms/field.html` how to lay the field out."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        widget = widget or self.field.widget
        built = super().build_widget_attrs(attrs, widget)
        own = str(built.get("class") or widget.attrs.get("class") or "")
        wanted = [own, control_class(widget) if "form-" not in own else "", "is-invalid" if self.is_wrong else ""]
        css = " ".join(part for part in wanted if part)
        return {**built, "class": css} if css else built

    @property
    def is_wrong(self) -> bool:
        return self.form.is_bound and bool(self.errors)

    @property
    def is_check(self) -> bool:
        return isinstance(self.field.widget, forms.CheckboxInput)

    @property
    def is_group(self) -> bool:
        return isinstance(self.field.widget, forms.CheckboxSelectMultiple | forms.RadioSelect)


class KeelsonRenderer(TemplatesSetting):
    bound_field_class = KeelsonBoundField

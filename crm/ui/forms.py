"""How every form field looks: label, control, hint, error. Set as FORM_RENDERER, so that any Django form has it."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting
from django.utils.html import escape
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from django.forms import ModelChoiceField as ModelChoiceField
    from django.forms import ModelForm as ModelForm
else:  # Django's own can't be subscripted at run time: `ModelForm[Client]` tells the type checker whose form it is

    class ModelForm(forms.ModelForm):
        def __class_getitem__(cls, _model):
            return cls

    class ModelChoiceField(forms.ModelChoiceField):
        def __class_getitem__(cls, _model):
            return cls


CHECKS = (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect)
NO_CLASS = (forms.HiddenInput, forms.MultipleHiddenInput)


def control_class(widget: forms.Widget) -> str:
    """Return the class a control needs to look like one of ours."""
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
        classes = [own, control_class(widget) if "form-" not in own else "", "is-invalid" if self.is_wrong else ""]
        css = " ".join(part for part in classes if part)
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

    @property
    def is_several(self) -> bool:
        return is_several(self.field.widget)


class DayInput(forms.DateInput):
    """A day chosen from the browser's calendar, which reads the ISO form alone: `23.11.2026` would stand there empty."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


def is_several(widget: forms.Widget) -> bool:
    """Check for a multiple choice that folds: a select that takes many and doesn't ask for a height of its own."""
    return isinstance(widget, forms.SelectMultiple) and "size" not in widget.attrs


SELECT, OPTION = "django/forms/widgets/select.html", "django/forms/widgets/select_option.html"
EMPTY = "---------"  # Django's name of "none chosen"; our option template writes the dash too


class KeelsonRenderer(TemplatesSetting):
    bound_field_class = KeelsonBoundField

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        """Render a widget; selects are built here.

        A list of 250 countries, with a template for each option, took longer than the page.
        """
        if template_name == SELECT and all(
            option["template_name"] == OPTION
            for _name, group, _index in context["widget"]["optgroups"]
            for option in group
        ):
            attrs = context["widget"]["attrs"]
            folds = attrs.get("multiple") and "size" not in attrs
            return several_html(context["widget"]) if folds else select_html(context["widget"])
        return super().render(template_name, context, request)


def select_html(widget: dict[str, Any]) -> SafeString:
    """Render a select from its context as Django's template does, in a fiftieth of the time."""
    parts = [f'<select name="{escape(widget["name"])}"{attributes(widget["attrs"])}>']
    for group_name, group, _index in widget["optgroups"]:
        if group_name:
            parts.append(f'<optgroup label="{escape(group_name)}">')
        for option in group:
            value, extra = escape(str(option["value"])), attributes(option["attrs"])
            label = "–" if option["label"] == EMPTY else option["label"]
            parts.append(f'<option value="{value}"{extra}>{escape(label)}</option>')
        if group_name:
            parts.append("</optgroup>")
    return SafeString("\n".join([*parts, "</select>"]))


def several_html(widget: dict[str, Any]) -> SafeString:
    """Render a select that takes many as check boxes behind a line that shows what is chosen."""
    name, identity = escape(widget["name"]), escape(str(widget["attrs"].get("id", widget["name"])))
    boxes: list[str] = []
    chosen: list[str] = []
    count = 0
    for group_name, group, _index in widget["optgroups"]:
        if group_name:
            boxes.append(f'<div class="k-nav-section">{escape(str(group_name))}</div>')
        for option in group:
            label, number = escape(str(option["label"])), count
            count += 1
            if option["selected"]:
                chosen.append(label)
            boxes.append(
                f'<label class="form-check" for="{identity}_{number}"><input type="checkbox" class="form-check-input" '
                f'id="{identity}_{number}" name="{name}" value="{escape(str(option["value"]))}"'
                f"{' checked' if option['selected'] else ''}><span>{label}</span></label>"
            )
    wrong = " is-invalid" if "is-invalid" in str(widget["attrs"].get("class", "")) else ""
    return SafeString(
        f'<details class="k-several" id="{identity}"><summary class="form-select{wrong}">{", ".join(chosen) or "–"}</summary>'
        f'<div class="k-several-list">{"".join(boxes)}</div></details>'
    )


def attributes(attrs: dict[str, Any]) -> str:
    """Write attributes as Django does: True is a bare name, False is left out."""
    return "".join(
        f" {name}" if value is True else f' {name}="{escape(str(value))}"'
        for name, value in attrs.items()
        if value is not False
    )

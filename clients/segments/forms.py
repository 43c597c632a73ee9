"""Forms of segments."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.custom_fields.registry import SeenVocabulary
from clients.models import Segment
from clients.models.segments import NAME_CHARS_MAX, SegmentKind
from clients.segments.policies import brands_for
from crm.models import Brand, User
from crm.ui.conditions import ConditionField


class SegmentForm(forms.Form):
    """Name, description and conditions; brand and kind are chosen once."""

    brand = forms.ModelChoiceField(label=_("Brand"), queryset=Brand.objects.none())
    name = forms.CharField(label=_("Name"), max_length=NAME_CHARS_MAX)
    description = forms.CharField(label=_("Description"), max_length=300, required=False)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[
            (SegmentKind.RULE, _("By conditions: records enter and leave as they change")),
            (SegmentKind.LIST, _("Fixed list: people add and remove records")),
        ],
        widget=forms.RadioSelect,
        initial=SegmentKind.RULE,
    )

    def __init__(self, *args: Any, user: User, segment: Segment | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.segment = segment
        if segment is None or segment.is_rule:
            self.fields["condition"] = ConditionField(SeenVocabulary(user), label=_("Records where"))
        if segment is not None:
            del self.fields["brand"], self.fields["kind"]
            self.initial = {"name": segment.name, "description": segment.description, "condition": segment.condition}
            return
        brands = brands_for(user)
        choice: Any = self.fields["brand"]
        choice.queryset = brands
        own = [brand.pk for brand in brands if brand.pk == user.brand_id] or [brand.pk for brand in brands][:1]
        self.initial.setdefault("brand", own[0] if own else None)
        if len(brands) == 1:
            choice.widget = choice.hidden_widget()

    def details(self) -> dict[str, Any]:
        """Return what a verb takes."""
        data = self.cleaned_data
        is_rule = self.segment.is_rule if self.segment is not None else data["kind"] == SegmentKind.RULE
        return {
            "name": data["name"],
            "description": data["description"],
            "condition": data["condition"] if is_rule else None,
        }

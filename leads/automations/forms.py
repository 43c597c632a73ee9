"""Forms of automations: name and template, trigger and conditions, one step, and the reason of an activation."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.custom_fields.registry import SeenVocabulary
from clients.models import Segment
from crm.events.bus import EVENT_TYPES, label_of
from crm.events.conditions import vocabulary_of
from crm.models import Brand, User
from crm.ui.conditions import ConditionField
from leads.automations.actions import ActionKind
from leads.automations.choices import TriggerKind, Variant
from leads.automations.definition import (
    DAYS_MAX,
    ENTRIES_DAYS_MAX,
    ENTRIES_MAX,
    EVERYONE,
    HOURS_MAX,
    client_events,
    date_fields,
)
from leads.automations.policies import brands_for
from leads.models import Automation
from leads.models.automations import NAME_CHARS_MAX

MINUTES: Final = {"minutes": 1, "hours": 60, "days": 24 * 60}
UNITS: Final = [("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days"))]


class NewAutomationForm(forms.Form):
    """Brand and name; what it does is entered on the next page."""

    brand = forms.ModelChoiceField(label=_("Brand"), queryset=Brand.objects.none(), empty_label=None)
    name = forms.CharField(label=_("Name"), max_length=NAME_CHARS_MAX)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brands = brands_for(user)
        choice: Any = self.fields["brand"]
        choice.queryset = brands
        own = [brand.pk for brand in brands if brand.pk == user.brand_id] or [brand.pk for brand in brands][:1]
        self.initial.setdefault("brand", own[0] if own else None)
        if len(brands) == 1:
            choice.widget = choice.hidden_widget()


class AutomationForm(forms.Form):
    """All of a draft but its steps. `kind`: what starts it, whose fields alone are shown."""

    name = forms.CharField(label=_("Name"), max_length=NAME_CHARS_MAX)

    def __init__(self, *args: Any, automation: Automation, kind: str, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.automation, self.kind = automation, TriggerKind(kind)
        draft, trigger = automation.draft, automation.draft["trigger"]
        self.fields.update(self._trigger_fields(trigger if trigger["kind"] == kind else {}))
        seen = SeenVocabulary(user)
        self.trigger_names = [name for name in self.fields if name != "name"]
        self.fields["condition"] = ConditionField(seen, label=_("Clients where"))
        self.fields["goal"] = ConditionField(
            seen,
            label=_("Goal"),
            empty=_("No conditions: no goal."),
            help_text=_("A run ends with the goal reached as soon as this is true."),
        )
        self.fields["exit"] = ConditionField(
            seen,
            label=_("Clients leave when"),
            empty=_("No conditions: clients stay until the last step."),
            help_text=_("Asked before each step, as is the goal."),
        )
        self.fields["entries_max"] = forms.IntegerField(
            label=_("Entries per client at most"), min_value=1, max_value=ENTRIES_MAX
        )
        self.fields["entries_days"] = forms.IntegerField(
            label=_("In a period of days"),
            min_value=1,
            max_value=ENTRIES_DAYS_MAX,
            help_text=_("Bounds an automation that starts itself."),
        )
        self.fields["split"] = forms.IntegerField(
            label=_("Share of clients in group B (%)"),
            min_value=0,
            max_value=99,
            help_text=_("0: no groups. Otherwise each step can be for everyone, for group A or for group B."),
        )
        names = ("condition", "entries_max", "entries_days", "split")
        self.initial = {
            "name": automation.name,
            **trigger,
            **{f"event_{name}": value for name, value in trigger.items()},
            **{name: draft[name] for name in names},
            "goal": draft.get("goal") or EVERYONE,
            "exit": draft.get("exit") or EVERYONE,
            "is_entering": "1" if trigger.get("is_entering", True) else "0",
            "segment": str(trigger.get("segment", "")),
        }

    def _trigger_fields(self, saved: dict[str, Any]) -> dict[str, forms.Field]:
        events = [(name, label_of(name)) for name in client_events()]
        if self.kind == TriggerKind.SEGMENT:
            rows = Segment.objects.filter(brand=self.automation.brand, archived_at=None).order_by("name")
            return {
                "segment": forms.ChoiceField(label=_("Segment"), choices=[(str(row.pk), row.name) for row in rows]),
                "is_entering": forms.ChoiceField(
                    label=_("When a client"), choices=[("1", _("enters the segment")), ("0", _("leaves the segment"))]
                ),
            }
        if self.kind == TriggerKind.DATE:
            dates = [(field.name, field.label) for field in date_fields()]
            return {
                "field": forms.ChoiceField(label=_("Date"), choices=dates),
                "days": forms.IntegerField(label=_("Days after the date"), min_value=0, max_value=DAYS_MAX),
            }
        fields: dict[str, forms.Field] = {"event": forms.ChoiceField(label=_("Event"), choices=events)}
        if saved.get("event") in EVENT_TYPES:
            vocabulary = vocabulary_of([EVENT_TYPES[saved["event"]]])
            if vocabulary.fields:
                fields["event_condition"] = ConditionField(
                    vocabulary,
                    label=_("Only where"),
                    help_text=_("On the data of the saved event. After choosing another event, save once."),
                )
        if self.kind == TriggerKind.ABSENT:
            fields["absent"] = forms.ChoiceField(label=_("Doesn't happen"), choices=events)
            fields["hours"] = forms.IntegerField(label=_("Within hours"), min_value=1, max_value=HOURS_MAX)
        return fields

    def draft(self) -> dict[str, Any]:
        """Return the draft as changed; its steps stay."""
        data = self.cleaned_data
        names = ("condition", "goal", "exit", "entries_max", "entries_days", "split")
        goal_and_exit = {name: data[name] if data[name] != EVERYONE else None for name in ("goal", "exit")}
        return {
            **self.automation.draft,
            **{name: data[name] for name in names},
            **goal_and_exit,
            "trigger": self._trigger(data),
        }

    def _trigger(self, data: dict[str, Any]) -> dict[str, Any]:
        if self.kind == TriggerKind.SEGMENT:
            segment = int(data["segment"])
            return {"kind": self.kind.value, "segment": segment, "is_entering": data["is_entering"] == "1"}
        if self.kind == TriggerKind.DATE:
            return {"kind": self.kind.value, "field": data["field"], "days": data["days"]}
        trigger: dict[str, Any] = {"kind": self.kind.value, "event": data["event"]}
        was = self.automation.draft["trigger"]
        if data.get("event_condition") not in (None, EVERYONE) and was.get("event") == data["event"]:
            trigger["condition"] = data["event_condition"]
        if self.kind == TriggerKind.ABSENT:
            trigger |= {"absent": data["absent"], "hours": data["hours"]}
        return trigger


class StepForm(forms.Form):
    """One step: its wait, for whom, the options of its kind, and its conditions."""

    wait = forms.IntegerField(label=_("Wait"), min_value=0, max_value=10_000, initial=0)
    unit = forms.ChoiceField(label=_("Unit"), choices=UNITS, initial="days")

    def __init__(
        self, *args: Any, automation: Automation, kind: ActionKind, user: User, row: dict[str, Any] | None, **kw: Any
    ) -> None:
        super().__init__(*args, **kw)
        self.kind = kind
        self.options = dict(kind.fields(automation.brand))
        self.fields.update(self.options)
        if automation.draft.get("split"):
            self.fields["variant"] = forms.ChoiceField(label=_("For"), choices=Variant.choices, required=False)
        self.fields["only_if"] = ConditionField(SeenVocabulary(user), label=_("Only if"))
        if row is not None:
            minutes = row.get("wait_minutes", 0)
            unit = next((name for name in ("days", "hours") if minutes and not minutes % MINUTES[name]), "minutes")
            options = {name: "" if value is None else value for name, value in row["options"].items()}
            self.initial = {
                **options,
                "wait": minutes // MINUTES[unit],
                "unit": unit if minutes else "days",
                "variant": row.get("variant") or "",
                "only_if": row.get("condition") or EVERYONE,
            }

    def row(self) -> dict[str, Any]:
        """Return the step as a draft keeps it."""
        data = self.cleaned_data
        return {
            "action": self.kind.code,
            "wait_minutes": data["wait"] * MINUTES[data["unit"]],
            "variant": data.get("variant") or "",
            "condition": None if data["only_if"] == EVERYONE else data["only_if"],
            "options": {name: data[name] for name in self.options},
        }

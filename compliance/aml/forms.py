"""Forms of rules, back-tests, suspicions and decisions."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compliance.aml.choices import CaseState, Severity
from compliance.aml.measures import Measure, Parameter, Unit
from compliance.aml.models import AmlRuleVersion
from compliance.aml.referrals import TEXT_MAX, TITLE_MAX, Suspicion
from compliance.aml.rules import NAME_MAX, THRESHOLD_MAX, Content, content_of
from compliance.aml.shipped import example_of
from compliance.aml.vocabulary import POPULATION
from compliance.choices import RestrictionKind
from crm.i18n.languages import language_name
from crm.models import Brand, User
from crm.security.scope import reach_of
from crm.ui.conditions import ConditionField
from crm.ui.forms import DayInput

UNITS = {
    Unit.COUNT: _("Number"),
    Unit.MONEY: _("In the brand's base currency"),
    Unit.PERCENT: _("Per cent"),
    Unit.DAYS: _("Days"),
    Unit.NUMBER: _("Score"),
}
SEEN_YEARS_MAX = 10
DAYS: dict[str, Any] = {"min_value": Decimal("0.1"), "max_value": Decimal(366), "max_digits": 5, "decimal_places": 1}


def _field_of(entry: Parameter) -> forms.Field:
    if entry.choices is None:
        return forms.DecimalField(
            label=str(entry.label),
            help_text=UNITS[entry.unit] if entry.unit in (Unit.MONEY, Unit.PERCENT) else "",
            min_value=entry.low,
            max_value=entry.high,
            max_digits=15,
            decimal_places=2,
        )
    if entry.is_many:
        return forms.MultipleChoiceField(
            label=str(entry.label), choices=list(entry.choices.items()), widget=forms.CheckboxSelectMultiple
        )
    return forms.ChoiceField(label=str(entry.label), choices=list(entry.choices.items()))


class RuleForm(forms.Form):
    """What a rule says; its parameters are those of its measure. For a new one with brand and name, else with the version."""

    def __init__(
        self,
        *args: Any,
        measure: Measure,
        user: User | None = None,
        version: AmlRuleVersion | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.measure = measure
        given: dict[str, forms.Field] = {}
        if version is None:
            assert user is not None
            brands = Brand.objects.filter(pk__in=reach_of(user).whole_brands).order_by("name")
            given["brand"] = forms.ModelChoiceField(brands, label=_("Brand"), initial=brands.first())
            given["name"] = forms.CharField(label=_("Name"), max_length=NAME_MAX, initial=measure.label)
        given["threshold"] = forms.DecimalField(
            label=_("Alert from"),
            help_text=UNITS[measure.unit],
            min_value=Decimal("0.01"),
            max_value=THRESHOLD_MAX,
            max_digits=14,
            decimal_places=2,
        )
        given |= {f"p_{entry.name}": _field_of(entry) for entry in measure.parameters}
        if measure.has_window:
            given["window_days"] = forms.DecimalField(label=_("Within (days)"), **DAYS)
        given["repeat_days"] = forms.DecimalField(label=_("At most one alert per client in (days)"), **DAYS)
        given["severity"] = forms.ChoiceField(label=_("Severity"), choices=Severity.choices)
        given["population"] = ConditionField(POPULATION, label=_("Applies to clients where"))
        given["why"] = forms.CharField(
            label=_("Reason"), max_length=300, help_text=_("Why this rule is written or changed. Auditors read it.")
        )
        self.fields.update(given)
        self.initial = {**self._initial(version), **self.initial}

    def _initial(self, version: AmlRuleVersion | None) -> dict[str, Any]:
        said = content_of(version) if version else example_of(self.measure.code)
        values = {
            f"p_{entry.name}": said.parameters.get(entry.name, entry.default) for entry in self.measure.parameters
        }
        return values | {
            "threshold": said.threshold,
            "window_days": Decimal(said.window_hours) / 24,
            "repeat_days": Decimal(said.repeat_hours) / 24,
            "severity": said.severity,
            "population": said.population,
        }

    def content(self) -> Content:
        """Return what the form says; only after `is_valid`."""
        data = self.cleaned_data
        return Content(
            measure=self.measure.code,
            threshold=data["threshold"],
            window_hours=_hours(data.get("window_days") or Decimal(1)),
            repeat_hours=_hours(data["repeat_days"]),
            severity=data["severity"],
            parameters={entry.name: data[f"p_{entry.name}"] for entry in self.measure.parameters},
            population=data["population"],
        )


def _hours(days: Decimal) -> int:
    return max(1, round(days * 24))


class BacktestForm(forms.Form):
    start = forms.DateField(label=_("From"), widget=DayInput())
    end = forms.DateField(label=_("To"), widget=DayInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "backtest_%s", **kwargs})
        today = timezone.localdate()
        self.initial = {"start": today - dt.timedelta(days=180), "end": today, **self.initial}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("start") and data.get("end") and data["start"] > data["end"]:
            self.add_error("end", _("The period must begin before it ends."))
        return data

    def period(self) -> tuple[dt.datetime, dt.datetime]:
        """Return the period, from the first day's beginning to the last day's end or now (UTC)."""
        start = dt.datetime.combine(self.cleaned_data["start"], dt.time(), dt.UTC)
        end = dt.datetime.combine(self.cleaned_data["end"], dt.time(), dt.UTC) + dt.timedelta(days=1)
        return start, min(end, timezone.now())


class ActForm(forms.Form):
    """A reason for shadow mode, a proposal or a discarded version."""

    reason = forms.CharField(label=_("Reason"), max_length=300)


class SuspicionForm(forms.Form):
    """What an officer saw, for the client's case."""

    title = forms.CharField(label=_("Title"), max_length=TITLE_MAX)
    text = forms.CharField(
        label=_("What was seen"), max_length=TEXT_MAX, widget=forms.Textarea(attrs={"rows": 5}), strip=True
    )
    since = forms.DateField(label=_("From"), widget=DayInput())
    until = forms.DateField(
        label=_("To"), widget=DayInput(), help_text=_("Movements of these days are marked as evidence.")
    )
    base_amount = forms.DecimalField(
        label=_("Amount"), required=False, min_value=Decimal(0), max_digits=14, decimal_places=2
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Why it is suspicious. Auditors read it."),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["base_amount"].help_text = gettext("In %(currency)s, if an amount is known.") % {
            "currency": currency
        }
        self.initial = {"until": timezone.localdate(), **self.initial}

    def clean(self) -> dict[str, Any]:
        data, today = super().clean() or {}, timezone.localdate()
        since, until = data.get("since"), data.get("until")
        if since and not today - dt.timedelta(days=366 * SEEN_YEARS_MAX) <= since <= today:
            self.add_error("since", _("Enter a day of the last ten years."))
        elif since and until and not since <= until <= today:
            self.add_error("until", _("Enter a day from the first one to today."))
        return data

    def suspicion(self) -> Suspicion:
        """Return what the form says, over whole days in the officer's time zone; only after `is_valid`."""
        data = self.cleaned_data
        first, after = data["since"], data["until"] + dt.timedelta(days=1)
        since, until = (timezone.make_aware(dt.datetime.combine(day, dt.time())) for day in (first, after))
        return Suspicion(
            source="",
            title=data["title"],
            text=data["text"],
            since=since,
            until=until - dt.timedelta(microseconds=1),
            base_amount=data["base_amount"] or Decimal(0),
        )


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(label=_("Decision"))
    monitor_until = forms.DateField(
        label=_("Monitor until"), required=False, widget=DayInput(), help_text=_("The case comes back on that day.")
    )
    restriction = forms.ChoiceField(
        label=_("Restriction"), required=False, choices=[("", _("None")), *RestrictionKind.choices]
    )
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 4}), max_length=4000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {
            CaseState.NO_SUSPICION: _("No suspicion"),
            CaseState.MONITORED: _("Monitor"),
            CaseState.RESTRICTED: _("Restrict"),
        }
        chosen_from = [("", _("Choose a decision")), *((state.value, label) for state, label in labels.items())]
        self.fields["outcome"].choices = chosen_from  # type: ignore[attr-defined]


class RequestForm(forms.Form):
    """A questionnaire for the client, with the day until which the answer is awaited."""

    questionnaire_id = forms.TypedChoiceField(label=_("Questionnaire"), coerce=int)
    due_on = forms.DateField(label=_("Answer until"), widget=DayInput())

    def __init__(self, *args: Any, questionnaires: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "request_%s", **kwargs})
        self.fields["questionnaire_id"].choices = questionnaires  # type: ignore[attr-defined]


class DocumentRequestForm(forms.Form):
    """A document that the client is asked for, with what they read and until when."""

    kind = forms.ChoiceField(label=_("Document"))
    due_on = forms.DateField(label=_("Needed by"), widget=DayInput())
    message = forms.CharField(
        label=_("Message to client"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, kinds: list[tuple[str, str]], language: str, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "document_%s", **kwargs})
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]
        self.fields["message"].help_text = gettext(
            "The client reads %(language)s. Empty: the standard message. Don't mention the case."
        ) % {"language": language_name(language)}


class TaskForm(forms.Form):
    text = forms.CharField(label=_("Task"), max_length=300)
    due_on = forms.DateField(label=_("Due"), widget=DayInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "task_%s", **kwargs})

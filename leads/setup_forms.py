"""Forms of the set-up pages."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.countries import country_choices
from clients.models import CustomField, Segment
from crm.i18n import formats
from crm.models import Actor, Book, Brand, Desk, User
from crm.money.numbers import is_whole
from crm.security.scope import reach_of
from crm.ui.conditions import ConditionField
from crm.ui.forms import DayInput, ModelForm
from leads.choices import Experience, NoAgent, OffShift, RuleKind, Strategy
from leads.distribution.turns import WEIGHT_MAX
from leads.models import Campaign, LandingPage, RoutingRule, ScoreRule
from leads.scores.engagement import DAYS_MAX, EngagementKind
from leads.vocabulary import LEAD, SeenLeadVocabulary

MOST_POINTS = 4
ABSENCES_SHOWN = 3
AMOUNT = re.compile(r"\d{1,12}(\.\d{1,6})?")


class WordsField(forms.CharField):
    """A list of short words, separated by commas or blanks."""

    def __init__(self, *, case: str = "", **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.case = case

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:
        text = str(super().clean(value) or "")
        words = [word for word in text.replace(",", " ").split() if word]
        if self.case:
            words = [getattr(word, self.case)() for word in words]
        return list(dict.fromkeys(words))


def brands_of(actor: Actor) -> QuerySet[Brand]:
    """List the brands that somebody reaches, for the forms' choice of brand."""
    return Brand.objects.filter(pk__in=reach_of(actor).brands, archived_at=None)


class LinesField(forms.CharField):
    """A list, one entry per line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        lines = [line.strip() for line in str(super().clean(value) or "").splitlines()]
        return list(dict.fromkeys(line for line in lines if line))


class CampaignForm(ModelForm[Campaign]):
    network_names = LinesField(
        label=gettext_lazy("At the ad networks"),
        required=False,
        max_length=5000,
        help_text=gettext_lazy("Names or numbers of its campaigns at Google Ads or Meta Ads, one per line"),
    )

    class Meta:
        model = Campaign
        fields = (
            "brand",
            "name",
            "code",
            "source",
            "medium",
            "cost",
            "quality",
            "starts_on",
            "ends_on",
            "network_names",
            "is_active",
        )
        widgets = {name: DayInput() for name in ("starts_on", "ends_on")}
        labels = {
            "brand": gettext_lazy("Brand"),
            "name": gettext_lazy("Name"),
            "code": gettext_lazy("Code"),
            "source": gettext_lazy("Source"),
            "medium": gettext_lazy("Medium"),
            "cost": gettext_lazy("Cost"),
            "quality": gettext_lazy("Quality"),
            "starts_on": gettext_lazy("First day"),
            "ends_on": gettext_lazy("Last day"),
            "is_active": gettext_lazy("Active"),
        }

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = brands_of(actor)  # type: ignore[attr-defined]
        self.fields["brand"].initial = actor.brand_id


class CustomFieldsField(forms.TypedMultipleChoiceField):
    """Custom fields of leads, by their ids."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, coerce=int, empty_value=[], **kwargs)


def _offered_fields(actor: Actor) -> list[tuple[int, str]]:
    """Offer the custom fields of leads; of several brands with the brand's name."""
    rows = CustomField.objects.filter(brand__in=brands_of(actor), archived_at=None, for_leads=True)
    found = list(rows.select_related("brand").order_by("brand__name", "position", "id"))
    is_several = len({row.brand_id for row in found}) > 1
    return [(row.pk, f"{row.label} ({row.brand})" if is_several else row.label) for row in found]


class LandingPageForm(ModelForm[LandingPage]):
    points = forms.CharField(
        label=gettext_lazy("Points"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "One point per line, at most four: icon | title | text, e.g. shield-check | Regulated | "
            "Segregated client money"
        ),
    )
    shown_fields = CustomFieldsField(label=gettext_lazy("Custom fields on the form"))
    required_fields = CustomFieldsField(
        label=gettext_lazy("Required custom fields"), help_text=gettext_lazy("Only fields that are on the form.")
    )

    class Meta:
        model = LandingPage
        fields = (
            "brand",
            "slug",
            "language",
            "campaign",
            "country",
            "headline",
            "subline",
            "points",
            "call_to_action",
            "thanks_title",
            "thanks_text",
            "shown_fields",
            "required_fields",
            "asks_experience",
            "asks_deposit",
            "is_published",
        )
        labels = {
            "brand": gettext_lazy("Brand"),
            "slug": gettext_lazy("Address"),
            "language": gettext_lazy("Language"),
            "campaign": gettext_lazy("Campaign"),
            "headline": gettext_lazy("Headline"),
            "subline": gettext_lazy("Subheading"),
            "call_to_action": gettext_lazy("Button text"),
            "thanks_title": gettext_lazy("Thank-you heading"),
            "thanks_text": gettext_lazy("Thank-you text"),
            "asks_experience": gettext_lazy("Ask for trading experience"),
            "asks_deposit": gettext_lazy("Ask for the intended deposit"),
            "is_published": gettext_lazy("Published"),
        }

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["brand"].queryset = brands_of(actor)
        fields["brand"].initial = actor.brand_id
        fields["campaign"].queryset = Campaign.objects.filter(brand__in=brands_of(actor))
        fields["country"] = forms.ChoiceField(label=_("Country"), choices=country_choices(blank="–"), required=False)
        offered = _offered_fields(actor)
        for name in ("shown_fields", "required_fields"):
            fields[name].choices = offered
            if not offered:
                del fields[name]
        if self.instance.pk:
            lines = [f"{p.get('icon', '')} | {p.get('title', '')} | {p.get('text', '')}" for p in self.instance.points]
            self.initial["points"] = "\n".join(lines)

    def clean_points(self) -> list[dict[str, str]]:
        lines = [line for line in self.cleaned_data["points"].splitlines() if line.strip()]
        if len(lines) > MOST_POINTS:
            raise ValidationError(_("Enter at most four points."))
        points = []
        for line in lines:
            parts = [part.strip() for part in line.split("|")]
            if len(parts) != 3 or not parts[1]:
                raise ValidationError(_("Enter each point as: icon | title | text"))
            points.append({"icon": parts[0] or "circle-check", "title": parts[1][:80], "text": parts[2][:200]})
        return points


class WeightsField(forms.CharField):
    """Shares of agents, one per line, kept by the agents' ids."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        emails = dict(User.objects.filter(pk__in=value).order_by("email").values_list("pk", "email"))
        return "\n".join(f"{email} {value[str(pk)]}" for pk, email in emails.items())

    def clean(self, value: Any) -> dict[str, int]:
        shares = {}
        for line in str(super().clean(value) or "").splitlines():
            email, _blank, share = line.strip().rpartition(" ")
            if line.strip() and not (is_whole(share) and 1 <= int(share) <= WEIGHT_MAX):
                raise ValidationError(_("Enter each line as: e-mail address and a share from 1 to 100."))
            if line.strip():
                shares[email.strip().lower()] = int(share)
        known = dict(User.objects.filter(email__in=shares, kind="staff").values_list("email", "pk"))
        unknown = sorted(shares.keys() - known.keys())
        if unknown:
            raise ValidationError(
                _("No staff member has this e-mail address: %(emails)s") % {"emails": ", ".join(unknown)}
            )
        return {str(known[email]): share for email, share in shares.items()}


class RoutingRuleForm(ModelForm[RoutingRule]):
    condition = ConditionField(LEAD, label=gettext_lazy("For leads where"))
    strategy = forms.ChoiceField(label=gettext_lazy("Distribution"), choices=Strategy.choices)
    off_shift = forms.ChoiceField(label=gettext_lazy("Outside shift hours"), choices=OffShift.choices)
    no_agent = forms.ChoiceField(label=gettext_lazy("If no agent is available"), choices=NoAgent.choices)
    pool = forms.ModelChoiceField(
        label=gettext_lazy("Pool for leads without an agent"),
        queryset=Book.objects.none(),
        required=False,
        help_text=gettext_lazy("Empty: the desk's pool"),
    )
    agents = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only these agents"),
        queryset=User.objects.none(),
        required=False,
        help_text=gettext_lazy("Empty: all agents of the desk who accept leads"),
    )
    weights = WeightsField(
        label=gettext_lazy("Weighted shares"),
        help_text=gettext_lazy(
            "One agent per line: e-mail address and share from 1 to 100, e.g. anna@example.com 3. Agents who aren't "
            "listed have a share of 1. Used by weighted distribution only."
        ),
    )

    class Meta:
        model = RoutingRule
        fields = (
            "brand",
            "name",
            "position",
            "is_active",
            "condition",
            "desk",
            "strategy",
            "needs_language",
            "off_shift",
            "no_agent",
            "pool",
            "sla_seconds",
            "agents",
            "weights",
        )
        labels = {
            "brand": gettext_lazy("Brand"),
            "name": gettext_lazy("Name"),
            "position": gettext_lazy("Order"),
            "is_active": gettext_lazy("Active"),
            "desk": gettext_lazy("Desk"),
            "needs_language": gettext_lazy("Agent must speak the language"),
            "sla_seconds": gettext_lazy("First contact within (seconds)"),
        }

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["brand"].queryset = brands_of(actor)
        fields["brand"].initial = actor.brand_id
        desks = Desk.objects.filter(pk__in=reach_of(actor).desks, archived_at=None)
        fields["desk"].queryset = desks
        pools = Book.objects.filter(brand_id__in=reach_of(actor).brands, is_pool=True, archived_at=None)
        fields["pool"].queryset = pools.order_by("name")
        fields["condition"] = ConditionField(SeenLeadVocabulary(actor), label=_("For leads where"))
        fields["agents"].queryset = User.objects.filter(desk__in=desks, is_active=True, kind="staff")


class ScoreRuleForm(ModelForm[ScoreRule]):
    values = WordsField(
        label=gettext_lazy("Values"),
        help_text=gettext_lazy(
            "Country or source: a list of codes. E-mail: disposable, free, own or none. Phone: "
            "match, mismatch, valid, invalid or missing. Local time: from and to, e.g. 8 20. Repeat "
            "enquiry: the number of enquiries. Opened, clicked, sign-ins, calls, e-mails received: how many in how many "
            "days, e.g. 2 30. Trading experience: none, some or experienced. Intended deposit: the least amount in the brand's "
            "base currency, e.g. 1000. Custom field: its key and values, e.g. tier gold, or a least amount, e.g. budget ≥ 1000."
        ),
    )
    segments = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Segments"),
        coerce=int,
        required=False,
        help_text=gettext_lazy("For the criterion Segment: people who are in one of these."),
    )

    class Meta:
        model = ScoreRule
        fields = ("brand", "name", "kind", "values", "segments", "points")
        labels = {
            "brand": gettext_lazy("Brand"),
            "name": gettext_lazy("Name"),
            "kind": gettext_lazy("Criterion"),
            "points": gettext_lazy("Points"),
        }

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["brand"].queryset = brands_of(actor)
        fields["brand"].required = True
        fields["brand"].empty_label = None
        if self.instance.pk:
            self.initial["values"] = values_of(self.instance)
            self.initial["brand"] = self.instance.brand_id or actor.brand_id
        chosen = self.instance.segment_ids
        self.initial["segments"] = chosen
        offered = Q(archived_at=None) | Q(pk__in=chosen)
        rows = Segment.objects.filter(offered, brand__in=brands_of(actor)).select_related("brand")
        self.offered = {row.pk: row for row in rows.order_by("brand__name", "name")}
        fields["segments"].choices = [(pk, f"{row.name} · {row.brand}") for pk, row in self.offered.items()]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") == RuleKind.SEGMENT:
            chosen = [self.offered[pk] for pk in data.get("segments", [])]
            if not chosen or any(row.brand != data.get("brand") for row in chosen):
                self.add_error("segments", _("Choose one or more segments of the brand."))
            data["parameters"] = {"segments": [row.pk for row in chosen]}
        elif data.get("kind"):
            try:
                data["parameters"] = parameters_of(data["kind"], data.get("values", []))
            except ValueError as error:
                self.add_error("values", str(error))
        return data

    def _post_clean(self) -> None:
        """Leave validation to the verb: a change makes another row, and this instance is the version that ends."""


def values_of(rule: ScoreRule) -> list[str]:
    """List a rule's parameters as the words of the form's text field."""
    parameters = rule.parameters
    if rule.kind == RuleKind.HOUR:
        return [str(parameters.get("from", 0)), str(parameters.get("to", 24))]
    if rule.kind in (RuleKind.REPEAT, RuleKind.DEPOSIT):
        return [str(parameters.get("at_least", 2))]
    if rule.kind == RuleKind.FIELD:
        least = ["≥", str(parameters["at_least"])] if "at_least" in parameters else parameters.get("values", [])
        return [parameters.get("field", ""), *least]
    if "days" in parameters:
        return [str(parameters["at_least"]), str(parameters["days"])]
    if "is" in parameters:
        return [str(parameters["is"])]
    return [str(one) for name in ("countries", "sources", "experience") for one in parameters.get(name, ())]


def parameters_of(kind: str, words: list[str]) -> dict[str, Any]:
    """Parse the words of the form's text field into a rule's parameters. Raises ValueError with what to write instead."""
    if kind == RuleKind.COUNTRY:
        return {"countries": _some([word.upper() for word in words], _("Enter country codes, e.g. DE, AT."))}
    if kind == RuleKind.SOURCE:
        return {"sources": _some([word.lower() for word in words], _("Enter sources, e.g. google."))}
    if kind == RuleKind.EMAIL:
        return {"is": _one_of(words, ("disposable", "free", "own", "none"))}
    if kind == RuleKind.PHONE:
        return {"is": _one_of(words, ("match", "mismatch", "valid", "invalid", "missing"))}
    if kind == RuleKind.HOUR:
        if len(words) != 2 or not all(is_whole(word) and int(word) <= 24 for word in words):
            raise ValueError(_("Enter two hours, e.g. 8 20."))
        return {"from": int(words[0]), "to": int(words[1])}
    if kind == RuleKind.REPEAT:
        if len(words) != 1 or not is_whole(words[0]) or int(words[0]) < 2:
            raise ValueError(_("Enter the number of enquiries, at least 2."))
        return {"at_least": int(words[0])}
    if kind in EngagementKind.values:
        return _within_days(words)
    if kind in (RuleKind.EXPERIENCE, RuleKind.DEPOSIT):
        return _of_declared(kind, words)
    return _of_field(words) if kind == RuleKind.FIELD else {}


def _within_days(words: list[str]) -> dict[str, Any]:
    numbers = [int(word) for word in words if is_whole(word)]
    if len(numbers) != len(words) or len(words) != 2 or not (1 <= numbers[0] <= 100 and 1 <= numbers[1] <= DAYS_MAX):
        raise ValueError(_("Enter how many in how many days (at most %(days)s), e.g. 2 30.") % {"days": DAYS_MAX})
    return {"at_least": numbers[0], "days": numbers[1]}


def _of_declared(kind: str, words: list[str]) -> dict[str, Any]:
    if kind == RuleKind.EXPERIENCE:
        chosen = [word.lower() for word in words]
        if not chosen or set(chosen) - set(Experience.values):
            raise ValueError(_("Enter one or more of: %(allowed)s") % {"allowed": ", ".join(Experience.values)})
        return {"experience": chosen}
    amounts = [word for word in words if word not in ("≥", ">=")]
    if len(amounts) != 1 or not AMOUNT.fullmatch(amounts[0]):
        raise ValueError(_("Enter the least intended deposit, e.g. 1000."))
    return {"at_least": amounts[0]}


def _of_field(words: list[str]) -> dict[str, Any]:
    key, *values = words or [""]
    if not key or not values or not CustomField.objects.filter(key=key.lower(), archived_at=None).exists():
        raise ValueError(_("Enter the key of a custom field and its values, e.g. tier gold."))
    if values[0] in ("≥", ">="):
        if len(values) != 2 or not AMOUNT.fullmatch(values[1]):
            raise ValueError(_("Enter a least amount after ≥, e.g. budget ≥ 1000."))
        return {"field": key.lower(), "at_least": values[1]}
    return {"field": key.lower(), "values": [value.lower() for value in values]}


def _some(words: list[str], otherwise: str) -> list[str]:
    if not words:
        raise ValueError(otherwise)
    return words


def _one_of(words: list[str], allowed: tuple[str, ...]) -> str:
    if len(words) != 1 or words[0].lower() not in allowed:
        raise ValueError(_("Enter one of: %(allowed)s") % {"allowed": ", ".join(allowed)})
    return words[0].lower()


class ShiftForm(forms.Form):
    """One shift per weekday, an empty day is a day off; and the next absences, first and last day."""

    def __init__(self, *args: Any, shifts: Any = (), absences: Any = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {shift.weekday: shift for shift in shifts}
        for day in formats.weekdays():
            for part, label in (("starts", WEEKDAYS[day]), ("ends", _("until"))):
                self.fields[f"{part}_{day}"] = forms.TimeField(
                    label=label,
                    required=False,
                    widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
                    initial=getattr(known.get(day), part, None),
                )

        away = list(absences)[:ABSENCES_SHOWN]
        for number in range(ABSENCES_SHOWN):
            for part, label in (("starts_on", _("Absent from")), ("ends_on", _("until and including"))):
                self.fields[f"{part}_{number}"] = forms.DateField(
                    label=label,
                    required=False,
                    widget=DayInput(),
                    initial=getattr(away[number], part) if number < len(away) else None,
                )

    def absences(self) -> list[tuple[dt.date, dt.date]]:
        """List the absences that were entered."""
        pairs = [
            (self.cleaned_data[f"starts_on_{number}"], self.cleaned_data[f"ends_on_{number}"])
            for number in range(ABSENCES_SHOWN)
        ]
        return [(first, last) for first, last in pairs if first and last]

    def shifts(self) -> list[tuple[int, dt.time, dt.time]]:
        shifts = []
        for day in range(7):
            starts, ends = self.cleaned_data[f"starts_{day}"], self.cleaned_data[f"ends_{day}"]
            if starts and ends:
                shifts.append((day, starts, ends))
        return shifts

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for day in range(7):
            if bool(data.get(f"starts_{day}")) != bool(data.get(f"ends_{day}")):
                self.add_error(f"ends_{day}", _("Enter both times or neither."))
        for number in range(ABSENCES_SHOWN):
            if bool(data.get(f"starts_on_{number}")) != bool(data.get(f"ends_on_{number}")):
                self.add_error(f"ends_on_{number}", _("Enter both days or neither."))
        return data


class SourceForm(forms.Form):
    brand = forms.ModelChoiceField(label=gettext_lazy("Brand"), queryset=Brand.objects.none())
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    code = forms.SlugField(
        label=gettext_lazy("Code"), max_length=60, help_text=gettext_lazy("Recorded as the lead's source")
    )
    campaign = forms.ModelChoiceField(label=gettext_lazy("Campaign"), queryset=Campaign.objects.none(), required=False)

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["brand"].queryset, fields["brand"].initial = brands_of(actor), actor.brand_id
        fields["campaign"].queryset = Campaign.objects.filter(brand__in=brands_of(actor))


class TrialForm(forms.Form):
    """A lead that never was: what would it be worth, and who would get it?"""

    brand = forms.ModelChoiceField(label=gettext_lazy("Brand"), queryset=Brand.objects.none())
    country = forms.ChoiceField(label=gettext_lazy("Country"), required=False)
    language = forms.CharField(label=gettext_lazy("Language"), max_length=8, initial="de")
    email = forms.CharField(label=gettext_lazy("E-mail"), required=False, initial="someone@example.com")
    phone = forms.CharField(label=gettext_lazy("Phone"), required=False)
    campaign = forms.ModelChoiceField(label=gettext_lazy("Campaign"), queryset=Campaign.objects.none(), required=False)
    source = forms.CharField(label=gettext_lazy("Source"), required=False)

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["brand"].queryset, fields["brand"].initial = brands_of(actor), actor.brand_id
        fields["country"].choices = country_choices(blank="–")
        fields["campaign"].queryset = Campaign.objects.filter(brand__in=brands_of(actor))

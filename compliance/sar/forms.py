"""Forms of a report's draft, its decision and its filing, and of the reporting entity."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clients.countries import country_choices
from compliance.sar.choices import CODES, ReportKind
from compliance.sar.goaml import SCHEMA_BYTES_MAX
from compliance.sar.models import ReportingEntity, SuspicionReport
from crm.money.numbers import is_whole
from crm.ui.forms import DayInput

NARRATIVE_MAX: Final = 8000  # goAML's own limit for comments
INDICATORS_MAX: Final = 300
FIELDS: Final = (
    "rentity_id",
    "rentity_branch",
    "currency",
    "first_name",
    "last_name",
    "email",
    "phone",
    "occupation",
    "address",
    "city",
    "postal_code",
    "country",
    "indicators",
    "codes",
)


class KindForm(forms.Form):
    kind = forms.ChoiceField(label=_("Report"), choices=ReportKind.choices)


class WriteForm(forms.Form):
    """What the officer writes; the transactions are ticked in the table of movements below it."""

    kind = forms.ChoiceField(
        label=_("Report"), choices=ReportKind.choices, help_text=_("An SAR names no transactions.")
    )
    narrative = forms.CharField(
        label=_("Grounds for suspicion"),
        max_length=NARRATIVE_MAX,
        required=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=_("Who did what, when, with what money, and why it's suspicious. Begins with what the alerts found."),
    )
    action = forms.CharField(
        label=_("Action taken"),
        max_length=NARRATIVE_MAX,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For example withdrawals held, or the relationship ended."),
    )
    occupation = forms.CharField(label=_("Occupation"), max_length=255, required=False)
    indicators = forms.MultipleChoiceField(label=_("Indicators"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(
        self, data: Any = None, *, report: SuspicionReport, entity: ReportingEntity | None, is_company: bool
    ) -> None:
        content = report.content
        names = ("narrative", "action", "occupation", "indicators")
        super().__init__(data, initial={"kind": report.kind, **{name: content[name] for name in names}})
        self.fields["indicators"].choices = [  # type: ignore[attr-defined]
            (code, f"{code} · {name}") for code, name in (entity.indicators if entity else {}).items()
        ]
        if is_company:
            self.fields["occupation"].widget = forms.HiddenInput()


def chosen_movements(data: Any) -> list[int]:
    """Read the ticked movements; what isn't a number is left out."""
    return [int(value) for value in data.getlist("movements") if is_whole(value)]


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), max_length=4000)


class FilingForm(forms.Form):
    reference = forms.CharField(label=_("FIU reference"), max_length=255)
    filed_on = forms.DateField(label=_("Filed on"), widget=DayInput(), initial=timezone.localdate)


class EntityForm(forms.Form):
    """The legal entity as the FIU registered it, the person who reports, the FIU's lists and schema."""

    rentity_id = forms.IntegerField(
        label=_("Reporting entity ID"), min_value=1, max_value=2_147_483_647, help_text=_("As the FIU registered it.")
    )
    rentity_branch = forms.CharField(label=_("Branch"), max_length=255)
    currency = forms.RegexField(
        "^[A-Z]{3}$", label=_("Local currency"), help_text=_("In which the FIU wants amounts, for example EUR.")
    )
    first_name = forms.CharField(label=_("First name of the reporting person"), max_length=100)
    last_name = forms.CharField(label=_("Last name of the reporting person"), max_length=100)
    email = forms.EmailField(label=_("E-mail"))
    phone = forms.CharField(label=_("Phone"), max_length=20)
    occupation = forms.CharField(label=_("Position"), max_length=255)
    address = forms.CharField(label=_("Address"), max_length=100)
    city = forms.CharField(label=_("City"), max_length=255)
    postal_code = forms.CharField(label=_("Postal code"), max_length=10, required=False)
    country = forms.ChoiceField(label=_("Country"))
    indicators = forms.CharField(
        label=_("Indicators"),
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono"}),
        max_length=40_000,
        help_text=_("The FIU's grounds for suspicion, one per line: code, space, name."),
    )
    schema = forms.FileField(
        label=_("The FIU's schema (XSD)"),
        required=False,
        help_text=_("From the FIU's goAML page. Without it only the structure of goAML 5 is checked."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, data: Any = None, files: Any = None, *, entity: ReportingEntity | None = None) -> None:
        initial: dict[str, Any] = {}
        if entity is not None:
            initial = {name: getattr(entity, name) for name in FIELDS if name != "codes"}
            initial["indicators"] = "\n".join(f"{code} {name}" for code, name in entity.indicators.items())
        super().__init__(data, files, initial=initial)
        self.fields["country"].choices = country_choices(blank=gettext("Choose a country"))  # type: ignore[attr-defined]
        for name, (label, default) in CODES.items():
            given = entity.code(name) if entity else default
            self.fields[f"code_{name}"] = forms.CharField(label=label, max_length=20, initial=given)

    def clean_indicators(self) -> dict[str, str]:
        lines = [line.strip() for line in self.cleaned_data["indicators"].splitlines() if line.strip()]
        if len(lines) > INDICATORS_MAX:
            raise forms.ValidationError(gettext("Enter at most %(count)s indicators.") % {"count": INDICATORS_MAX})
        pairs = dict(line.partition(" ")[::2] for line in lines)
        if any(len(code) > 50 or not name.strip() for code, name in pairs.items()):
            raise forms.ValidationError(gettext("Each line needs a code of up to 50 characters and a name."))
        return {code: name.strip()[:200] for code, name in pairs.items()}

    def values(self) -> dict[str, Any]:
        """Return the columns' values."""
        data = self.cleaned_data
        codes = {name: data[f"code_{name}"] for name in CODES}
        return {name: data[name] for name in FIELDS if name != "codes"} | {"codes": codes}

    def given_schema(self) -> tuple[str, bytes] | None:
        """Return the uploaded schema with its name; read to one byte past what is accepted."""
        file = self.cleaned_data.get("schema")
        return (file.name, file.read(SCHEMA_BYTES_MAX + 1)) if file else None

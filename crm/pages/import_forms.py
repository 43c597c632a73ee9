"""Forms of an import: the upload, and which column of the file is which field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.choices import ExistingRecords
from crm.errors import Refusal, outcome_of
from crm.imports import Field
from crm.imports.fields import ORDERS, Formats, read_number
from crm.imports.files import VALUES_LISTED, Preview
from crm.imports.kinds import kinds_in_order
from crm.imports.reading import ENCODINGS, WORKBOOKS
from crm.models import Brand, User
from crm.security.scope import reach_of
from crm.ui.forms import ModelChoiceField

SEPARATORS = {",": gettext_lazy("Comma"), ";": gettext_lazy("Semicolon"), "\t": gettext_lazy("Tab"), "|": "|"}
SUGGESTED_MAX = 10


class UploadForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Records in the file"))
    brand = ModelChoiceField(Brand.objects.none(), label=gettext_lazy("Brand"))
    system = forms.CharField(
        label=gettext_lazy("Other system"),
        max_length=40,
        help_text=gettext_lazy("Its name, e.g. uptrader. Use the same one for all files of the system."),
    )
    file = forms.FileField(
        label=gettext_lazy("File"), widget=forms.FileInput({"accept": ",".join((".csv", ".txt", ".tsv", *WORKBOOKS))})
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["kind"].choices = [(kind.code, kind.label) for kind in kinds_in_order()]
        fields["kind"].initial = "clients"
        brands = Brand.objects.filter(pk__in=reach_of(actor).whole_brands, archived_at=None).order_by("name")
        fields["brand"].queryset = brands
        fields["brand"].initial = actor.brand_id or brands.values_list("pk", flat=True).first()


@dataclass(frozen=True)
class MappingRow:
    """One field of the kind, with its three inputs."""

    field: Field
    column: BoundField
    fixed: BoundField
    values: BoundField

    @property
    def is_open(self) -> bool:
        """Tell whether the rarer inputs are in use."""
        return bool(self.fixed.value() or self.values.value() or self.fixed.errors or self.values.errors)


class MappingForm(forms.Form):
    """Per field a column, a fixed value and translations; how the file is read; a name to remember the mapping by."""

    dates = forms.ChoiceField(label=gettext_lazy("Order in dates"), choices=list(ORDERS.items()))
    decimal = forms.ChoiceField(
        label=gettext_lazy("Decimal mark"),
        choices=[(".", gettext_lazy("Point: 1,234.50")), (",", gettext_lazy("Comma: 1.234,50"))],
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        required=False,
        choices=[("", gettext_lazy("Detect automatically")), *((name, name) for name in ENCODINGS)],
    )
    delimiter = forms.ChoiceField(
        label=gettext_lazy("Separator"),
        required=False,
        choices=[("", gettext_lazy("Detect automatically")), *SEPARATORS.items()],
    )
    remember_as = forms.CharField(
        label=gettext_lazy("Remember this mapping as"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("It is then used for every file with these columns."),
    )

    def __init__(self, data: Any, *, fields: Sequence[Field], preview: Preview, definition: Mapping[str, Any]) -> None:
        self.mapped, self.preview = fields, preview
        sources: Mapping[str, Any] = definition.get("fields", {})
        initial = {
            name: definition[name] for name in ("dates", "decimal", "encoding", "delimiter") if name in definition
        }
        formats = Formats(definition.get("dates", "ymd"), definition.get("decimal", "."))
        columns = [("", "–"), *((name, self._column_label(name)) for name in preview.header)]
        super().__init__(data, initial=initial)
        for field in fields:
            source = sources.get(field.name, {})
            source = {"column": source} if isinstance(source, str) else source
            column = source.get("column", "") if source.get("column", "") in preview.header else ""
            self.fields[f"column_{field.name}"] = forms.ChoiceField(
                label=_("Column for “%(field)s”") % {"field": field.label},
                choices=columns,
                required=False,
                initial=column,
            )
            self.fields[f"fixed_{field.name}"] = _fixed_field(field, source.get("fixed", ""))
            self.fields[f"values_{field.name}"] = forms.CharField(
                label=_("Translations"),
                required=False,
                widget=forms.Textarea({"rows": 4, "class": "form-control mono", "placeholder": "Germania = DE"}),
                help_text=_("One per line: value in the file = value here"),
                initial="\n".join(self._translations(field, column, source.get("values", {}), formats)),
            )
        if not any(field.is_number or field.read is read_number for field in fields):
            self.fields["decimal"].widget = forms.HiddenInput()
            self.fields["decimal"].required = False
        if not any(field.is_date for field in fields):
            self.fields["dates"].widget = forms.HiddenInput()
            self.fields["dates"].required = False

    def _column_label(self, name: str) -> str:
        samples = ", ".join(sample[:24] for sample in self.preview.samples(name))
        return f"{name} ({samples})" if samples else name

    def _translations(self, field: Field, column: str, values: Mapping[str, str], formats: Formats) -> Iterator[str]:
        """Yield the translations that there are, and a line to complete for each value that the field can't read."""
        yield from (f"{theirs} = {ours}" for theirs, ours in values.items())
        found = self.preview.values.get(column, [])
        if field.is_date or len(found) > VALUES_LISTED:
            return
        for text in [value for value in found if value not in values and "\n" not in value][:SUGGESTED_MAX]:
            if isinstance(outcome_of(lambda text=text: field.value_of(text, formats)), Refusal):  # type: ignore[misc]
                yield f"{text} = "

    def rows(self) -> list[MappingRow]:
        """List the fields of the kind with their inputs, for the template."""
        return [
            MappingRow(field, self[f"column_{field.name}"], self[f"fixed_{field.name}"], self[f"values_{field.name}"])
            for field in self.mapped
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for field in self.mapped:
            name = f"values_{field.name}"
            data[name] = self._read_translations(name, data.get(name, ""))
        return data

    def _read_translations(self, name: str, text: str) -> dict[str, str]:
        pairs = {}
        for number, line in enumerate(text.splitlines(), start=1):
            theirs, mark, ours = line.rpartition("=")
            if line.strip() and not mark:
                self.add_error(
                    name, _("Line %(line)s needs an equals sign: value in the file = value here") % {"line": number}
                )
            elif theirs.strip() and ours.strip():
                pairs[theirs.strip()] = ours.strip()
        return pairs

    def definition(self) -> dict[str, Any]:
        """Write the mapping as `map_columns` takes it."""
        data, fields = self.cleaned_data, {}
        for field in self.mapped:
            parts = {key: data.get(f"{prefix}_{field.name}") for key, prefix in PARTS.items()}
            if parts["column"] or parts["fixed"]:
                fields[field.name] = {key: value for key, value in parts.items() if value}
        return {"fields": fields, **reading_of(data)}


class ConfirmForm(forms.Form):
    """What happens to the details of existing records that differ from the file."""

    existing = forms.ChoiceField(
        label=gettext_lazy("Existing records that differ"),
        choices=ExistingRecords.choices,
        initial=ExistingRecords.KEEP,
        widget=forms.RadioSelect,
        required=False,
    )

    def clean_existing(self) -> str:
        return self.cleaned_data["existing"] or ExistingRecords.KEEP.value


PARTS = {"column": "column", "fixed": "fixed", "values": "values"}


def reading_of(data: Mapping[str, Any]) -> dict[str, str]:
    """Take how the file is read from what was sent; what isn't one of the choices is left out."""
    choices: dict[str, Any] = {"dates": ORDERS, "decimal": ".,", "encoding": ENCODINGS, "delimiter": SEPARATORS}
    given = {name: str(data.get(name) or "") for name in choices}
    return {name: value for name, value in given.items() if value and value in choices[name]}


def _fixed_field(field: Field, initial: str) -> forms.Field:
    label = _("Fixed value")
    if field.choices:
        return forms.ChoiceField(label=label, required=False, choices=[("", "–"), *field.choices], initial=initial)
    return forms.CharField(
        label=label,
        required=False,
        max_length=field.longest,
        initial=initial,
        help_text=_("For rows in which the column is empty, or for all"),
    )

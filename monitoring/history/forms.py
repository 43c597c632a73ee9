"""Forms of an uploaded history: the file, and which of its fields and kinds of events are which of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.history.files import OUR_KINDS, Preview
from monitoring.history.models import HistoryFile

FIELDS: Final = {
    "ts": gettext_lazy("Time"),
    "agent": gettext_lazy("Agent"),
    "kind": gettext_lazy("Kind of event"),
    "client": gettext_lazy("Client"),
    "owner": gettext_lazy("Client's owner"),
    "value": gettext_lazy("Client's value"),
    "dormant": gettext_lazy("Dormant client"),
    "duration": gettext_lazy("Length of a call"),
    "outcome": gettext_lazy("Outcome of a call"),
    "rows": gettext_lazy("Number of records"),
    "amount": gettext_lazy("Amount"),
    "ip": gettext_lazy("IP address"),
    "device": gettext_lazy("Device"),
    "country": gettext_lazy("Country of sign-in"),
    "session": gettext_lazy("Session"),
    "role": gettext_lazy("Role"),
    "desk": gettext_lazy("Desk"),
    "shift": gettext_lazy("Shift"),
    "id": gettext_lazy("Number of the event"),
}
KINDS: Final = {
    "login": gettext_lazy("Sign-in"),
    "login_failed": gettext_lazy("Failed sign-in"),
    "logout": gettext_lazy("Sign-out"),
    "view": gettext_lazy("Record opened"),
    "list": gettext_lazy("List opened"),
    "search": gettext_lazy("Search"),
    "reveal": gettext_lazy("Contact details revealed"),
    "export": gettext_lazy("Export"),
    "print": gettext_lazy("Print"),
    "download": gettext_lazy("Document downloaded"),
    "edit": gettext_lazy("Record changed"),
    "note": gettext_lazy("Note or task"),
    "call": gettext_lazy("Call"),
    "mail": gettext_lazy("Message sent"),
    "assign": gettext_lazy("Client assigned"),
    "campaign": gettext_lazy("Campaign started"),
    "deposit": gettext_lazy("Deposit"),
    "withdrawal": gettext_lazy("Withdrawal"),
    "context": gettext_lazy("Absence, shift or change of role"),
    "other": gettext_lazy("Other activity"),
}
SHOW: Final = "show"


class HistoryUploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.FileInput({"accept": ".jsonl,.ndjson,.json,.csv,.tsv,.txt,.xlsx"}),
        help_text=gettext_lazy("One event per line (JSONL), or a table with column names: CSV or XLSX."),
    )


class HistoryMappingForm(forms.Form):
    """A choice for each of our fields, and one for each kind of event that the file's beginning holds."""

    per_100 = forms.FloatField(
        label=gettext_lazy("Cases per 100 agent-days"),
        min_value=0.01,
        max_value=100,
        help_text=gettext_lazy("The most unusual agent-days open a case, about so many."),
    )

    def __init__(self, data: Any, *, history: HistoryFile, preview: Preview) -> None:
        super().__init__(data, initial={"per_100": history.per_100})
        self.preview = preview
        columns = [("", "–"), *((key, self._labelled(key)) for key in preview.keys)]
        for ours, label in FIELDS.items():
            self.fields[f"field_{ours}"] = forms.ChoiceField(
                label=label, choices=columns, required=False, initial=preview.fields.get(ours, "")
            )
        choices = [(kind, KINDS[kind]) for kind in sorted(OUR_KINDS, key=list(KINDS).index)]
        for number, (word, _count, ours) in enumerate(preview.kinds):
            self.fields[f"kind_{number}"] = forms.ChoiceField(
                label=_("Kind of “%(word)s”") % {"word": word}, choices=choices, initial=ours
            )

    def _labelled(self, key: str) -> str:
        examples = ", ".join(self.preview.keys[key])
        return f"{key} ({examples})" if examples else key

    def our_fields(self) -> Iterator[BoundField]:
        """Yield the choices of our fields, for the template."""
        return (self[f"field_{ours}"] for ours in FIELDS)

    def their_kinds(self) -> Iterator[tuple[str, int, BoundField]]:
        """Yield the file's kinds with how often they are in its beginning, and what each is here."""
        return ((word, count, self[f"kind_{number}"]) for number, (word, count, _ours) in enumerate(self.preview.kinds))

    def chosen_fields(self) -> dict[str, str]:
        return {ours: self.cleaned_data[f"field_{ours}"] for ours in FIELDS}

    def chosen_kinds(self) -> dict[str, str]:
        return {word: self.cleaned_data[f"kind_{n}"] for n, (word, _count, _ours) in enumerate(self.preview.kinds)}


def fields_of(data: Any) -> dict[str, str]:
    """Take the fields from a form as it was sent, before the kinds that depend on them are known."""
    return {ours: data.get(f"field_{ours}", "") for ours in FIELDS}

"""Forms of the review and of uploads."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.i18n.languages import language_name
from crm.ui.forms import DayInput
from kyc.choices import TWO_SIDED_KINDS, CorrectionReason, DocumentKind, Opinion, RejectReason, Side

# For a file field's `accept`: a phone then converts its own formats.
ACCEPT = "image/jpeg,image/png,image/webp,application/pdf"


class UploadForm(forms.Form):
    """What is sent and the file itself. The portal uses it too; `kinds` narrows the choice."""

    kind = forms.ChoiceField(label=_("Document"), choices=DocumentKind.choices)
    side = forms.ChoiceField(label=_("Side"), choices=Side.choices, required=False, initial=Side.FRONT)
    file = forms.FileField(label=_("File"), widget=forms.ClearableFileInput(attrs={"accept": ACCEPT}))

    def __init__(self, *args: Any, kinds: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kinds:
            field = self.fields["kind"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [(kind, label) for kind, label in DocumentKind.choices if kind in kinds]

    def clean_side(self) -> str:
        """Reduce the side to the front where the kind has only one: cards and licences have two."""
        kind, side = self.cleaned_data.get("kind"), self.cleaned_data.get("side")
        return side or Side.FRONT if kind in TWO_SIDED_KINDS else Side.FRONT


class ApproveForm(forms.Form):
    expires_on = forms.DateField(label=_("Valid until"), required=False, widget=DayInput())
    issued_on = forms.DateField(label=_("Issued on"), required=False, widget=DayInput())
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For colleagues and auditors. Required if a check raised an issue."),
    )

    def __init__(self, *args: Any, needs_note: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if needs_note:  # the browser asks for it before anything is sent; the verb has the last word
            self.fields["note"].widget.attrs["required"] = True


class CorrectionForm(forms.Form):
    """What an officer reads in one field, and why it isn't what the machine read."""

    field = forms.CharField(max_length=30)
    value = forms.CharField(max_length=120)
    reason = forms.ChoiceField(choices=CorrectionReason.choices)


class EscalateForm(forms.Form):
    """Why one doesn't decide this alone."""

    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_escalate_%s", **kwargs})


class SecondReaderForm(forms.Form):
    """One's own opinion, before a colleague gives theirs."""

    opinion = forms.ChoiceField(
        label=_("Your opinion"),
        choices=Opinion.choices,
        widget=forms.RadioSelect,
        help_text=_("The second reader doesn't see it before deciding."),
    )
    note = forms.CharField(label=_("Why you aren't sure"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_reader_%s", **kwargs})


class RequestForm(forms.Form):
    """Which document a client is asked for, why, and until when."""

    kind = forms.ChoiceField(label=_("Document"), choices=DocumentKind.choices)
    side = forms.ChoiceField(
        label=_("Side"), choices=[("", _("Any")), *Side.choices], required=False, help_text=_("Of cards and licences.")
    )
    due_on = forms.DateField(label=_("Needed by"), widget=DayInput())
    reason_code = forms.ChoiceField(label=_("Reason"), choices=RejectReason.choices)
    message = forms.CharField(
        label=_("Message to client"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, language: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_request_%s", **kwargs})
        self.fields["message"].help_text = gettext(
            "The client reads %(language)s. Empty: the standard message of the reason."
        ) % {"language": language_name(language)}


def numbered_reasons() -> list[tuple[str, str]]:
    """List the reasons with the figure key that chooses each; the tenth has 0."""
    numbered = [
        (value, f"{label} ({number % 10})" if number <= 10 else str(label))
        for number, (value, label) in enumerate(RejectReason.choices, start=1)
    ]
    return [("", gettext("Reason for rejection")), *numbered]


class RejectForm(forms.Form):
    """Beside `ApproveForm` on one page: ids of its own, or a label would lead to the other's note."""

    # No reason is chosen beforehand unless a check found one: what is wrong is for the officer to say.
    reason_code = forms.ChoiceField(label=_("Reason"), choices=numbered_reasons)
    reason = forms.CharField(
        label=_("Message to client"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_reject_%s", **kwargs})

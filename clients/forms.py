"""Forms of the client's page. Errors are shown at their field; what was typed stays."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.calls import CallDetails, FollowUp
from clients.choices import CallDirection, CallOutcome
from clients.countries import country_choices
from clients.languages import language_choices
from clients.models import Client
from clients.profile import PERSONAL
from clients.record.profile_facts import Fact
from crm.i18n.time_zones import all_zones
from crm.models import Actor, Book, User
from crm.money.numbers import is_whole
from crm.security.scope import reach_of
from crm.texts.catalogue import TextKind, texts_of
from crm.ui.forms import DayInput, ModelForm


class DurationField(forms.CharField):
    """`4:30` is four and a half minutes, `12` twelve minutes, `1:02:03` an hour and more. Cleaned: seconds."""

    default_error_messages = {"duration": gettext_lazy("Enter minutes, or minutes and seconds such as 4:30.")}

    def clean(self, value: Any) -> int:
        text = str(super().clean(value) or "").strip()
        if not text:
            return 0
        parts = text.split(":")
        if not all(is_whole(part) for part in parts) or len(parts) > 3 or any(len(part) > 3 for part in parts):
            raise ValidationError(self.error_messages["duration"])
        numbers = [int(part) for part in parts]
        if len(numbers) == 1:
            return numbers[0] * 60
        seconds = 0
        for number in numbers:
            seconds = seconds * 60 + number
        return seconds


def moment_widget() -> forms.DateTimeInput:
    """Build the browser's date-and-time input, in the one format that it accepts."""
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


REMINDERS = [
    (0, gettext_lazy("when due")),
    (5, gettext_lazy("5 minutes before")),
    (15, gettext_lazy("15 minutes before")),
    (30, gettext_lazy("30 minutes before")),
    (60, gettext_lazy("an hour before")),
    (120, gettext_lazy("2 hours before")),
    (1440, gettext_lazy("a day before")),
]


class ReminderField(forms.TypedChoiceField):
    """When a follow-up's reminder comes, in minutes before it is due; None: as the assignee has chosen for all."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [("", gettext_lazy("as chosen in the calendar")), *REMINDERS]
        super().__init__(
            label=gettext_lazy("Remind"), choices=choices, coerce=int, empty_value=None, required=False, **kwargs
        )


class FollowUpFields(forms.Form):
    """The next step agreed in a call."""

    follow_up_at = forms.DateTimeField(
        label=gettext_lazy("Follow up on"),
        required=False,
        widget=moment_widget(),
        help_text=gettext_lazy("Leave empty if no follow-up is needed."),
    )
    follow_up_title = forms.CharField(label=gettext_lazy("Follow-up task"), required=False, max_length=160)

    def follow_up(self) -> FollowUp | None:
        """Return the follow-up that was asked for; None without a time."""
        due_at = self.cleaned_data["follow_up_at"]
        return FollowUp(due_at, self.cleaned_data["follow_up_title"]) if due_at else None


class CallForm(FollowUpFields):
    outcome = forms.ChoiceField(label=gettext_lazy("Outcome"), choices=CallOutcome.choices, widget=forms.RadioSelect)
    duration = DurationField(
        label=gettext_lazy("Duration"),
        required=False,
        max_length=10,
        widget=forms.TextInput(attrs={"placeholder": "4:30", "inputmode": "numeric"}),
    )
    direction = forms.ChoiceField(
        label=gettext_lazy("Direction"), choices=CallDirection.choices, initial=CallDirection.OUTBOUND
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def details(self) -> CallDetails:
        """Return what was entered about the call, for `log_call`."""
        data = self.cleaned_data
        return CallDetails(
            outcome=CallOutcome(data["outcome"]),
            duration_seconds=data["duration"],
            notes=data["notes"],
            direction=CallDirection(data["direction"]),
        )


class TaskForm(forms.Form):
    title = forms.CharField(label=gettext_lazy("Task"), max_length=160)
    due_at = forms.DateTimeField(label=gettext_lazy("Due"), widget=moment_widget())
    assignee = forms.ModelChoiceField(label=gettext_lazy("Assigned to"), queryset=User.objects.none(), required=False)
    remind_before = ReminderField()

    def __init__(self, *args: Any, client: Client, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["assignee"]
        field.queryset = colleagues(client, actor)
        field.empty_label = _("Me")


def colleagues(client: Client, actor: User) -> Any:
    """Select who may be given a follow-up: the owner, and the people of the client's desk."""
    people = User.objects.filter(kind="staff", is_active=True).exclude(pk=actor.pk)
    desk_id = client.book.desk_id
    near = people.filter(desk_id=desk_id) if desk_id else people.none()
    return (near | people.filter(pk=client.owner_id or 0)).distinct().order_by("first_name", "last_name")


class NoteForm(forms.Form):
    body = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=10_000,
        widget=forms.Textarea(
            attrs={"rows": 3, "placeholder": gettext_lazy("Write a note…"), "aria-label": gettext_lazy("Note")}
        ),
    )
    is_pinned = forms.BooleanField(label=gettext_lazy("Pin"), required=False)


class SeveralFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class SeveralFiles(forms.FileField):
    """Files that are chosen together, as a list."""

    widget = SeveralFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        given = data if isinstance(data, (list, tuple)) else [data] if data else []
        return [super(SeveralFiles, self).clean(one, initial) for one in given]


class MailForm(forms.Form):
    template = forms.ChoiceField(label=gettext_lazy("Template"))
    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=160, required=False)
    message = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=gettext_lazy("Subject and text apply only to a blank e-mail."),
    )
    attachments = SeveralFiles(
        label=gettext_lazy("Attachments"),
        required=False,
        help_text=gettext_lazy("Up to 5 files, 10 MB in total: PDFs, pictures, Office files or plain text."),
    )

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["template"]
        # What was chosen all the same is refused by the verb, with the reason.
        field.choices = sendable_letters(with_marketing=client.marketing_consent or self.is_bound)
        if not client.marketing_consent:
            field.help_text = _("Marketing templates aren't listed: this client hasn't agreed to news and offers.")


def sendable_letters(*, with_marketing: bool) -> list[tuple[str, Any]]:
    """List the e-mails that a person can choose: free text, those that need nothing but the client, and the library's series."""
    ready = [text for text in texts_of([TextKind.LETTER]) if not text.own]
    if not with_marketing:
        ready = [text for text in ready if not text.is_marketing]
    by_series: dict[str, list[tuple[str, Any]]] = {}
    for text in ready:
        by_series.setdefault(str(text.series), []).append((text.key, text.title))
    plain = sorted(by_series.pop("", []), key=lambda pair: str(pair[1]))
    return [("clients.free_text", _("Blank e-mail")), *plain, *sorted(by_series.items())]


class RevealForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason for viewing"), min_length=5, max_length=200)


class MoveForm(forms.Form):
    book = forms.ModelChoiceField(label=gettext_lazy("To"), queryset=Book.objects.none())
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, required=False)

    def __init__(self, *args: Any, client: Client, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        books = Book.objects.filter(pk__in=reach_of(actor).books, brand_id=client.brand_id, archived_at=None).exclude(
            pk=client.book_id
        )
        field: Any = self.fields["book"]
        field.queryset = books.select_related("owner").order_by("name")


class CloseForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class ProfileForm(ModelForm[Client]):
    """Personal details. Phone and e-mail are replaced here without being shown: an empty field leaves them as they are."""

    new_email = forms.EmailField(label=gettext_lazy("New e-mail address"), required=False)
    new_phone = forms.CharField(label=gettext_lazy("New phone"), required=False, max_length=40)
    reason = forms.CharField(label=gettext_lazy("Reason for the change"), required=False, max_length=300)

    class Meta:
        model = Client
        fields = PERSONAL
        widgets = {"date_of_birth": DayInput()}
        labels = {
            "first_name": gettext_lazy("First name"),
            "last_name": gettext_lazy("Last name"),
            "country": gettext_lazy("Country of residence"),
            "language": gettext_lazy("Language"),
            "time_zone": gettext_lazy("Time zone"),
            "date_of_birth": gettext_lazy("Date of birth"),
            "nationality": gettext_lazy("Nationality"),
            "address_line": gettext_lazy("Address"),
            "city": gettext_lazy("City"),
            "postal_code": gettext_lazy("Postal code"),
            "marketing_consent": gettext_lazy("Marketing consent"),
        }
        help_texts = {"country": "", "nationality": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = country_choices(blank="–")
        for name in ("country", "nationality"):
            self.fields[name] = forms.ChoiceField(label=self.fields[name].label, choices=places, required=False)

    def clean_date_of_birth(self) -> dt.date | None:
        born: dt.date | None = self.cleaned_data["date_of_birth"]
        age = Client(date_of_birth=born).age_on(timezone.localdate())
        if age is not None and not 18 <= age <= 120:
            raise ValidationError(_("The client must be between 18 and 120 years old."))
        return born

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"].strip()
        if zone and zone not in all_zones():
            raise ValidationError(_("Enter a time zone such as Europe/Berlin."))
        return zone

    def changes(self) -> dict[str, Any]:
        """Return the changed personal details as `change_profile` takes them; e-mail and phone only where entered."""
        data = {name: self.cleaned_data[name] for name in PERSONAL if name in self.cleaned_data}
        for name in ("email", "phone"):
            if self.cleaned_data.get(f"new_{name}"):
                data[name] = self.cleaned_data[f"new_{name}"]
        return data


class FactForm(ProfileForm):
    """One fact of the client's page, edited in place: the same fields and rules as the whole form.

    Who sees contact details in full gets them to correct; for others the field is empty and must be filled.
    """

    def __init__(self, *args: Any, fact: Fact, shows_contact: bool, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": f"fact-{fact.slug}-%s", **kwargs})
        for name in [name for name in self.fields if name not in fact.fields]:
            del self.fields[name]
        if "language" in self.fields:
            choices = language_choices(self.instance.language)
            self.fields["language"] = forms.ChoiceField(label=self.fields["language"].label, choices=choices)
        if "time_zone" in self.fields:
            self.fields["time_zone"].widget = forms.TextInput(attrs={"list": "k-zones", "autocomplete": "off"})
        for name in fact.fields:
            if name.startswith("new_"):
                self.fields[name].required = True
                self.fields[name].label = str(fact.label)
                self.fields[name].initial = getattr(self.instance, name.removeprefix("new_")) if shows_contact else ""
        next(iter(self.fields.values())).widget.attrs["autofocus"] = True

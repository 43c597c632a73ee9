"""What a bulk change sets, as its page asks for it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.choices import SALES_NOT_CHOSEN, SalesStatus
from clients.custom_fields import tagging
from clients.segments.policies import segments_visible_to
from crm.models import User
from leads.automations.starting import startable_by
from leads.bulk.mailing import NAMES, SUBJECT_MAX, TEXT_MAX
from leads.bulk.planning import DAYS_MAX
from leads.choices import BulkKind

LISTS_MAX = 100
HOW = [("add", _("Add the tag")), ("remove", _("Take the tag off"))]


def form_for(kind: BulkKind, user: User, data: Any) -> forms.Form:
    """Build the form of a kind of bulk change."""
    form = forms.Form(data)
    if kind == BulkKind.STATUS:
        offered = [(one.value, one.label) for one in SalesStatus if one not in SALES_NOT_CHOSEN]
        form.fields["status"] = forms.ChoiceField(label=_("New status"), choices=offered)
    elif kind == BulkKind.LIST:
        lists = segments_visible_to(user).filter(kind="list", archived_at=None).order_by("name")[:LISTS_MAX]
        form.fields["segment"] = forms.TypedChoiceField(
            label=_("List"), choices=[(row.pk, row.name) for row in lists], coerce=int
        )
    elif kind == BulkKind.TAG:
        rows = tagging.tags_seen_by(user)[:LISTS_MAX]
        form.fields["tag"] = forms.ChoiceField(
            label=_("Which tag"),
            choices=[(str(row.pk), f"{tagging.label_of(row)} · {row.field.brand}") for row in rows],
            help_text=_("Tags are the choices of custom fields that take several choices."),
        )
        form.fields["how"] = forms.ChoiceField(label=_("What to do"), choices=HOW)
    elif kind == BulkKind.START:
        found = startable_by(user)[:LISTS_MAX]
        form.fields["automation"] = forms.TypedChoiceField(
            label=_("Automation"),
            choices=[(row.pk, f"{row.name} · {row.brand}") for row in found],
            coerce=int,
            help_text=_(
                "Its steps begin for everyone who meets its conditions. E-mails follow consent, the suppression list and "
                "the brand's hours."
            ),
        )
    elif kind == BulkKind.MAIL:
        form.fields["subject"] = forms.CharField(label=_("Subject"), max_length=SUBJECT_MAX)
        form.fields["message"] = forms.CharField(
            label=_("Text"),
            max_length=TEXT_MAX,
            widget=forms.Textarea(attrs={"rows": 10}),
            help_text=_(
                "Variables in two braces: %(names)s. It goes to who agreed to news and offers, by day where they live, five "
                "minutes from now; until then you can undo it."
            )
            % {"names": ", ".join(NAMES)},
        )
    else:
        form.fields["title"] = forms.CharField(label=_("Task"), max_length=160)
        form.fields["days"] = forms.IntegerField(
            label=_("Due in days"),
            min_value=0,
            max_value=DAYS_MAX,
            initial=1,
            help_text=_("Each lead's agent gets it; you do where a lead has no agent."),
        )
    return form

"""Forms of SMS and WhatsApp: a service, and the composer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clients.forms import SeveralFiles
from clients.models import Client
from clients.texting.choices import TextChannel
from clients.texting.ready import ready_texts
from clients.texting.setup import TextServiceApproval, TextServiceSetup
from clients.texting.writing import TEXT_CHARS_MAX
from crm.connections.forms import ConnectionForm

NUMBER_HELP = _("With its country code. Leave empty where the channel isn't used.")


class TextServiceForm(ConnectionForm):
    kind, setup_class = TextServiceApproval, TextServiceSetup

    sms_number = forms.CharField(label=_("Number for SMS"), max_length=20, required=False, help_text=NUMBER_HELP)
    whatsapp_number = forms.CharField(
        label=_("Number for WhatsApp"), max_length=20, required=False, help_text=NUMBER_HELP
    )


class TextForm(forms.Form):
    """A message to a client: a template, or free text."""

    channel = forms.ChoiceField(label=_("Channel"), widget=forms.RadioSelect)
    template = forms.ChoiceField(label=_("Template"), required=False)
    message = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=TEXT_CHARS_MAX,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Applies only without a template."),
    )
    attachments = SeveralFiles(
        label=_("Files"),
        required=False,
        help_text=_(
            "By WhatsApp, within 24 hours of the client's last message: up to 5 pictures, PDFs, Word or Excel files. "
            "Each further file is a message of its own."
        ),
    )

    def __init__(
        self, data: Any = None, files: Any = None, *, client: Client, channels: list[TextChannel], channel: str = ""
    ) -> None:
        first = channel if channel in channels else next(iter(channels), "")
        super().__init__(data, files, initial={"channel": first})
        if TextChannel.WHATSAPP not in channels:
            del self.fields["attachments"]
        field: Any = self.fields["channel"]
        field.choices = [(one.value, one.label) for one in channels]
        if len(channels) < 2:
            field.widget = forms.HiddenInput()
        ready = ready_texts(with_marketing=client.marketing_consent or self.is_bound)
        chooser: Any = self.fields["template"]
        chooser.choices = [("", _now("Free text")), *((text.key, text.title) for text in ready)]
        if not client.marketing_consent:
            chooser.help_text = _now("Marketing templates aren't listed: this client hasn't agreed to news and offers.")

"""Forms of chats: a line, a hand-over, a canned answer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.chat.lines import CHARS_MAX
from clients.chat.presence import PEOPLE_MAX, by_desk, people_for
from clients.languages import language_choices
from clients.models import Chat
from clients.texts.letters import COMMON
from crm.models import Brand, User


class HandOverForm(forms.Form):
    """To whom: a colleague or a desk, those online first to see."""

    to = forms.ChoiceField(label=_("Hand over to"))
    note = forms.CharField(
        label=_("Note for the colleague"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The client doesn't see it."),
    )

    def __init__(self, *args: Any, chat: Chat, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = people_for(chat.client).exclude(pk=actor.pk).select_related("desk")[:PEOPLE_MAX]
        desks, groups = {}, []
        for desk in by_desk(people):
            rows = []
            for person in sorted(desk.people, key=lambda person: not person.is_online):  # type: ignore[attr-defined]
                rows.append(
                    (f"agent-{person.pk}", f"{person} · {_('online')}" if person in desk.online else str(person))
                )
                if person.desk is not None and person.desk.brand_id == chat.client.brand_id:
                    desks[f"desk-{person.desk_id}"] = desk.name
            groups.append((desk.name or _("Without a desk"), rows))
        self.fields["to"].choices = [(_("Desks"), list(desks.items())), *groups] if desks else groups  # type: ignore[attr-defined]

    @property
    def target(self) -> dict[str, int]:
        """The keyword of `hand_over_chat` that was chosen."""
        kind, _dash, pk = self.cleaned_data["to"].partition("-")
        return {f"{kind}_id": int(pk)}


class CannedAnswerForm(forms.Form):
    brand = forms.ModelChoiceField(label=_("Brand"), queryset=Brand.objects.none(), empty_label=None)
    language = forms.ChoiceField(label=_("Language"))
    title = forms.CharField(label=_("Title"), max_length=80)
    body = forms.CharField(label=_("Text"), max_length=CHARS_MAX, widget=forms.Textarea(attrs={"rows": 6}))

    def __init__(self, *args: Any, brands: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        self.fields["language"].choices = language_choices("en")  # type: ignore[attr-defined]
        names = ", ".join(f"{{{{ {variable.name} }}}}" for variable in COMMON)
        self.fields["body"].help_text = _("Variables: %(names)s") % {"names": names}

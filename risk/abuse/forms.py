from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from risk.abuse.brand_policies import USUAL_HANDLING
from risk.abuse.choices import MEASURES, Abuse, Handling, Measure
from risk.abuse.evidence import Party
from risk.abuse.models import AbuseEpisode
from risk.abuse.queue import ABUSE
from trading.accounts.request_rules import types_by_account
from trading.models import TradingAccount


class EpisodeForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[(code, outcome.label) for code, outcome in ABUSE.outcomes.items()],
        widget=forms.RadioSelect,
    )
    handling = forms.ChoiceField(
        label=_("Handling, if abuse is confirmed"), choices=[("", "–"), *Handling.choices], required=False
    )
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea({"rows": 4}))

    def __init__(self, *args: Any, episode: AbuseEpisode, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["handling"].initial = USUAL_HANDLING[Abuse(episode.kind)].of(episode.brand)


class MeasureForm(forms.Form):
    """A measure against one of the clients within reach; `cleaned_data` has the arguments of `propose_measure`."""

    measure = forms.ChoiceField(label=_("Measure to take"))
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 2}))

    def __init__(self, *args: Any, parties: Sequence[Party], handling: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clients = {party.client.pk: party.client for party in parties if party.client}
        rows = TradingAccount.objects.filter(pk__in=[party.account_id for party in parties], client__in=clients)
        accounts = list(rows.select_related("client", "account_type").order_by("login")[:50])
        types = types_by_account(accounts) if accounts else {}
        choices: list[tuple[str, Any]] = []
        for client in clients.values():
            choices += [
                (f"{client.pk}:{kind}", f"{client}: {kind.label}") for kind in (Measure.WITHDRAWALS, Measure.BONUSES)
            ]
            choices += [
                (f"{client.pk}:{Measure.TYPE}:{account.pk}:{row.pk}", f"{client}: {account.login} → {row}")
                for account in accounts
                if account.client_id == client.pk
                for row in types[account.pk]
            ]
        self.fields["measure"].choices = choices  # type: ignore[attr-defined]
        fitting = MEASURES.get(handling)
        self.fields["measure"].initial = next((code for code, _label in choices if code.split(":")[1] == fitting), None)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        client, _colon, what = given.pop("measure", "").partition(":")
        kind, *ids = what.split(":")
        return given | {
            "client_id": int(client or 0),
            "kind": kind,
            "account_id": int(ids[0]) if ids else None,
            "type_id": int(ids[1]) if ids else None,
        }

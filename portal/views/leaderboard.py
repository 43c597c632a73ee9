"""The leaderboard in the client portal: a programme's places, and the trader's own consent to be among them."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.ui.actions import run_action
from portal.guards import client_required
from portal.views.money import me
from prop.choices import BoardPeriod, ShownAs
from prop.leaderboard.board import PLACES_MAX, chosen_board
from prop.leaderboard.consent import set_consent
from prop.models import LeaderboardConsent

HIDDEN = ("", _("Not at all"))


class ConsentForm(forms.Form):
    """Whether and under which name the trader is shown."""

    shown_as = forms.ChoiceField(
        label=_("Show me"), choices=[HIDDEN, *ShownAs.choices], required=False, widget=forms.RadioSelect
    )
    nickname = forms.CharField(
        label=_("Nickname"), max_length=24, required=False, help_text=_("Other traders see it in place of your name.")
    )


@client_required
def leaderboard(request: HttpRequest, client: Client) -> HttpResponse:
    """Show a programme's places to its brand's clients; the form changes the trader's own consent."""
    consent = LeaderboardConsent.objects.filter(client=client).first()
    form = ConsentForm(request.POST or None, initial={"shown_as": consent.shown_as if consent else ""})
    if request.method == "POST":
        done = run_action(
            request,
            lambda: set_consent(client_id=client.pk, actor=me(request), **form.cleaned_data),
            _now("Your choice is saved."),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect("portal_leaderboard")
    board = chosen_board(me(request), request.GET, own_client_id=client.pk)
    context = {
        "client": client,
        "form": form,
        "consent": consent,
        "board": board,
        "periods": BoardPeriod.choices,
        "places_max": PLACES_MAX,
    }
    return render(request, "portal/leaderboard.html", context, status=422 if form.errors else 200)

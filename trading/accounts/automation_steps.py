"""The step of an automation that proposes another account type: an e-mail about it, to clients who don't have it and may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.texts.to_many import send_letters
from crm.errors import DomainError
from crm.models import Brand
from leads.automations.actions import ActionKind, LeftOut, Outcomes, Turn, register, unsent, whole
from leads.automations.choices import Reason
from trading.models import AccountType, TradingAccount

LETTER = "trading.account_type_proposed"


def _offered(brand: Brand) -> Any:
    return AccountType.objects.filter(brand=brand, is_enabled=True, is_demo=False).select_related("server")


def _fields(brand: Brand) -> Mapping[str, forms.Field]:
    types = [(str(row.pk), f"{row.name} · {row.currency} · {row.server}") for row in _offered(brand)]
    return {"account_type": forms.ChoiceField(label=gettext_lazy("Account type"), choices=[("", "–"), *types])}


def _clean(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    pk = whole(options.get("account_type"), 1, 2**53, _("Choose an account type."))
    if not _offered(brand).filter(pk=pk).exists():
        raise DomainError(_("Choose an account type that the brand offers."))
    return {"account_type": pk}


def _words(options: Mapping[str, Any]) -> str:
    row = AccountType.objects.filter(pk=options["account_type"]).first()
    return _("propose the account type “%(type)s”") % {"type": row.name if row else "–"}


def _propose(turns: Sequence[Turn]) -> Outcomes:
    """Write to those who are verified for the type, live where it is offered and have no open account of it."""
    account_type = AccountType.objects.get(pk=turns[0].options["account_type"])
    if not account_type.is_enabled:
        raise DomainError(_("The account type “%(type)s” is no longer offered.") % {"type": account_type.name})
    ids = [turn.client.pk for turn in turns]
    rows = TradingAccount.objects.filter(client_id__in=ids, account_type__name=account_type.name, is_demo=False)
    have = set(rows.values_list("client_id", flat=True))
    outcomes = {turn.run.pk: LeftOut(Reason.ALREADY) for turn in turns if turn.client.pk in have}
    for turn in turns:
        is_verified = turn.client.kyc_level >= account_type.kyc_level
        if turn.client.pk not in have and not (is_verified and account_type.is_offered_in(turn.client.country)):
            outcomes[turn.run.pk] = LeftOut(Reason.NOT_POSSIBLE)
    going = [turn for turn in turns if turn.run.pk not in outcomes]
    refused = send_letters(
        template=LETTER,
        recipients=[(turn.client, turn.key) for turn in going],
        values={"account_type": account_type.name},
    )
    return outcomes | dict(unsent(going, refused))


register(
    ActionKind(
        "account_type",
        gettext_lazy("Propose an account type"),
        "trending-up",
        _fields,
        _clean,
        _words,
        _propose,
        is_outreach=True,
    )
)

"""The form of an agreement: which plan pays for a partner's clients, for which of their trades, and how much of its rates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clients.queries import clients_visible_to
from crm.models import User
from ib.agreements.choices import ClientNames
from ib.agreements.scopes import Scope
from ib.models import Partner, PartnerPlan, Plan, ReferralLink
from ib.models.plans import RATIO_MOST, USUAL_PRIORITY
from trading.choices import PlatformKind


def days_tried() -> list[tuple[int, str]]:
    """List the numbers of days on whose trades terms are tried out."""
    return [(n, ngettext("%(days)s day", "%(days)s days", n) % {"days": n}) for n in (7, 30, 90)]


class AssignPlanForm(forms.Form):
    """Which plan pays for a partner's clients: all, those of one link, or one client typed by number."""

    plan = forms.ModelChoiceField(Plan.objects.none(), required=False, label=_("Plan"), empty_label=_("No plan"))
    link = forms.ModelChoiceField(
        ReferralLink.objects.none(),
        required=False,
        label=_("Only clients of the link"),
        empty_label=_("All links"),
        help_text=_("An agreement for a link comes before the usual plan"),
    )
    client = forms.IntegerField(
        required=False,
        min_value=1,
        label=_("Only the client with the number"),
        help_text=_("An agreement for a client comes before all others"),
    )
    priority = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=USUAL_PRIORITY - 1,
        label=_("Priority"),
        help_text=_(
            "For an agreement beside the usual one: of those that a trade fits, the one with the lowest number pays. "
            "Empty for the usual plan"
        ),
    )
    platforms = forms.MultipleChoiceField(
        choices=PlatformKind.choices, required=False, label=_("Only on platforms"), widget=forms.CheckboxSelectMultiple
    )
    account_groups = forms.CharField(
        required=False,
        max_length=800,
        label=_("Only on account types"),
        help_text=_("Platform groups, separated by commas, e.g. real\\standard*, real\\pro*"),
    )
    links = forms.ModelMultipleChoiceField(
        ReferralLink.objects.none(),
        required=False,
        label=_("Only clients of these links"),
        widget=forms.CheckboxSelectMultiple,
    )
    percent = forms.DecimalField(
        initial=100,
        required=False,
        min_value=Decimal("0.01"),
        max_value=RATIO_MOST,
        max_digits=5,
        decimal_places=2,
        label=_("Personal ratio (% of the plan's rates)"),
        help_text=_("Other than 100 % it needs a second approval, and applies from then on"),
    )
    client_names = forms.ChoiceField(
        choices=[("", _("As the brand’s policy has it")), *ClientNames.choices],
        required=False,
        label=_("The partner sees their clients as"),
        help_text=_("The strictest of a partner’s agreements counts. A change needs a second approval"),
    )
    reason = forms.CharField(max_length=200, label=_("Reason"))
    days = forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        required=False,
        initial=30,
        label=_("For a what-if: trades of the last"),
        help_text=_("What the partner's network would have earned with this agreement, before it is made"),
    )

    def __init__(self, *args: Any, partner: Partner, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        days = self.fields["days"]
        assert isinstance(days, forms.ChoiceField)
        days.choices = days_tried()
        if self.is_tried:
            self.fields["reason"].required = False
        link = self.fields["link"]
        assert isinstance(link, forms.ModelChoiceField)
        link.queryset = partner.referral_links.order_by("code")
        links = self.fields["links"]
        assert isinstance(links, forms.ModelMultipleChoiceField)
        links.queryset = partner.referral_links.order_by("code")
        plan = self.fields["plan"]
        assert isinstance(plan, forms.ModelChoiceField)
        plan.queryset = Plan.objects.filter(brand_id=partner.brand_id, versions__state="active").distinct()

    @property
    def is_tried(self) -> bool:
        """Whether the agreement is tried out rather than made."""
        return "try" in self.data

    def clean_client(self) -> int | None:
        number: int | None = self.cleaned_data["client"]
        if number is not None and not clients_visible_to(self.user).filter(pk=number).exists():
            raise forms.ValidationError(_("No client with this number in your books."))
        return number

    def clean_account_groups(self) -> list[str]:
        masks = [part.strip() for part in self.cleaned_data["account_groups"].split(",") if part.strip()]
        if any(len(mask) > 64 for mask in masks):
            raise forms.ValidationError(_("Enter at most 64 characters per account type."))
        return list(dict.fromkeys(masks))

    def scope(self) -> Scope:
        """Return what the agreement is for."""
        data = self.cleaned_data
        return Scope(
            link_id=data["link"].pk if data["link"] else None,
            client_id=data["client"],
            priority=data["priority"] or USUAL_PRIORITY,
            platforms=sorted(data["platforms"]),
            account_groups=data["account_groups"],
            link_ids=sorted(link.pk for link in data["links"]),
        )

    @staticmethod
    def agreed(held: PartnerPlan | None) -> dict[str, Any]:
        """Return what the form begins with: as it is agreed today, so that who saves without looking changes nothing."""
        if held is None:
            return {"percent": 100}
        return {
            "plan": held.plan_id,
            "percent": held.percent,
            "client_names": held.client_names,
            "platforms": held.platforms,
            "account_groups": ", ".join(held.account_groups),
            "links": held.link_ids,
        }

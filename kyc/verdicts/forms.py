"""Forms of the policy, of overturning an approval, and of a second look."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from crm.brand_policies.registry import today
from crm.models import Brand
from crm.ui.forms import DayInput
from kyc.choices import RejectReason
from kyc.forms import numbered_reasons
from kyc.verdicts import rules as policy
from kyc.verdicts.rules import KindRule, RiskRule, Rules


class PolicyForm(forms.Form):
    """A whole policy: for each kind its risk bands, the checks of each side and the flaws. `rules` is what was entered."""

    effective_on = forms.DateField(label=_("Effective from"), widget=DayInput())
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, data: Any = None, *, brand: Brand, start: Rules) -> None:
        super().__init__(data, initial={"effective_on": today(brand)})
        for kind in policy.KINDS:
            self._add_kind(kind, start.kinds[kind])

    def _add_kind(self, kind: str, rule: KindRule) -> None:
        for risk in policy.RISKS:
            self.fields[f"{kind}-{risk}-approves"] = forms.BooleanField(
                label=_now("Approve automatically, %(risk)s risk") % {"risk": risk.label},
                required=False,
                initial=rule.approves(risk),
            )
            self.fields[f"{kind}-{risk}-sample"] = forms.IntegerField(
                label=_now("Second look in %%, %(risk)s risk") % {"risk": risk.label},
                min_value=0,
                max_value=100,
                initial=rule.sample_percent(risk),
            )
        for side in policy.sides_of(kind):
            always = policy.always_required(kind, side)
            self.fields[f"{kind}-{side}-required"] = forms.MultipleChoiceField(
                label=_now("Also required, %(side)s") % {"side": side.label},
                choices=[(name, policy.check_label(name)) for name in policy.checks_of(kind) if name not in always],
                widget=forms.CheckboxSelectMultiple,
                required=False,
                initial=[name for name in rule.required.get(side, ()) if name not in always],
                help_text=_now("Always required: %(checks)s")
                % {"checks": "; ".join(map(policy.check_label, always)) or "–"},
            )
        self.fields[f"{kind}-asks"] = forms.MultipleChoiceField(
            label=_("Sent back to the client"),
            choices=[(code, policy.flaw_label(code)) for code in sorted(policy.flaws_of(kind))],
            widget=forms.CheckboxSelectMultiple,
            required=False,
            initial=sorted(rule.asks),
        )
        self.fields[f"{kind}-asks_in_a_row"] = forms.IntegerField(
            label=_("Automatic rejections in a row"),
            min_value=0,
            max_value=policy.ASKS_IN_A_ROW_MAX,
            initial=rule.asks_in_a_row,
            help_text=_("After that many a person looks. 0: nothing is sent back automatically."),
        )

    @property
    def kinds(self) -> list[dict[str, Any]]:
        """Group the fields by kind, for the page."""
        return [
            {
                "label": kind.label,
                "kind": kind,
                "risks": [
                    (risk.label, self[f"{kind}-{risk}-approves"], self[f"{kind}-{risk}-sample"])
                    for risk in policy.RISKS
                ],
                "required": [self[f"{kind}-{side}-required"] for side in policy.sides_of(kind)],
                "asks": self[f"{kind}-asks"],
                "asks_in_a_row": self[f"{kind}-asks_in_a_row"],
            }
            for kind in policy.KINDS
        ]

    @property
    def rules(self) -> Rules:
        """Build the rules that were entered."""
        entered = self.cleaned_data
        return Rules(
            {
                kind: KindRule(
                    {
                        side: (*policy.always_required(kind, side), *entered[f"{kind}-{side}-required"])
                        for side in policy.sides_of(kind)
                    },
                    frozenset(entered[f"{kind}-asks"]),
                    entered[f"{kind}-asks_in_a_row"],
                    {
                        risk: RiskRule(entered[f"{kind}-{risk}-approves"], entered[f"{kind}-{risk}-sample"])
                        for risk in policy.RISKS
                    },
                )
                for kind in policy.KINDS
            }
        )

    @property
    def day(self) -> dt.date:
        day: dt.date = self.cleaned_data["effective_on"]
        return day


class OverturnForm(forms.Form):
    """Why the machine was wrong, and what the client reads."""

    reason_code = forms.ChoiceField(label=_("Reason"), choices=numbered_reasons)
    reason = forms.CharField(
        label=_("Message to client"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Empty: the standard message in the client's language."),
    )
    note = forms.CharField(
        label=_("Why the approval is wrong"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For colleagues and auditors."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_overturn_%s", **kwargs})


class SecondLookForm(forms.Form):
    """What an officer would decide who doesn't know the verdict."""

    verdict = forms.ChoiceField(
        label=_("Your decision"),
        choices=[("approve", _("I would approve it")), ("reject", _("I would reject it"))],
        widget=forms.RadioSelect,
    )
    reason_code = forms.ChoiceField(label=_("Reason"), choices=[("", "–"), *RejectReason.choices], required=False)
    reason = forms.CharField(
        label=_("Message to client"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

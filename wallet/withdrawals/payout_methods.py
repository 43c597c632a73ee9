"""The methods by which money can be paid out to a client, their fees and processing times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from clients.vocabulary import CLIENT
from crm.conditions import readable
from crm.errors import DomainError
from crm.i18n import formats
from crm.money.amounts import Money, from_minor, to_minor
from wallet.choices.psp import PspKind
from wallet.core.fees import FromBase, fee_of
from wallet.core.limits import in_base
from wallet.models import Deposit, PaymentMethod, Psp
from wallet.psp import adapter_of
from wallet.psp.values import Capability


@dataclass(frozen=True, slots=True)
class PayoutMethod:
    """A payout method as a brand offers it: its row, and the fields that the adapter asks for."""

    psp: Psp
    code: str
    label: str
    kind: PspKind
    fields: tuple[str, ...]
    minutes: int
    row: PaymentMethod

    @property
    def key(self) -> str:
        """The method's value in a form's field."""
        return f"{self.psp.pk}:{self.code}" if self.code else str(self.psp.pk)

    def fee_minor(self, amount_minor: int, currency: str) -> int:
        """Compute the client's fee for an amount in minor units: a share and a fixed part.

        Raises crm.rates.fx.NoRate.
        """
        brand = self.psp.brand
        fixed = FromBase(brand, currency).fee(self.row.payout_fee_fixed_minor)
        return fee_of(amount_minor, self.row.payout_fee_basis_points, fixed)

    def judge_amount(self, amount_minor: int, currency: str) -> tuple[int, str]:
        """Compare an amount with the method's limits: (0, "") within, else -1 or 1 and a sentence."""
        brand = self.psp.brand
        minor = to_minor(in_base(brand, from_minor(amount_minor, currency), currency), brand.base_currency)
        low, high = self.row.payout_minimum_minor, self.row.payout_maximum_minor
        if low <= minor <= high:
            return 0, ""
        least, most = (formats.money(Money.of_minor(minor, brand.base_currency)) for minor in (low, high))
        text = _("%(method)s pays out %(low)s to %(high)s at a time.") % {
            "method": self.label,
            "low": least,
            "high": most,
        }
        return (-1 if minor < low else 1), text


def payout_methods(client: Client, currency: str) -> list[PayoutMethod]:
    """List the methods that can pay out to this client in a currency, in the brand's order."""
    psps = (
        Psp.objects.filter(brand_id=client.brand_id, is_enabled=True)
        .select_related("brand")
        .prefetch_related("methods")
    )
    methods = [method for psp in psps for method in methods_of(psp) if _suits(method, client, currency)]
    return sorted(methods, key=lambda one: (one.row.position, one.psp.pk, one.code))


def methods_of(psp: Psp) -> list[PayoutMethod]:
    """List the enabled methods of one PSP that can send money to a destination of the client's own."""
    adapter = adapter_of(psp)
    if Capability.PAYOUT not in adapter.capabilities:
        return []
    known = {method.code: method for method in adapter.methods if method.payout_fields}
    rows: Sequence[PaymentMethod] = list(psp.methods.all())
    return [
        PayoutMethod(psp, row.code, row.title, PspKind(row.kind), known[row.code].payout_fields, row.minutes, row)
        for row in rows
        if row.code in known and row.is_enabled and row.pays_out
    ]


def _suits(method: PayoutMethod, client: Client, currency: str) -> bool:
    for_whom = readable(method.row.condition, CLIENT)
    return currency in method.row.currencies and for_whom is not None and for_whom.holds(client, timezone.now())


def payout_method(client: Client, psp_id: int, code: str, currency: str) -> PayoutMethod:
    """Find a method that this client may use; the PSP's first when no code is given. Raises DomainError."""
    psp = Psp.objects.select_related("brand").filter(pk=psp_id, brand_id=client.brand_id).first()
    if psp is None:  # another brand's, to a caller who sees both brands
        raise DomainError(_("The client's brand has no such PSP."))
    if psp.is_enabled:
        for method in methods_of(psp):
            if (not code or method.code == code) and _suits(method, client, currency):
                return method
    raise DomainError(_("%(psp)s doesn't pay out in %(currency)s.") % {"psp": psp, "currency": currency})


def kind_of_payment(deposit: Deposit) -> PspKind:
    """Return the kind of a deposit: its method's, or the PSP's where it names none."""
    method = deposit.payment_method
    return PspKind(method.kind if method is not None else deposit.psp.kind)

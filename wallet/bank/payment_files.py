"""Payment files for the bank: waiting orders become one pain.001, which a person sends in the bank's portal."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from anyascii import anyascii
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock, lock_all
from crm.errors import DomainError, WrongState
from crm.models import Actor, User
from crm.money.amounts import from_minor
from crm.security import audit, crypto
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.bank import policies
from wallet.choices.bank import OrderState
from wallet.models import BankBatch, BankOrder, Psp
from wallet.models.bank import ORIGINAL_PURPOSE

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
ORDERS_MAX = 1_000
# The characters that SEPA allows in names and texts.
SEPA_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")


@transaction.atomic
def make_batch(*, psp_id: int, currency: str, actor: User) -> BankBatch:
    """Make one payment file of all waiting orders in a currency, at most a thousand. An order is in one file only.

    Who: `wallet.send_bank_orders` on the brand. Raises: NotAllowed, DomainError when nothing waits.
    """
    psp = lock(Psp, psp_id, "brand")
    require(policies.can_send_bank_orders(actor, psp))
    waiting = BankOrder.objects.filter(psp=psp, currency=currency, state=OrderState.WAITING)
    orders = lock_all(waiting, at_most=ORDERS_MAX)
    if not orders:
        raise DomainError(_("There are no %(currency)s payments to send.") % {"currency": currency})
    now = timezone.now()
    message_id = f"K{now:%Y%m%d%H%M%S}{secrets.token_hex(4).upper()}"
    content = pain_001(psp, orders, message_id, now)
    batch = BankBatch.objects.create(
        psp=psp,
        message_id=message_id,
        currency=currency,
        orders_count=len(orders),
        total_minor=sum(order.amount_minor for order in orders),
        made_by=actor,
        made_at=now,
        sealed_file=crypto.encrypt(content, purpose=ORIGINAL_PURPOSE),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    BankOrder.objects.filter(pk__in=[order.pk for order in orders]).update(state=OrderState.IN_FILE, batch=batch)
    audit.record(
        actor=actor,
        action=WalletAction.BANK_BATCH_MADE,
        target=batch,
        brand_id=psp.brand_id,
        after={"orders": len(orders), "total": str(batch.total), "currency": currency, "sha256": batch.sha256},
    )
    return batch


@transaction.atomic
def mark_batch_sent(*, batch_id: int, actor: Actor) -> BankBatch:
    """Mark a payment file as handed to the bank, once.

    Who: `wallet.send_bank_orders` on the brand. Raises: NotAllowed, WrongState.
    """
    batch = lock(BankBatch, batch_id, "psp__brand")
    require(policies.can_send_bank_orders(actor, batch.psp))
    if batch.sent_at is not None:
        raise WrongState(_("%(batch)s is already marked as sent.") % {"batch": batch})
    batch.sent_by, batch.sent_at = actor, timezone.now()
    batch.save(update_fields=["sent_by", "sent_at"])
    batch.orders.filter(state=OrderState.IN_FILE).update(state=OrderState.SENT)
    audit.record(actor=actor, action=WalletAction.BANK_BATCH_SENT, target=batch, brand_id=batch.psp.brand_id)
    return batch


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def plain(text: str, longest: int) -> str:
    """Write a text in the letters that every SEPA bank accepts, cut to the longest length."""
    latin = anyascii(text)
    return " ".join("".join(letter if letter in SEPA_LETTERS else " " for letter in latin).split())[:longest]


def pain_001(psp: Psp, orders: list[BankOrder], message_id: str, now: Any) -> bytes:
    """Write orders as ISO 20022 pain.001.001.09: one payment information, our reference as each EndToEndId."""
    debtor = {name: str(psp.credentials.get(name, "")) for name in ("holder", "iban", "bic")}
    total = str(from_minor(sum(order.amount_minor for order in orders), orders[0].currency))
    root = Element("Document", xmlns=NAMESPACE)
    initiation = SubElement(root, "CstmrCdtTrfInitn")
    header = _with(
        SubElement(initiation, "GrpHdr"),
        MsgId=message_id,
        CreDtTm=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        NbOfTxs=str(len(orders)),
        CtrlSum=total,
    )
    _with(SubElement(header, "InitgPty"), Nm=plain(debtor["holder"], 70))
    info = _with(
        SubElement(initiation, "PmtInf"),
        PmtInfId=message_id,
        PmtMtd="TRF",
        BtchBookg="false",
        NbOfTxs=str(len(orders)),
        CtrlSum=total,
    )
    if orders[0].currency == "EUR":
        _with(SubElement(SubElement(info, "PmtTpInf"), "SvcLvl"), Cd="SEPA")
    _with(SubElement(info, "ReqdExctnDt"), Dt=f"{now:%Y-%m-%d}")
    _with(SubElement(info, "Dbtr"), Nm=plain(debtor["holder"], 70))
    _with(SubElement(SubElement(info, "DbtrAcct"), "Id"), IBAN="".join(debtor["iban"].split()))
    _agent(info, "DbtrAgt", "".join(debtor["bic"].split()))
    _with(info, ChrgBr="SLEV" if orders[0].currency == "EUR" else "SHAR")
    for order in orders:
        _transaction(info, order)
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _transaction(info: Element, order: BankOrder) -> None:
    party = order.party
    transfer = SubElement(info, "CdtTrfTxInf")
    _with(SubElement(transfer, "PmtId"), EndToEndId=order.reference)
    amount = SubElement(SubElement(transfer, "Amt"), "InstdAmt", Ccy=order.currency)
    amount.text = f"{order.amount:f}"
    if party.get("bic"):
        _agent(transfer, "CdtrAgt", party["bic"])
    _with(SubElement(transfer, "Cdtr"), Nm=plain(party["holder"], 70))
    _with(SubElement(SubElement(transfer, "CdtrAcct"), "Id"), IBAN=party["iban"])
    _with(SubElement(transfer, "RmtInf"), Ustrd=plain(f"{order.reference}", 140))


def _agent(parent: Element, name: str, bic: str) -> None:
    institution = SubElement(SubElement(parent, name), "FinInstnId")
    if bic:
        _with(institution, BICFI=bic)
    else:
        _with(SubElement(institution, "Othr"), Id="NOTPROVIDED")


def _with(element: Element, **children: str) -> Element:
    for name, text in children.items():
        SubElement(element, name).text = text
    return element

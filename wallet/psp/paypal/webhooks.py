"""PayPal's webhooks, verified here: RSA-SHA256 over `transmission id|time|webhook id|crc32(body)`.

The certificate comes from the address that the message names, so that address decides who is believed: its host must be
under paypal.com, over https, at the path where PayPal keeps them; the chain must end at a root this machine trusts, be valid
today and be made out to PayPal's signing host. It is fetched with limits of size and time and kept by its address.

A PSP whose API address is the sandbox's takes the sandbox's certificates, where the settings allow it (never in production by
default: `PSP_SANDBOX_CERTIFICATES`).

The time may lie 300 s ahead. PayPal sends a message again for three days, so it may be that old: what keeps a replay from
doing anything is that each event is accepted once.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
import threading
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import certifi
import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from django.conf import settings

from crm.outside.outbound import AnswerTooLarge, Bounds, request
from wallet.choices.psp import Verdict
from wallet.psp.base import OurRecords
from wallet.psp.http import UNREADABLE
from wallet.psp.paypal.mapping import minor_of, payment_of_capture, payment_of_order, payout_of_item, refund_of
from wallet.psp.values import DisputeView, EventKind, Judgement, PaymentView, WebhookEvent

if TYPE_CHECKING:
    from wallet.psp.paypal.adapter import PayPalAdapter

SIGNER = "messageverificationcerts.paypal.com"
CERTIFICATE_PATH = re.compile(r"(/[a-z0-9._-]+)?/v1/notifications/certs/[A-Za-z0-9._-]{1,100}")
CERTIFICATE = Bounds(bytes_max=64 * 1024, seconds=6, timeout=httpx.Timeout(4, connect=2))
KEPT_SECONDS, MISS_KEPT_SECONDS, KEPT_MAX = 3_600, 30, 20
FETCHES_AT_ONCE, FETCH_WAIT_SECONDS = 2, 1
AGE_MAX = dt.timedelta(days=3, hours=1)
AHEAD_MAX = dt.timedelta(seconds=300)
# One algorithm, as Java and as X.509 call it: PayPal has written both.
ALGORITHMS = frozenset({"SHA256WITHRSA", "SHA256WITHRSAENCRYPTION"})
BEARERS = ("id", "time", "sig", "cert-url", "auth-algo")


class CertificateMissing(Exception):
    """It can't be fetched now: PayPal is asked to send the message again."""


class CertificateWrong(Exception):
    """It is not PayPal's, or not one to be believed."""


_certificates: dict[str, tuple[float, rsa.RSAPublicKey]] = {}
_misses: dict[str, tuple[float, Exception]] = {}
_lock = threading.Lock()
# Who posts invented addresses makes us ask PayPal for each: a few threads may wait for that, never all of a process.
_fetches = threading.BoundedSemaphore(FETCHES_AT_ONCE)


def judge(adapter: PayPalAdapter, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
    """Judge a webhook: its headers, its certificate, its signature, its time; then read it."""
    parts = {name: headers.get(f"paypal-transmission-{name}") or headers.get(f"paypal-{name}", "") for name in BEARERS}
    webhook_id = str(adapter.credentials.get("webhook_id", ""))
    if not all(parts.values()) or not webhook_id:
        return Judgement(Verdict.NO_SIGNATURE)
    if parts["auth-algo"].strip().upper() not in ALGORITHMS:
        return Judgement(Verdict.WRONG_SIGNATURE, detail=f"algorithm {parts['auth-algo'][:40]}")
    try:
        key = public_key(parts["cert-url"], sandbox_url=adapter.sandbox_url)
        signature = base64.b64decode(parts["sig"], validate=True)
        signed = f"{parts['id']}|{parts['time']}|{webhook_id}|{binascii.crc32(body)}".encode()
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        at = dt.datetime.fromisoformat(parts["time"])
    except CertificateMissing as missing:
        return Judgement(Verdict.UNCHECKED, detail=str(missing))
    except CertificateWrong as wrong:
        return Judgement(Verdict.WRONG_SIGNATURE, detail=str(wrong))
    except (InvalidSignature, ValueError):
        return Judgement(Verdict.WRONG_SIGNATURE)
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    if now - at > AGE_MAX:
        return Judgement(Verdict.STALE)
    if at - now > AHEAD_MAX:
        return Judgement(Verdict.FUTURE)
    try:
        return Judgement(Verdict.ACCEPTED, (event_of(json.loads(body)),))
    except UNREADABLE as error:
        return Judgement(Verdict.MALFORMED, detail=f"{type(error).__name__}: {error}"[:200])


# ── the certificate ──────────────────────────────────────────────────────────────────────────────────────────────────


def public_key(url: str, *, sandbox_url: str = "") -> rsa.RSAPublicKey:
    """Fetch the key of the certificate at that address, or remember it.

    Raises: CertificateWrong, CertificateMissing.
    """
    of_sandbox = _is_of_sandbox(url, sandbox_url)
    if not of_sandbox and not _is_of_paypal(url):
        raise CertificateWrong(f"certificate at {url[:120]}")
    if key := _cached_key(url):
        return key
    if not _fetches.acquire(timeout=FETCH_WAIT_SECONDS):
        raise CertificateMissing("other certificates are being fetched")
    try:
        if key := _cached_key(url):  # fetched by the one that we waited for
            return key
        key = _trusted_key(_fetch(url), of_sandbox=of_sandbox)
    except (CertificateMissing, CertificateWrong) as error:
        _cache(_misses, url, (time.monotonic() + MISS_KEPT_SECONDS, error))
        raise
    finally:
        _fetches.release()
    _cache(_certificates, url, (time.monotonic() + KEPT_SECONDS, key))
    return key


def _cached_key(url: str) -> rsa.RSAPublicKey | None:
    """Look up the key at this address, or raise a recent error again; None where it must be fetched."""
    with _lock:
        known, missed = _certificates.get(url), _misses.get(url)
    if known is not None and time.monotonic() < known[0]:
        return known[1]
    if missed is not None and time.monotonic() < missed[0]:
        raise type(missed[1])(str(missed[1]))
    return None


def _cache(cache: dict[str, Any], url: str, entry: Any) -> None:
    """Cache a certificate or a miss, each in a cache of its own: invented addresses push no good certificate out."""
    with _lock:
        while len(cache) >= KEPT_MAX:
            cache.pop(next(iter(cache)))
        cache[url] = entry


def forget_certificates() -> None:
    """Forget cached certificates and misses, for tests."""
    with _lock:
        _certificates.clear()
        _misses.clear()


def _is_of_paypal(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    return (
        parts.scheme == "https"
        and (host == "paypal.com" or host.endswith(".paypal.com"))
        and port in (None, 443)
        and "@" not in parts.netloc
        and CERTIFICATE_PATH.fullmatch(parts.path) is not None
        and not parts.query
    )


def _is_of_sandbox(url: str, sandbox_url: str) -> bool:
    """Check that an address is on the sandbox server that plays this PSP, where the settings allow sandboxes."""
    if not sandbox_url or not settings.PSP_SANDBOX_CERTIFICATES:
        return False
    prefix = sandbox_url.rstrip("/") + "/"
    return url.startswith(prefix) and CERTIFICATE_PATH.fullmatch(urlsplit(url).path) is not None


def _fetch(url: str) -> bytes:
    try:
        response = request("GET", url, bounds=CERTIFICATE)
    except AnswerTooLarge as error:
        raise CertificateWrong("the certificate is too large") from error
    except httpx.HTTPError as error:
        raise CertificateMissing(f"{url[:120]}: {type(error).__name__}") from error
    if response.status_code != httpx.codes.OK:
        raise CertificateMissing(f"{url[:120]} answered {response.status_code}")
    return response.content


def _trusted_key(content: bytes, *, of_sandbox: bool) -> rsa.RSAPublicKey:
    """Verify the chain and take the leaf's key: issued by a trusted root, valid now, made out to PayPal's signer."""
    try:
        chain = x509.load_pem_x509_certificates(content)
        roots = chain[-1:] if of_sandbox else _trusted_roots()
        verifier = PolicyBuilder().store(Store(list(roots))).build_server_verifier(x509.DNSName(SIGNER))
        verifier.verify(chain[0], chain[1:])
    except (ValueError, VerificationError, IndexError) as error:
        raise CertificateWrong(f"certificate not believed: {error}"[:200]) from error
    key = chain[0].public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise CertificateWrong("the certificate's key is not RSA of 2048 bits or more")
    return key


@cache
def _trusted_roots() -> tuple[x509.Certificate, ...]:
    """Load the roots that browsers trust; one that breaks today's rules for certificates is left out."""
    roots = []
    for block in re.findall(rb"-----BEGIN.*?END CERTIFICATE-----", Path(certifi.where()).read_bytes(), re.DOTALL):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                roots.append(x509.load_pem_x509_certificate(block))
            except (ValueError, Warning):
                continue
    return tuple(roots)


# ── what it contains ─────────────────────────────────────────────────────────────────────────────────────────────────


def event_of(message: Mapping[str, Any]) -> WebhookEvent:
    """Read PayPal's event. Raises what reading another shape raises."""
    event_type, resource = str(message["event_type"]), message["resource"]
    common: dict[str, Any] = {"event_id": str(message["id"])[:120], "event_type": event_type[:80]}
    if event_type.startswith("CHECKOUT.ORDER."):
        view = payment_of_order(resource)
        # The order as it is now is asked for before it is captured: this message may be old.
        return WebhookEvent(
            **common,
            kind=EventKind.PAYMENT,
            reference=view.reference,
            payment=view,
            is_complete=not view.awaits_capture,
        )
    if event_type in ("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.DENIED"):
        view = payment_of_capture(resource)
        return WebhookEvent(
            **common, kind=EventKind.PAYMENT, reference=view.reference, payment=view, is_complete=bool(view.reference)
        )
    if event_type == "PAYMENT.CAPTURE.REVERSED":
        view = payment_of_capture(resource)
        named = replace(view, session_reference=_capture_of(resource) or str(resource["id"]))
        # Which dispute it belongs to, and sometimes which order, only PayPal's API knows.
        return WebhookEvent(
            **common, kind=EventKind.CHARGEBACK, reference=view.reference, payment=named, is_complete=False
        )
    if event_type in ("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.REFUND.FAILED", "PAYMENT.REFUND.PENDING"):
        refund = refund_of(resource)
        return WebhookEvent(**common, kind=EventKind.REFUND, reference=refund.reference, transfer=refund)
    if event_type.startswith("PAYMENT.PAYOUTS-ITEM."):
        payout = payout_of_item(resource)
        return WebhookEvent(**common, kind=EventKind.PAYOUT, reference=payout.reference, transfer=payout)
    if event_type.startswith("CUSTOMER.DISPUTE."):
        return _dispute_event(common, resource)
    return WebhookEvent(**common, kind=EventKind.OTHER, reference="")


def _capture_of(resource: Mapping[str, Any]) -> str:
    """Find the capture that a reversal names only in its link upwards."""
    link = next((str(link["href"]) for link in resource.get("links", []) if link["rel"] == "up"), "")
    return link.rpartition("/v2/payments/captures/")[2]


OUTCOMES = {"RESOLVED_BUYER_FAVOUR": "lost", "RESOLVED_SELLER_FAVOUR": "won"}


def _dispute_event(common: Mapping[str, Any], resource: Mapping[str, Any]) -> WebhookEvent:
    """Read a dispute that was opened or decided.

    Money goes with PAYMENT.CAPTURE.REVERSED; it comes back when a dispute is won after that.
    """
    dispute = dispute_of(resource)
    return WebhookEvent(
        **common,
        kind=EventKind.DISPUTE,
        reference=dispute.reference,
        dispute=dispute,
        is_complete=dispute.outcome != "won",
    )


def dispute_of(resource: Mapping[str, Any]) -> DisputeView:
    """Read a dispute; the reference is our deposit's."""
    transaction = (resource.get("disputed_transactions") or [{}])[0]
    minor, currency = minor_of(resource["dispute_amount"])
    return DisputeView(
        reference=str(transaction.get("custom") or transaction.get("invoice_number") or ""),
        psp_dispute_id=str(resource["dispute_id"])[:100],
        amount_minor=minor,
        currency=currency,
        reason=str(resource.get("reason", ""))[:100],
        evidence_due_at=_aware(resource.get("seller_response_due_date")),
        happened_at=_aware(resource.get("update_time")),
        outcome=OUTCOMES.get(str((resource.get("dispute_outcome") or {}).get("outcome_code", "")), ""),
        is_inquiry=resource.get("dispute_life_cycle_stage") == "INQUIRY",
    )


def _aware(text: Any) -> dt.datetime | None:
    if not text:
        return None
    at = dt.datetime.fromisoformat(str(text))
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def complete_event(adapter: PayPalAdapter, event: WebhookEvent, records: OurRecords) -> WebhookEvent:
    """Look up what a message leaves open; drop its payment where PayPal doesn't know it."""
    if event.is_complete:
        return event
    if event.kind == EventKind.DISPUTE and event.dispute is not None:
        return _complete_won_dispute(event, event.dispute, records)
    if event.payment is None:
        return event
    if event.kind == EventKind.CHARGEBACK:
        return _complete_reversal(adapter, event, event.payment)
    payment = adapter.order_of(event.payment.psp_reference)
    if payment is None or not payment.reference:
        return replace(event, payment=None)
    return replace(event, payment=payment, reference=payment.reference, is_complete=True)


def _complete_won_dispute(event: WebhookEvent, dispute: DisputeView, records: OurRecords) -> WebhookEvent:
    """Complete the event of a dispute that we won: the money comes back only if it was taken before."""
    was_taken = records.is_dispute_charged(dispute.psp_dispute_id)
    kind = EventKind.CHARGEBACK_REVERSED if was_taken else EventKind.DISPUTE
    return replace(event, kind=kind, is_complete=True)


def _complete_reversal(adapter: PayPalAdapter, event: WebhookEvent, reversal: PaymentView) -> WebhookEvent:
    """Complete a reversal with its capture's dispute, for the amount that the message names."""
    reference = event.reference
    if not reference:
        capture = adapter.payment_of_capture(reversal.session_reference)
        reference = capture.reference if capture else ""
    if not reference:
        return replace(event, payment=None)
    dispute = adapter.dispute_of_capture(reversal.session_reference)
    if dispute is not None and dispute.outcome == "won":
        # It is over and the money is ours: this message came late, and taking it now would never be undone.
        return replace(event, kind=EventKind.DISPUTE, reference=reference, dispute=dispute, is_complete=True)
    if dispute is not None:
        dispute = replace(
            dispute,
            reference=reference,
            amount_minor=reversal.amount_minor,
            currency=reversal.currency,
            outcome="",
            happened_at=reversal.happened_at,
        )
    payment = replace(reversal, reference=reference)
    return replace(event, reference=reference, payment=payment, dispute=dispute, is_complete=True)

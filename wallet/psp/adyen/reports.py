"""Reports from Adyen, downloaded with the report users' logins when a message announced that they are ready.

Of a settlement details report the address in the message is not covered by its signature, so it is not followed: the file's
name is, and the address is ours. A message that names another host all the same is refused. The address of an accounting
report is signed; it must be one of Adyen's own.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from django.utils.translation import gettext as _

from wallet.choices.psp import Verdict
from wallet.models import Psp, WebhookMessage
from wallet.psp.adyen.notifications import items_of
from wallet.psp.adyen.report_notices import ACCOUNTING, AVAILABLE, SETTLEMENT_FILE
from wallet.psp.errors import PspRefused
from wallet.psp.http import REPORT, PspHttp
from wallet.psp.values import ReportNotice

FILES_MAX = 62
BYTES_MAX = 2**30


def hosts(*, is_live: bool) -> tuple[str, str]:
    """Adyen's own, where reports of merchant accounts and of balance platforms are."""
    where = "live" if is_live else "test"
    return f"ca-{where}.adyen.com", f"balanceplatform-{where}.adyen.com"


@dataclass(frozen=True, slots=True)
class Logins:
    """Of the report users, from the PSP's keys. The balance platform's has a password, or an API key and no name."""

    user: str
    password: str
    platform_user: str
    platform_key: str

    @classmethod
    def of(cls, keys: Mapping[str, object]) -> Logins:
        names = ("report_user", "report_password", "platform_report_user", "platform_report_key")
        return cls(*(str(keys.get(name) or "").strip() for name in names))

    def of_merchant(self) -> dict[str, str]:
        if not (self.user and self.password):
            raise PspRefused(_("The report user is not set up. Fill it in, or upload the file."))
        return _basic(self.user, self.password)

    def of_platform(self) -> dict[str, str]:
        if not self.platform_key:
            raise PspRefused(
                _("The report user of the balance platform is not set up. Fill it in, or upload the file.")
            )
        return _basic(self.platform_user, self.platform_key) if self.platform_user else {"X-API-Key": self.platform_key}


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def announced(http: PspHttp, notice: ReportNotice, *, merchant: str, logins: Logins) -> Iterator[bytes]:
    """One report that was announced, piece by piece."""
    if notice.address:
        http.require_own(notice.address)
    if notice.kind == ACCOUNTING:
        return http.download(notice.address, headers=logins.of_platform(), bytes_max=BYTES_MAX)
    return http.download(_address(http, merchant, notice.name), headers=logins.of_merchant(), bytes_max=BYTES_MAX)


def _address(http: PspHttp, merchant: str, name: str) -> str:
    base = http.base_url or http.own_origins[0]
    return f"{base}/reports/download/MerchantAccount/{quote(merchant)}/{quote(name)}"


def fetch(psp: Psp, http: PspHttp, first: dt.date, last: dt.date, *, merchant: str, logins: Logins) -> bytes:
    """Fetch the reports announced between two days, one after the other under one header.

    Raises: the adapter's errors.
    """
    names = _announced(psp, first, last)
    if not names:
        raise PspRefused(
            _(
                "Adyen hasn't announced a settlement details report for these days. Turn it on under "
                "Reports › Subscriptions, or download the file there and upload it here."
            )
        )
    headers = logins.of_merchant()
    parts: list[bytes] = []
    for name in names:
        response = http.send("GET", _address(http, merchant, name), headers=headers, bounds=REPORT)
        if not response.is_success:
            raise http.refusal(response)
        header, _newline, rows = response.content.partition(b"\n")
        parts += [rows] if parts else [header + b"\n", rows]
    return b"".join(parts)


def _announced(psp: Psp, first: dt.date, last: dt.date) -> list[str]:
    since = dt.datetime.combine(first, dt.time(), dt.UTC)
    messages = WebhookMessage.objects.filter(
        psp=psp,
        verdict=Verdict.ACCEPTED,
        event_type=AVAILABLE,
        received_at__gte=since,
        received_at__lt=since + (last - first) + dt.timedelta(days=1),
    ).order_by("id")[:FILES_MAX]
    names = [str(items_of(json.loads(bytes(message.body)))[message.item]["pspReference"]) for message in messages]
    return list(dict.fromkeys(name for name in names if SETTLEMENT_FILE.fullmatch(name)))

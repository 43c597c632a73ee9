"""Settlement details reports from Adyen: announced by REPORT_AVAILABLE, downloaded by their name with the report user.

The notification's address is not covered by its signature, so it is not followed: the file's name is, and the address is
ours.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from urllib.parse import quote

from django.utils.translation import gettext as _

from wallet.choices import Verdict
from wallet.models import Psp, WebhookMessage
from wallet.psp.adyen.notifications import items_of
from wallet.psp.base import PspRefused
from wallet.psp.http import REPORT_TIMEOUT, PspHttp

FILE_NAME = re.compile(r"settlement_detail_report[\w.-]*\.csv")
FILES_MAX = 62


def fetch(
    psp: Psp, http: PspHttp, first: dt.date, last: dt.date, *, merchant: str, is_live: bool, login: tuple[str, str]
) -> bytes:
    """The reports announced between two days, one after the other under one header. Raises the adapter's errors."""
    names = _announced(psp, first, last)
    if not names:
        raise PspRefused(
            _(
                "Adyen announced no settlement details report in these days. Switch it on under Reports › Subscriptions, "
                "or download the file there and upload it here."
            )
        )
    if not all(login):
        raise PspRefused(_("The report user is not set up. Fill it in, or upload the file."))
    host = http.base_url or f"https://ca-{'live' if is_live else 'test'}.adyen.com"
    authorization = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    parts: list[bytes] = []
    for name in names:
        url = f"{host}/reports/download/MerchantAccount/{quote(merchant)}/{quote(name)}"
        response = http.send("GET", url, headers={"Authorization": authorization}, timeout=REPORT_TIMEOUT)
        if not response.is_success:
            raise http.refusal(response)
        header, _newline, rows = response.content.partition(b"\n")
        parts += [rows] if parts else [header + b"\n", rows]
    return b"".join(parts)


def _announced(psp: Psp, first: dt.date, last: dt.date) -> list[str]:
    since = dt.datetime.combine(first, dt.time(), dt.UTC)
    messages = WebhookMessage.objects.filter(
        psp=psp, verdict=Verdict.ACCEPTED, event_type="REPORT_AVAILABLE",
        received_at__gte=since, received_at__lt=since + (last - first) + dt.timedelta(days=1),
    ).order_by("id")[:FILES_MAX]  # fmt: skip
    names = [str(items_of(json.loads(bytes(one.body)))[one.item]["pspReference"]) for one in messages]
    return list(dict.fromkeys(name for name in names if FILE_NAME.fullmatch(name)))

"""Adyen's Balance Platform Accounting Report, as its Customer Area gives it: a row for each step of each transfer.

A transfer out moves its amount from received to reserved to balance, below zero; what comes back moves the balance up again.
"""

import base64
import csv
import hmac
import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.psp.apis.adyen import period_of
from sandbox.psp.dialects.adyen_transfers import BALANCE_ACCOUNT, PLATFORM, VIA, event_id, steps_of, transfer_id
from sandbox.psp.money import major
from sandbox.psp.server import Request, Response, as_json, router
from sandbox.psp.store import Store
from sandbox.psp.transfers import transfer_view
from sandbox.psp.webhooks import publish

COLUMNS = (
    "BalancePlatform",
    "AccountHolder",
    "BalanceAccount",
    "Transfer Id",
    "Transaction Id",
    "Category",
    "Status",
    "Type",
    "Booking Date",
    "Booking Date TimeZone",
    "Value Date",
    "Value Date TimeZone",
    "Currency",
    "Amount",
    "Original Currency",
    "Original Amount",
    "Payment Currency",
    "Received (PC)",
    "Reserved (PC)",
    "Balance (PC)",
    "Reference",
    "Description",
    "Counterparty Balance Account Id",
    "Psp Payment Merchant Reference",
    "Psp Payment Psp Reference",
    "Psp Modification Psp Reference",
    "Psp Modification Merchant Reference",
    "Reference for Beneficiary",
)
DOWNLOADS = "/balanceplatform/reportDownload/v1"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
# By what a step moves received, reserved and balance, in the transfer's amount.
MOVES = {
    "received": (-1, 0, 0),
    "authorised": (1, -1, 0),
    "booked": (0, 1, -1),
    "refused": (1, 0, 0),
    "failed": (0, 1, 0),
}
CAME_BACK = (0, 0, 1)


@router.route("GET", "/{psp:adyen}/accounting")
def download(request: Request) -> Response:
    """Send what was booked from `from` to `to`, both included, by Amsterdam's days."""
    first, last = period_of(request)
    return _csv(request.store, first, last, f"balanceplatform_accounting_report_{last:%Y_%m_%d}.csv")


@router.route("POST", "/_control/{psp:adyen}/accounting")
def announce(request: Request) -> Response:
    """Announce an accounting report of `first` to `last` by `report.created`. `host`: a forger's, for the address."""
    first, last = (date.fromisoformat(request.json[name]) for name in ("first", "last"))
    name = f"balanceplatform_accounting_report_{first:%Y_%m_%d}_{last:%Y_%m_%d}.csv"
    base = request.json.get("host") or f"{request.base_url}/adyen"
    data = {
        "id": "report_0",
        "reference": "",
        "amount_minor": 0,
        "currency": "EUR",
        "file": name,
        "url": f"{base}{DOWNLOADS}/{PLATFORM}/{name}",
    }
    with request.store.transaction():
        publish(request.store, "adyen", "report.created", data)
    return as_json({"file": name}, 202)


@router.route("GET", "/{psp:adyen}" + DOWNLOADS + "/{platform}/{file}")
def download_announced(request: Request) -> Response:
    """With the report user's API key, or its name and password."""
    key = f"{request.character.api_key}-platform-report"
    basic = "Basic " + base64.b64encode(f"report_1@BalancePlatform.{PLATFORM}:{key}".encode()).decode()
    given = (request.headers.get("x-api-key", ""), request.headers.get("authorization", ""))
    if not any(map(hmac.compare_digest, (one.encode() for one in given), (key.encode(), basic.encode()))):
        return as_json({"status": 401, "errorCode": "000", "message": "Unauthorized"}, 401)
    days = request.parts["file"].removesuffix(".csv").split("_")[-6:]
    first, last = (date.fromisoformat("-".join(part)) for part in (days[:3], days[3:]))
    return _csv(request.store, first, last, request.parts["file"])


def _csv(store: Store, first: date, last: date, name: str) -> Response:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    rows = (row for row in _steps(store) if first <= row["at"].date() <= last)
    writer.writerows(_row(row) for row in sorted(rows, key=lambda row: (row["at"], row["transfer"], row["place"])))
    disposition = (("Content-Disposition", f'attachment; filename="{name}"'),)
    return Response(200, out.getvalue().encode(), "text/csv; charset=utf-8", disposition)


def _steps(store: Store) -> Iterator[dict[str, Any]]:
    for core in store.rows("SELECT * FROM transfers WHERE psp = 'adyen' AND kind = 'payout'"):
        view = transfer_view(core)
        if view.get("via") != VIA:
            continue
        paid_at = float(store.noted("adyen", core["id"], "paid_at") or core["updated_at"])
        steps = steps_of(view)
        for place, status in enumerate(steps, start=1):
            is_back = "booked" in steps[: place - 1]
            at = core["updated_at"] if is_back else paid_at if place > 2 else core["created_at"]
            yield {
                "view": view,
                "transfer": transfer_id(core["id"]),
                "place": place,
                "status": status,
                "at": datetime.fromtimestamp(at, AMSTERDAM),
                "moves": CAME_BACK if is_back else MOVES[status],
            }


def _row(step: dict[str, Any]) -> dict[str, str]:
    view, currency = step["view"], step["view"]["currency"]
    at, zone = step["at"].strftime("%Y-%m-%d %H:%M:%S"), step["at"].tzname()
    received, reserved, balance = (major(way * view["amount_minor"], currency) for way in step["moves"])
    has_moved = bool(step["moves"][2])
    return {
        "BalancePlatform": PLATFORM,
        "AccountHolder": "AH00000000000000000SANDBX",
        "BalanceAccount": BALANCE_ACCOUNT,
        "Transfer Id": step["transfer"],
        "Transaction Id": event_id(step["transfer"], step["place"]) if has_moved else "",
        "Category": "bank",
        "Status": step["status"],
        "Type": "bankTransfer",
        "Booking Date": at,
        "Booking Date TimeZone": zone,
        "Value Date": at if has_moved else "",
        "Value Date TimeZone": zone if has_moved else "",
        "Currency": currency,
        "Amount": major(view["amount_minor"], currency),
        "Original Currency": currency,
        "Original Amount": major(view["amount_minor"], currency),
        "Payment Currency": currency,
        "Received (PC)": received,
        "Reserved (PC)": reserved,
        "Balance (PC)": balance,
        "Reference": view["reference"],
        "Reference for Beneficiary": view["destination"]["referenceForBeneficiary"],
    }

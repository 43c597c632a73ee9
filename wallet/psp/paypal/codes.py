"""PayPal's transaction event codes (T-codes) as our row types: by single code, else by group (T00, T04 …)."""

from __future__ import annotations

from wallet.choices.reconciliation import RowType

CODES: dict[str, RowType] = {
    "T0001": RowType.PAYOUT,  # mass payment
    "T1101": RowType.MERCHANT_PAYOUT,  # a withdrawal to the bank came back
    "T1104": RowType.MERCHANT_PAYOUT,  # a deposit from the bank came back
    "T1105": RowType.RESERVE,
    "T1106": RowType.CHARGEBACK,  # reversed by PayPal
    "T1107": RowType.REFUND,
    "T1108": RowType.FEE,
    "T1109": RowType.FEE,
    "T1110": RowType.RESERVE,
    "T1111": RowType.RESERVE,
    "T1113": RowType.PAYOUT,
    "T1114": RowType.PAYOUT,
    "T1115": RowType.PAYOUT,
    "T1116": RowType.RESERVE,
    "T2109": RowType.ADJUSTMENT,  # gift certificates: bought, redeemed
    "T2110": RowType.ADJUSTMENT,
    "T1201": RowType.CHARGEBACK,
    "T1202": RowType.CHARGEBACK_REVERSED,
    "T1205": RowType.CHARGEBACK_REVERSED,
    "T1207": RowType.CHARGEBACK,
    "T1208": RowType.CHARGEBACK_REVERSED,
}
GROUPS: dict[str, RowType] = {
    "T00": RowType.PAYMENT,
    "T01": RowType.FEE,
    "T02": RowType.CONVERSION,
    "T03": RowType.MERCHANT_PAYOUT,  # from our bank
    "T04": RowType.MERCHANT_PAYOUT,
    **dict.fromkeys(("T05", "T06", "T07", "T08", "T09", "T10", "T11", "T12", "T14", "T16"), RowType.ADJUSTMENT),
    **dict.fromkeys(("T13", "T15", "T21"), RowType.RESERVE),
    **dict.fromkeys(("T17", "T18", "T19", "T20", "T22", "T23", "T30", "T50", "T97", "T98", "T99"), RowType.ADJUSTMENT),
}


def type_of(code: str) -> RowType | None:
    """Map a T-code to the type of a report's row; None for one of no known group."""
    return CODES.get(code) or GROUPS.get(code[:3])

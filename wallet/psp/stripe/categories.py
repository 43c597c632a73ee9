"""Stripe's reporting categories in our words (docs.stripe.com/reports/reporting-categories)."""

from __future__ import annotations

from wallet.choices.reconciliation import RowType

TYPES: dict[str, RowType] = {
    "charge": RowType.PAYMENT,
    "payment": RowType.PAYMENT,
    "refund": RowType.REFUND,
    "refund_failure": RowType.REFUND,
    "partial_capture_reversal": RowType.REFUND,
    "charge_failure": RowType.CHARGEBACK,
    "dispute": RowType.CHARGEBACK,
    "dispute_reversal": RowType.CHARGEBACK_REVERSED,
    **dict.fromkeys(("payout", "payout_reversal", "topup", "topup_reversal"), RowType.MERCHANT_PAYOUT),
    **dict.fromkeys(
        (
            "fee", "stripe_fee", "stripe_fee_tax", "network_cost", "tax", "platform_fee", "payment_method_passthrough_fee",
            "india_mdr_processing_fee", "fee_credit_funding",
        ),
        RowType.FEE,
    ),
    **dict.fromkeys(
        (
            "risk_reserved_funds", "connect_reserved_funds", "payment_network_reserved_funds", "payment_network_reserve_hold",
            "payment_network_reserve_release", "minimum_balance_hold", "payout_minimum_balance_hold",
            "payout_minimum_balance_release", "issuing_authorization_hold", "issuing_authorization_release",
        ),
        RowType.RESERVE,
    ),
    "currency_conversion": RowType.CONVERSION,
    **dict.fromkeys(
        (
            "other_adjustment", "advance", "advance_funding", "anticipation_repayment", "balance_transfer",
            "climate_order_purchase", "climate_order_refund", "connect_collection_transfer", "contribution", "financing_paydown",
            "financing_paydown_reversal", "financing_payout", "financing_payout_reversal", "issuing_dispute",
            "issuing_dispute_fraud_liability_debit", "issuing_dispute_provisional_credit",
            "issuing_dispute_provisional_credit_reversal", "issuing_transaction", "obligation", "platform_earning",
            "platform_earning_refund", "revenue_share", "reward", "stripe_balance_payment_debit",
            "stripe_balance_payment_debit_reversal", "tax_fund", "tax_withholding", "transfer", "transfer_reversal",
            "unreconciled_customer_funds",
        ),
        RowType.ADJUSTMENT,
    ),
}  # fmt: skip

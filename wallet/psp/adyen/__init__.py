"""Adyen, through its official SDK: Pay by Link, hosted fields, refunds, payouts to bank accounts, disputes."""

from wallet.psp.adyen.adapter import AdyenAdapter

__all__ = ["AdyenAdapter"]

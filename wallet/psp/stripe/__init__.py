"""Stripe, through its official SDK: cards, SEPA debit and Klarna on Checkout pages."""

from wallet.psp.stripe.adapter import StripeAdapter

__all__ = ["StripeAdapter"]

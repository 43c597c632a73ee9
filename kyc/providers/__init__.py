"""Checks by outside KYC providers: what a provider must offer, its connection, signed webhooks, and what its result counts."""

"""Campaigns: what each cost and brought, as a list and as a page."""

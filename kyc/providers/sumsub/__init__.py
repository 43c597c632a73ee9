"""Sumsub (api.sumsub.com): applicants, WebSDK links, review results and webhooks, from its public documentation."""

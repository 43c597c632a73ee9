"""Referral abuse: partners who refer themselves, the same people again, or clients who qualify and leave."""

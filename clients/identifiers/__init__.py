"""What links people: e-mail, phone, device, IP prefix, card, bank account, crypto address, document, photo.

    learn(client_id, IdentifierKind.BANK_ACCOUNT, iban)      # in the transaction of what the app learned it from
    source("wallet", payout_accounts)                        # in the app's facts.py: the same from its tables, for a rebuild

Kept are keyed hashes with first and last seen. Who shares one with a client: `clients.identifiers.links.linked_to`.
"""

from clients.choices import IdentifierKind
from clients.identifiers.keeping import Seen, learn, learn_many, learn_of_staff
from clients.identifiers.sources import source

__all__ = ["IdentifierKind", "Seen", "learn", "learn_many", "learn_of_staff", "source"]

"""How long records are kept after a relation ended, legal holds, and the erasure of clients."""

from typing import Final

RIGHT: Final = "compliance.erase_client"

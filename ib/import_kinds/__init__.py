"""What partners take in from another system: the partners with their tree, and whose client an imported client is."""

from ib.import_kinds import attributions, partners

__all__ = ["attributions", "partners"]

"""Month-end with a PSP: a settlement report whose rows are stored (`settlement_import`) is matched with our books.

`matching` runs it: `staging` fills temporary tables, `passes` take what is sure, `naming` gives the rest a name, `suggesting`
writes down what may be, `booking` brings fees, conversions and payouts into the ledger, `bank_leg` looks at what reached the
bank. `breaks`, `postings` and `deciding` are what people do about it.
"""

from wallet.reconciliation.breaks import resolve_break
from wallet.reconciliation.matching import ANALYZE_ROWS_MIN, match_report, rematch, with_open_breaks

__all__ = ["ANALYZE_ROWS_MIN", "match_report", "rematch", "resolve_break", "with_open_breaks"]

"""Pages of the ledger and its manual journals."""

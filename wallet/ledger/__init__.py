"""The double-entry ledger: postings, account history, manual journals, seals and proofs."""

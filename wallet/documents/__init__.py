"""Documents: statements, receipts, invoices, packs. Their figures are hashed and stored, and can be proved later.

`statement`, `receipts`, `invoices`, `psp_pack` gather figures; `pdf` and `xlsx` write them in the brand's look;
`store` keeps the file under its hashes; `batches` makes thousands.
"""

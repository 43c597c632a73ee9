"""People and organisations connected with a client who are screened too: payers, payees, owners, the partner's firm."""

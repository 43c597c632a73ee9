"""Models that are only numbers: a calibrated logistic regression, how good it is, and what of it is stored by version."""

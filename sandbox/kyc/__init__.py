"""A KYC provider in miniature that speaks the documented parts of Sumsub's API. It imports nothing of the product."""

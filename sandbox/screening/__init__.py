"""A screening vendor in miniature that speaks the documented parts of yente's API. It imports nothing of the product."""

"""A phone exchange in miniature that speaks the documented parts of Twilio's voice API. It imports nothing of the product."""

"""A client's guided upload: a draft with its pages, chunk by chunk, also from a phone, and sent as one document."""

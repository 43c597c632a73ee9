"""Client categories under MiFID II Annex II: requests, decisions by four eyes, history, and the yearly review."""

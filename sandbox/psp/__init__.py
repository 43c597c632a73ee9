"""A payment service provider in miniature: one HTTP server that plays several of them, each with its own character and protocol.

It imports no part of Keelson: the two meet over HTTP only. Start it with `python -m sandbox.psp --port 8444 --state
FILE
--webhook-url 'http://127.0.0.1:8000/webhooks/psp/{psp}/'`; `--help` lists the rest. Faults (duplicates, forgeries,
delays, losses,
outages …) are switched at `/_control/`, see `sandbox.psp.faults`.
"""

"""Webhooks: a brand's events sent to addresses of its own, signed, in order per client, retried for three days.

An endpoint's events are an event subscription, so its delivery row is written in the transaction of the event. `recording` turns
those into messages, `sending` calls the addresses, `endpoints` and `replaying` are the verbs.
"""

"""A consent stays with the record that gave it."""

from clients.merging.attachments import stays

stays("portal.Consent.client")

"""Figures are made again from what the records have."""

from clients.merging.attachments import all_stay

all_stay(["reports.ChangedClient.client_id", "reports.ClientDay.client_id"])

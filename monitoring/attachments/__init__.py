"""An anomaly is about the figures of one record: it stays with them."""

from clients.merging.attachments import all_stay

all_stay(["monitoring.Anomaly.client"])

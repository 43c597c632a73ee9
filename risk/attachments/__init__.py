"""What of retention follows when two records of one person are merged: nothing; flags are judged again from what followed."""

from clients.merging.attachments import all_stay

all_stay(["risk.RetentionCase.client", "risk.RetentionFlag.client"])

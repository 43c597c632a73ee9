"""What of challenges follows when two records of one person are merged: nothing. A challenge belongs to who bought it."""

from clients.merging.attachments import all_stay

all_stay(["prop.Challenge.client"])

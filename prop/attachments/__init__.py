"""What of challenges follows when two records of one person are merged: nothing. A challenge belongs to who bought it, a consent
to the record that gave it."""

from clients.merging.attachments import all_stay

all_stay(["prop.Challenge.client", "prop.LeaderboardConsent.client"])

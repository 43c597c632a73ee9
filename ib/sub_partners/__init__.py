"""What a partner offers to sub-partners: plans within the limits of the partner's own agreement."""

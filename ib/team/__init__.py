"""The team of a partner company: who acts for the partner, with which rights."""

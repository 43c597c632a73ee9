"""What is written in a ticket: messages, files, and the e-mails that carry them."""

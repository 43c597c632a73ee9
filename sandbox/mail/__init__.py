"""A mail server in miniature: it takes e-mails over SMTP and gives them over IMAP."""

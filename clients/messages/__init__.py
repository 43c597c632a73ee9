"""E-mail with clients in both directions: accounts that are read, threads, e-mails of unknown senders, bounces."""

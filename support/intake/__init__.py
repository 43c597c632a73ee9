"""E-mails and chats that become tickets."""

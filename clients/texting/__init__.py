"""SMS and WhatsApp with clients: sending, delivery reports, incoming messages, opting out."""

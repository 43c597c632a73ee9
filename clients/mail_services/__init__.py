"""Mail services: their webhooks on our e-mails, and e-mails that come in through them."""

"""Finance's pages, the client's money tab, and the door for webhooks."""

"""A receiver of webhooks in miniature: what a broker's own system, a dialler or Zapier is to Keelson."""

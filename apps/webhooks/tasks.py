"""Background work of the webhooks app."""

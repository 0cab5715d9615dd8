"""What webhooks tell of what happened below them."""

"""The invoices app over REST."""

"""What every REST endpoint shares: problem documents, cursor pages, the base view."""

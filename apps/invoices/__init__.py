"""What a tenant charges its customers."""

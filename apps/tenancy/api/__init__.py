"""Brands, domains and tax numbers over REST."""

"""Database backend whose tenant context lives and dies with a transaction."""

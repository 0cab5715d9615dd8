"""Stand-ins for outside services, each a separate program."""

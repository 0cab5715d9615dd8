"""The settings of an organisation, page by page, and what a proxy asks."""

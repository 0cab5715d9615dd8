"""Everything that runs Insula on one machine without installing a server; never part of the product image."""

"""Pages of the invoices app: the team's, and the customer's behind his link."""

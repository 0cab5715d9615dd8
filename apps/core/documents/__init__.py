"""Documents for people: data in, PDF out; knows nothing of invoices' rules."""

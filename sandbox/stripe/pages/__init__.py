"""What people see: the hosted payment page, the 3-D Secure challenge, receipts and the panel."""

"""Billing: what customers owe over time, and how it is collected."""

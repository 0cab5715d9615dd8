"""What the product tells people when something happened."""

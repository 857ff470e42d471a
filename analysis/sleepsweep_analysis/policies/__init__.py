"""Single policies: the highest ones, the confirmed ones, and who was scored better by them."""

"""A shop: its catalogue, discounts, and carts."""

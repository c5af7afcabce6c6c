"""What the shop sells; prices are in cents."""

PRICES = {"tea": 450, "coffee": 700, "mug": 1250}


def price(item: str) -> int:
    """Return an item's price in cents.

    Raises:
        KeyError: the shop does not have it.

    """
    return PRICES[item]

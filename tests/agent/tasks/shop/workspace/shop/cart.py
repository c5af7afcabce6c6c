"""A cart."""

from shop.catalogue import price
from shop.discounts import reduced


class Cart:
    """Items to buy."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._items: dict[str, int] = {}

    def add(self, item: str, count: int = 1) -> None:
        """Put so many of an item into the cart."""
        self._items[item] = self._items.get(item, 0) + count

    def total(self, code: str | None = None) -> int:
        """Return what is to be paid, in cents."""
        full = sum(price(item) * count for item, count in self._items.items())
        return reduced(full, code)

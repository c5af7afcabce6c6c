"""What is asked of the task ``shop``; runs in the workspace that the agent has left."""

import pytest
from shop.cart import Cart
from shop.discounts import CODES, reduced


@pytest.mark.parametrize(
    ("cents", "code", "left"), [(1000, "HALF", 500), (999, "WELCOME10", 899), (700, None, 700), (700, "?", 700)]
)
def test_what_is_left_to_pay(cents: int, code: str | None, left: int) -> None:
    assert reduced(cents, code) == left


def test_carts() -> None:
    cart = Cart()
    cart.add("coffee")
    cart.add("coffee", 2)
    assert (cart.total(), cart.total("HALF")) == (2100, 1050)
    assert CODES == {"WELCOME10": 10, "HALF": 50}

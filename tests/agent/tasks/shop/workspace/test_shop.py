from shop.cart import Cart


def cart() -> Cart:
    cart = Cart()
    cart.add("tea", 2)
    cart.add("mug")
    return cart


def test_ten_percent_off() -> None:
    assert cart().total("WELCOME10") == 1935


def test_an_unknown_code_changes_nothing() -> None:
    assert cart().total("NOTHING") == 2150

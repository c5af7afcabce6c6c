"""Money, units and dates in any language that Unicode's CLDR knows; its numbers are left to the voice."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, get_decimal_symbol
from babel.units import format_unit

from activities.text.verbalization.words import NUMBER, Rule, any_of, lookup, parts

_LETTER = r"[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
"""Of a script that sets words apart: in Japanese and Korean a particle follows the unit."""
_UNITS = {
    "km": "length-kilometer",
    "m": "length-meter",
    "cm": "length-centimeter",
    "mm": "length-millimeter",
    "mi": "length-mile",
    "ft": "length-foot",
    "m²": "area-square-meter",
    "km²": "area-square-kilometer",
    "ha": "area-hectare",
    "kg": "mass-kilogram",
    "g": "mass-gram",
    "mg": "mass-milligram",
    "lb": "mass-pound",
    "l": "volume-liter",
    "ml": "volume-milliliter",
    "h": "duration-hour",
    "min": "duration-minute",
    "s": "duration-second",
    "ms": "duration-millisecond",
    "km/h": "speed-kilometer-per-hour",
    "m/s": "speed-meter-per-second",
    "mph": "speed-mile-per-hour",
    "°C": "temperature-celsius",
    "°F": "temperature-fahrenheit",
    "%": "concentr-percent",
    "kB": "digital-kilobyte",
    "MB": "digital-megabyte",
    "GB": "digital-gigabyte",
    "TB": "digital-terabyte",
    "V": "electric-volt",
    "W": "power-watt",
    "kW": "power-kilowatt",
    "kWh": "energy-kilowatt-hour",
    "Hz": "frequency-hertz",
    "kHz": "frequency-kilohertz",
    "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz",
    "kcal": "energy-foodcalorie",
}
_CURRENCIES = {
    "$": "USD",
    "US$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "₩": "KRW",
    "₽": "RUB",
    "₺": "TRY",
    "₴": "UAH",
    "R$": "BRL",
    "zł": "PLN",
    "Kč": "CZK",
    **{
        code: code
        for code in ("USD", "EUR", "GBP", "JPY", "CNY", "CHF", "INR", "BRL", "PLN", "CZK", "SEK", "NOK", "DKK")
    },
}


def rules(language: str) -> tuple[Rule, ...]:
    """Return the rules of a language, by its ISO 639-1 code; none if CLDR has no such language."""
    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return ()
    decimal = get_decimal_symbol(locale)

    def value(match: re.Match[str]) -> Decimal:
        whole, decimals = parts(match["number"], decimal)
        return Decimal(f"{whole}.{decimals}" if decimals else whole)

    def money(match: re.Match[str]) -> str:
        amount, code = value(match), _CURRENCIES[match["currency"]]
        return str(format_currency(amount, code, locale=locale, format_type="name", currency_digits=amount % 1 != 0))

    def unit(match: re.Match[str]) -> str:
        return str(format_unit(value(match), lookup(symbols, match["unit"]), length="long", locale=locale))

    def day(match: re.Match[str]) -> str:
        try:
            return str(format_date(date(*map(int, match.groups())), "long", locale=locale))
        except ValueError:  # no such day
            return match[0]

    local = {
        str(format_unit(7, name, length="short", locale=locale)).strip("7 \u00a0"): name for name in _UNITS.values()
    }
    symbols = {**{symbol: name for symbol, name in local.items() if symbol}, **_UNITS}
    currency = f"(?P<currency>{any_of(_CURRENCIES)})"
    number = rf"(?P<number>{NUMBER})"
    say: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
        (r"(?<![\d./-])(\d{4})-(\d\d)-(\d\d)(?![\d/-])", day),
        (rf"(?<!{_LETTER}){currency} ?{number}(?![\d.,]*\d)", money),
        (rf"(?<![\d.,:/]){number} ?{currency}(?!{_LETTER})", money),
        (rf"(?<![\d.,:/])(?<!{_LETTER}){number} ?(?P<unit>{any_of(symbols)})(?!{_LETTER}|[²³/^])", unit),
    )
    return tuple(Rule(written, said) for written, said in say)

"""Amounts of money as tills write them, as exact decimal numbers."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

_SYMBOLS = {
    "฿": "THB", "€": "EUR", "£": "GBP", "₹": "INR", "₱": "PHP", "₩": "KRW", "₫": "VND", "₪": "ILS",
    "₺": "TRY", "₽": "RUB", "₴": "UAH", "₦": "NGN", "₡": "CRC", "US$": "USD", "CA$": "CAD", "C$": "CAD",
    "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD", "NT$": "TWD", "S$": "SGD", "R$": "BRL",
    "MX$": "MXN", "JP¥": "JPY", "CN¥": "CNY", "Rs": "INR", "Rp": "IDR", "RM": "MYR", "zł": "PLN",
}  # fmt: skip
"""Symbols that stand for one currency. `$`, `¥` and `kr` stand for several, so they say nothing."""
_NUMBER = re.compile(r"\d+(?:[.,'’\s]\d+)*[.,]?|[.,]\d+")
_CODE = re.compile(r"[A-Z]{3}")


def parse_money(text: str) -> tuple[Decimal, str | None] | None:
    """The amount, and the currency that a symbol or code beside it names; None if it is no amount.

    Negative with a minus anywhere before the digits, behind them, or with brackets around all.
    """
    bare = text.replace("\u00a0", " ").replace("\u202f", " ").replace("−", "-").strip()
    found = _NUMBER.search(bare)
    if found is None or len(bare) > 40:
        return None
    beside = (bare[: found.start()] + bare[found.end() :]).strip()
    is_negative = "-" in beside or (beside.startswith("(") and beside.endswith(")"))
    symbol = re.sub(r"[-()\s.]", "", beside)
    if any(c.isdigit() for c in symbol) or len(symbol) > 4:
        return None
    try:
        amount = Decimal(_plain(found[0]))
    except InvalidOperation:
        return None
    currency = _SYMBOLS.get(symbol) or (symbol if _CODE.fullmatch(symbol) else None)
    return (-amount if is_negative else amount), currency


def _plain(digits: str) -> str:
    """The number with a point, if it has a fraction, and no marks of thousands."""
    digits = re.sub(r"[\s'’]", "", digits)
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return digits
    mark, tail = digits[last], digits[last + 1 :]
    # A comma before three digits is a mark of thousands, as is any mark that stands there twice.
    if digits.count(mark) > 1 or (mark == "," and len(tail) == 3 and digits.lstrip("0") == digits):
        return re.sub(r"[.,]", "", digits)
    return re.sub(r"[.,]", "", digits[:last]) + "." + (tail or "0")


def to_amount(amount: Decimal) -> str | None:
    """The amount as the record wants it; None if it has too many digits for it."""
    text = format(amount, "f")
    if re.fullmatch(r"-?\d{1,15}\.\d{7,}", text):
        text = text.rstrip("0").rstrip(".")
    text = text[1:] if re.fullmatch(r"-0(\.0*)?", text) else text
    return text if re.fullmatch(r"-?\d{1,15}(\.\d{1,6})?", text) else None

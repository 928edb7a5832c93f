"""A number with its noun."""

from __future__ import annotations


def count_noun(count: int, noun: str) -> str:
    """`1 rule`, `2 rules`, `1,000 rules`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

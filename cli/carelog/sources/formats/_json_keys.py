"""What the beginning of JSON says of its structure: keys, and where a page holds its list; never by parsing,
since the beginning is cut off anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{}]', re.DOTALL)
_LOOKED_AT = 64 * 1024
_LINES_LOOKED_AT = 5
_MOST_LEVELS = 3


def find_keys(head: bytes) -> dict[str, set[str]]:
    """The keys of the first object, under ""; under each of these that leads to objects (in an array or not),
    the keys of the first one there, and so on (`data.payload`); at most four levels. Never raises.
    """
    for _ in range(_LINES_LOOKED_AT):
        keys = _keys_of_first(head)
        rest = head.partition(b"\n")[2]
        if keys[""] or not rest:
            break
        # A line that is broken says nothing about the others.
        head = rest
    return keys


@lru_cache(maxsize=4)
def _keys_of_first(head: bytes) -> dict[str, set[str]]:
    # Every format asks for the same beginning, one after another; nobody changes what is found.
    keys: dict[str, set[str]] = {"": set()}
    stack: list[str | None] = []
    seen: set[str] = set()
    last = ""
    for found in _TOKEN.finditer(head[:_LOOKED_AT]):
        token = found[0]
        if token in (b"{", b"["):
            inside = path_of(stack, last)
            is_repeated = token == b"{" and inside in seen
            stack.append(None if is_repeated else inside)
            if token == b"{" and inside is not None:
                keys.setdefault(inside, set())
                seen.add(inside)
            last = ""
        elif token in (b"}", b"]"):
            stack[-1:] = []
            last = ""
            if not stack and token == b"}":
                break
        elif head[found.end() : found.end() + 20].lstrip()[:1] == b":":
            last = token[1:-1].decode("utf-8", "replace")
            if stack and (inside := stack[-1]) is not None and inside in keys:
                keys[inside].add(last)
    return keys


def path_of(stack: list[str | None], last: str) -> str | None:
    """The path of what opens now: below a key, or (in an array) that of the array."""
    if not stack:
        return ""
    above = stack[-1]
    if above is None or above.count(".") >= _MOST_LEVELS:
        return None
    return f"{above}.{last}".strip(".") if last else above


def is_canonical(keys: dict[str, set[str]]) -> bool:
    """Whether the first object is one of carelog's own records."""
    return "interaction_id" in keys[""]


def first_keys(head: bytes, wrappers: Iterable[str]) -> tuple[set[str], str | None]:
    """The keys of the first record of an input, as far as it is seen; and the path of the list around it."""
    keys = find_keys(head)
    wrapper = next((path for path in wrappers if path in keys), None)
    return keys[wrapper or ""], wrapper


def find_list(head: bytes, lists: Iterable[str]) -> int | None:
    """Where in a page the first of the lists with these paths begins; None if it has none of them."""
    wanted = frozenset(lists)
    stack: list[str | None] = []
    last = ""
    for found in _TOKEN.finditer(head[:_LOOKED_AT]):
        token = found[0]
        if token in (b"{", b"["):
            inside = path_of(stack, last)
            if token == b"[" and inside in wanted:
                return found.start()
            stack.append(inside)
            last = ""
        elif token in (b"}", b"]"):
            stack[-1:] = []
            last = ""
            if not stack:
                return None
        elif head[found.end() : found.end() + 20].lstrip()[:1] == b":":
            last = token[1:-1].decode("utf-8", "replace")
    return None

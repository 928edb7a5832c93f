"""The people in a mail's headers: names and addresses, as RFC 5322 has them and as mailers write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

# A quoted name, a comment, an address in brackets, what ends an entry, and the rest.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|\((?:[^()\\]|\\.)*\)?|<[^<>]*>?|[,;]|[^"(<,;]+', re.DOTALL)
_BARE = re.compile(r"[^\s<>()\[\]\"',;:]{1,300}@(?:\[[^\s\[\]<>]{1,60}\]|[^\s<>()\[\]\"',;:]{1,300})")
_GROUP = re.compile(r'^[^"<>@:,;]{0,200}:')
# Archives of mailing lists hide the @; Outlook writes [mailto:ann@x.example] for <ann@x.example>.
_HIDDEN = re.compile(r"^\s*([\w.+-]+) at ([\w-]+(?:\.[\w-]+)+)(?=\s*(?:\(|$))")
_MAILTO = re.compile(r"[\[<]\s*mailto:([^\s\[\]<>]+)\s*[\]>]|\bmailto:", re.IGNORECASE)
_MOST = 100_000
_LONGEST_NAME = 300


def parse_addresses(text: str) -> list[tuple[str, str]]:
    """Names (still encoded) and addresses in a header; what is no address is left out. Never raises."""
    text = _MAILTO.sub(lambda found: f"<{found[1]}>" if found[1] else "", _HIDDEN.sub(r"\1@\2", text[:_MOST]))
    found: list[tuple[str, str]] = []
    waiting = ""
    for words, addresses in _entries(_GROUP.sub("", text)):
        name = f"{waiting} {words}".strip()
        if not addresses and (bare := _BARE.search(name)) is not None:
            found.append((name.replace(bare[0], "").strip(" '"), bare[0]))
            waiting = ""
        elif addresses:
            # A comma without quotation marks has cut the name; of several addresses the first is named.
            found += [(name if number == 0 else "", address) for number, address in enumerate(addresses)]
            waiting = ""
        else:
            waiting = f"{name},"[-_LONGEST_NAME:] if name else ""
    return found


def _entries(text: str) -> Iterator[tuple[str, list[str]]]:
    """What stands between commas: its words, and the addresses in brackets."""
    words: list[str] = []
    addresses: list[str] = []
    for token in _TOKEN.findall(text):
        if token in (",", ";"):
            yield " ".join(" ".join(words).split()), addresses
            words, addresses = [], []
        elif token[0] == "<":
            address = token.strip("<> '\"")
            addresses += [address] if "@" in address and " " not in address else []
        elif token[0] in '"(':
            words.append(re.sub(r"\\(.)", r"\1", token.strip('"' if token[0] == '"' else "()")))
        else:
            words.append(token.strip())
    yield " ".join(" ".join(words).split()), addresses

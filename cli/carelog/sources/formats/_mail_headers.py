"""The headers of a mail: unfolded, decoded (RFC 2047, and as mailers get it wrong), addresses, ids."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from carelog.sources.blocks import Fault
from carelog.sources.formats._charsets import decode_text
from carelog.sources.formats._mail_addresses import parse_addresses

_LINE = re.compile(rb"([!-9;-~]{1,200})[ \t]*:[ \t]*(.*)", re.DOTALL)
_END = re.compile(rb"\r?\n[ \t]*\r?\n|\r\r")
_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,40})?\?([bBqQ])\?(.*?)\?=", re.DOTALL)
_ID = re.compile(r"<([^<>\s]{1,900})>")
MOST_IDS = 200
"""So many ids of a References header are read: the first and the last ones."""


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers in their order, names as written, values as bytes and unfolded; `size` is the length in
    bytes of the header block with the empty line after it.
    """

    fields: list[tuple[str, bytes]] = field(default_factory=list)
    size: int = 0
    by_name: dict[str, list[bytes]] = field(default_factory=dict)

    def raw(self, *names: str) -> list[bytes]:
        """The values of all headers of these names (in lower case), name after name."""
        return [value for name in names for value in self.by_name.get(name, ())]

    def text(self, *names: str) -> str:
        """The first header of these names, decoded; empty if there is none."""
        found = self.raw(*names)
        return decode_header(found[0])[0] if found else ""


def read_headers(mail: bytes) -> Headers:
    """The headers at the beginning of a mail; lines that are none are passed over."""
    found = _END.search(mail)
    size = len(mail) if found is None else found.end()
    fields: list[tuple[str, bytes]] = []
    for line in re.split(rb"\r?\n|\r", mail[:size]):
        if line[:1] in (b" ", b"\t") and fields:
            name, value = fields[-1]
            fields[-1] = name, value + b" " + line.strip()
        elif (header := _LINE.match(line)) is not None:
            fields.append((header[1].decode("ascii"), header[2].rstrip()))
    by_name: dict[str, list[bytes]] = {}
    for name, value in fields:
        by_name.setdefault(name.lower(), []).append(value)
    return Headers(fields, size, by_name)


def decode_header(raw: bytes) -> tuple[str, Fault | None]:
    """The text of a header's value, and a remark where its charset was not right. Never raises."""
    if raw.isascii() and b"=?" not in raw and b"\x1b" not in raw:
        return raw.decode("ascii").strip(), None
    text, remark = decode_text(raw, None)
    if "=?" not in text:
        return text.strip(), remark
    parts: list[str] = []
    words: list[tuple[bytes, str]] = []
    place = 0
    for found in _WORD.finditer(text):
        between = text[place : found.start()]
        place = found.end()
        # Blanks between two encoded words do not count; a letter may be cut between them.
        if between.strip() or not words:
            remark = _flush(words, parts) or remark
            parts.append(between)
        words.append((_unpack(found[2], found[3]), found[1].lower()))
    remark = _flush(words, parts) or remark
    return ("".join(parts) + text[place:]).strip(), remark


def _flush(words: list[tuple[bytes, str]], parts: list[str]) -> Fault | None:
    remark = None
    start = 0
    for end in range(1, len(words) + 1):
        if end == len(words) or words[end][1] != words[start][1]:
            raw = b"".join(word for word, _ in words[start:end])
            text, found = decode_text(raw, words[start][1])
            parts.append(text)
            remark, start = remark or found, end
    words.clear()
    return remark


def _unpack(kind: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if kind in "qQ":
        return quopri.decodestring(raw.replace(b"_", b" "), header=False)
    try:
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        return base64.b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + b"==")
    except (binascii.Error, ValueError):
        return raw


def find_addresses(headers: Headers, *names: str) -> list[tuple[str, str]]:
    """Name and address (in lower case) of everybody in these headers; what is no address is left out."""
    # Decoding first would let a comma in a name split it.
    values = [value.decode("utf-8", "replace") for value in headers.raw(*names)]
    return [
        (decode_header(name.encode())[0].strip("'\" "), address.strip("'\" ").lower())
        for value in values
        for name, address in parse_addresses(value)
    ]


def find_ids(headers: Headers, *names: str) -> list[str]:
    """The message ids in these headers, without brackets, each once, in order."""
    text = " ".join(value.decode("ascii", "replace") for value in headers.raw(*names))
    ids = list(dict.fromkeys(_ID.findall(text)))
    return ids if len(ids) <= MOST_IDS else [ids[0], *ids[-MOST_IDS + 1 :]]


def find_own_id(headers: Headers) -> str | None:
    """The mail's own id; some write it without brackets."""
    found = find_ids(headers, "message-id")
    if found:
        return found[0]
    bare = re.sub(r"\s+", "", headers.text("message-id").strip("<> "))
    return bare[:900] if len(bare) > 2 else None


def split_list(text: str) -> list[str]:
    """The labels of X-Gmail-Labels or Keywords: separated by commas, in quotes where they hold one."""
    found = re.findall(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]+))\s*(?:,|$)', text)
    names = [re.sub(r"\\(.)", r"\1", quoted) if quoted else bare.strip() for quoted, bare in found]
    return [name for name in dict.fromkeys(names) if name]


def decode_all(headers: Headers, unmapped: Sequence[str]) -> dict[str, str | list[str]]:
    """The headers of these names (in lower case), decoded, under their names as first written; a list where
    one stands several times.
    """
    kept: dict[str, list[str]] = {}
    written: dict[str, str] = {}
    for name, value in headers.fields:
        if name.lower() in unmapped:
            kept.setdefault(written.setdefault(name.lower(), name), []).append(decode_header(value)[0])
    return {name: values[0] if len(values) == 1 else values for name, values in kept.items()}

"""Small files of JSON values (or one TOML document), read whole: for looking at, not for records by the
million.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from carelog.errors import UnusableInput
from carelog.sources.blocks import MAX_LINE_BYTES, Fault
from carelog.sources.paths import Input
from carelog.sources.pieces import parse_json
from carelog.sources.streams import open_input

Instance = tuple[int, Any, Fault | None]
"""Line (from 1), value, and why there is none."""


def read_instances(item: Input, limit: int = MAX_LINE_BYTES) -> Iterator[Instance]:
    """The values of a file: one JSON document, else one a line; a TOML document where the name says so.

    Raises MissingInput if it cannot be opened, UnusableInput if it is longer than `limit` bytes.
    """
    with open_input(item) as opened:
        stream, _ = opened.utf8()
        text = stream.read(limit + 1)
        if opened.trouble is not None:
            raise UnusableInput(f"{item.name}: {opened.trouble.message}")
    if len(text) > limit:
        raise UnusableInput(f"{item.name} is longer than {limit:,} bytes", "use carelog validate for exports")
    if item.name.endswith(".toml"):
        yield _parse_toml(text)
        return
    value, fault = parse_json(text, limit)
    lines = [(n, line) for n, line in enumerate(text.split(b"\n"), 1) if line.strip()]
    if fault is None or len(lines) <= 1 or not lines[0][1].rstrip().endswith((b"}", b"]")):
        yield 1, value, fault
        return
    for number, line in lines:
        yield number, *parse_json(line, limit)


def _parse_toml(text: bytes) -> Instance:
    try:
        return 1, tomllib.loads(text.decode("utf-8")), None
    except UnicodeDecodeError as error:
        return 1, None, Fault("invalid_utf8", f"byte {error.start + 1} is not UTF-8")
    except tomllib.TOMLDecodeError as error:
        return 1, None, Fault("not_toml", f"this is not TOML: {error}")

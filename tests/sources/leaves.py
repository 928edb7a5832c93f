"""Whether a reader lost something: every leaf of the source must be found in the record, or under `extra`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Path = tuple[str | int, ...]


def leaves_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Path and value of every leaf that says something: null, "", [] and {} do not."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves_of(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves_of(inner, (*path, number))
    elif value is not None and value != "":
        yield path, value


def lost_leaves(
    native: Any, record: dict[str, Any], written: Callable[[Path, Any], Any] = lambda path, value: value
) -> list[tuple[Path, Any]]:
    """The leaves of `native` that occur nowhere in the record. `written` says how a leaf is written there if
    it is not kept as it stood (a time in another form, HTML as text); None if it is known to be left out.
    """
    values = [leaf for _, leaf in leaves_of(record)]
    texts = [leaf for leaf in values if isinstance(leaf, str)]
    lost = []
    for path, leaf in leaves_of(native):
        form = written(path, leaf)
        is_there = form is None or any(one in values or str(one) in texts for one in (leaf, form))
        if not is_there and not (isinstance(form, str) and any(form in text for text in texts)):
            lost.append((path, leaf))
    return lost

"""Taking values out of a vendor's record, so that what nobody took can be kept under `extra`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from carelog.sources.blocks import Fault
from carelog.sources.formats._times import read_time

_NOTHING = ("", "-", "N/A", "n/a", "null", "None")
_LONGEST_NAME = 1000
_NEVER = " 0:.-TZ"
"""All that stands in a clock that was never set (`0000-00-00 00:00:00`)."""
Path = tuple[str | int, ...]


class Native:
    """A vendor's record from which values are taken; `rest` is what is left of it.

    A value of a type that was not expected counts as absent and stays. `zone` is that of local times;
    `faults` collects what was remarkable on the way.
    """

    def __init__(self, record: dict[str, Any], zone: str | None = None) -> None:
        self.record = record
        self.zone = zone
        self.faults: list[Fault] = []
        self._taken: set[Path] = set()

    def look(self, *path: str | int) -> Any:
        """The value at a path, which is not taken; None if there is none."""
        value: Any = self.record
        for step in path:
            # By far the most frequent call of all: JSON has only these two types that hold others.
            if type(value) is dict:
                value = value.get(step)
            elif type(value) is list and type(step) is int and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def take(self, *path: str | int) -> Any:
        """The value at a path, whatever it is, taken with all that is in it."""
        self._taken.add(path)
        return self.look(*path)

    def text(self, *path: str | int) -> str | None:
        """A text that says something; a number counts as one."""
        value = self.look(*path)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip():
            return None
        self._taken.add(path)
        return value

    def name(self, *path: str | int) -> str | None:
        """An id or a name: a text or number, but not 0, -1 and their like, which mean nobody."""
        value = self.look(*path)
        found = str(value) if type(value) is int and value > 0 else value
        if not isinstance(found, str) or not found.strip() or found.strip() in _NOTHING:
            return None
        if len(found) > _LONGEST_NAME or not found.isprintable():
            return None
        self._taken.add(path)
        return found.strip()

    def number(self, *path: str | int) -> float | int | None:
        """A number of 0 or more."""
        value = self.look(*path)
        if isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal() and value.isascii():
            value = float(value) if "." in value else int(value[:15])
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1e10:
            return None
        self._taken.add(path)
        return value

    def time(self, *path: str | int) -> str | None:
        """A time as RFC 3339; where the clocks make it doubtful that is noted."""
        value = self.look(*path)
        text, fault = read_time(value, self.zone)
        if text is not None:
            self._taken.add(path)
        elif isinstance(value, str) and value.strip() not in _NOTHING and value.strip(_NEVER):
            why = f"`{path[-1]}` is no time that can be read; it is kept under extra"
            fault = Fault("not_a_time", why)
        if fault is not None:
            self.faults.append(fault)
        return text

    def each(self, *path: str | int) -> Iterator[Path]:
        """The paths of the objects in a list."""
        found = self.look(*path)
        for number, value in enumerate(found if isinstance(found, list) else ()):
            if isinstance(value, dict):
                yield (*path, number)

    def rest(self) -> dict[str, Any]:
        """What nobody took, in its own names and shape; nothing that is empty or null."""
        left = self._left(self.record, ())
        return left if isinstance(left, dict) else {}

    def _left(self, value: Any, path: Path) -> Any:
        if value is None or value == "" or path in self._taken:
            return None
        if type(value) is dict:
            kept = {}
            for name, item in value.items():
                left = None if item is None else self._left(item, (*path, name))
                if left is not None:
                    kept[str(name)] = left
            return kept or None
        if type(value) is list:
            items = [self._left(item, (*path, number)) for number, item in enumerate(value)]
            return items if any(item is not None for item in items) else None
        return value


def without_absent(value: dict[str, Any]) -> dict[str, Any]:
    """A record without the fields that are unknown or empty."""
    return {name: item for name, item in value.items() if item is not None and item not in ("", [], {})}

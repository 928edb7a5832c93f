"""Values that nobody expects, at any place of an export, stop no reader: the record is read or put aside."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sources.mutations import examples

from carelog.sources.blocks import ReadOptions
from carelog.sources.reading import identify, read_blocks

HERE = Path(__file__).parent
ODD: list[Any] = [
    None, True, 0, -1, 1e308, 10**18, 2**63, 2**64 - 1, 253402300800, -62135596801, "", "-", "1e400", "NaN", "²", "๕๕",
    "9" * 400, "1E999999", "1E99999999999999999", "0000-00-00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00",
    "31/31/2026", "2026-03-01T10:00:00+99:99", "12 Sep 20269999999", "99:99:99", "1772359200000000", [], {}, [[]], [{}],
    {"id": [1]}, ["a", 1, None], "\x00", "\ud7ff\ue000\u202e", "((((", "1.234,50", "[1e999]", "{'a': {1}}",
]  # fmt: skip


def find_exports() -> dict[str, Path]:
    kinds = (".json", ".ndjson", ".jsonl", ".csv", ".tsv")
    paths = [
        path for path in sorted(HERE.glob("*/*")) if path.suffix in kinds and "expected" not in path.name
    ]
    return {f"{path.parent.name}/{path.name}": path for path in paths if path.stat().st_size < 100_000}


EXPORTS = find_exports()


def places_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*path, key)
        yield from places_of(inner, (*path, key))


def put(value: Any, path: tuple[Any, ...], odd: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = odd


def documents_of(raw: bytes) -> list[Any]:
    for pieces in ([raw], raw.splitlines()):
        found = []
        for piece in pieces:
            try:
                found.append(json.loads(piece))
            except ValueError:
                continue
        if found:
            return found
    return []


@st.composite
def with_odd_values(draw: st.DrawFn, path: Path) -> bytes:
    """An export with some of its values replaced."""
    raw = path.read_bytes()
    if path.suffix in (".csv", ".tsv"):
        text = raw.decode("utf-8-sig", "replace")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        for _ in range(draw(st.integers(1, 5))):
            row = draw(st.sampled_from(rows))
            if row:
                row[draw(st.integers(0, len(row) - 1))] = str(draw(st.sampled_from(ODD)))
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=delimiter).writerows(rows)
        return out.getvalue().encode("utf-8", "replace")
    documents = documents_of(raw)
    for _ in range(draw(st.integers(1, 5)) if documents else 0):
        document = draw(st.sampled_from(documents))
        places = list(places_of(document))
        if places:
            put(document, draw(st.sampled_from(places)), json.loads(json.dumps(draw(st.sampled_from(ODD)))))
    return b"\n".join(json.dumps(document).encode() for document in documents)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_odd_values_never_stop_a_reader(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(EXPORTS)))
    with identify([str(EXPORTS[name])]) as inputs:
        known = inputs.known[0].format
    path = tmp_path_factory.getbasetemp() / f"odd{EXPORTS[name].suffix}"
    path.write_bytes(data.draw(with_odd_values(EXPORTS[name])))
    options = ReadOptions(zone=data.draw(st.sampled_from([None, "America/New_York"])), currency="THB")
    with identify([str(path)], known) as inputs:
        for block in read_blocks(inputs, options):
            json.dumps(block.values, ensure_ascii=False, allow_nan=False).encode()

"""Tables written piece by piece are the same bytes however they were cut, and read back as they were."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carelog.columns import RECORD, to_record_batch, to_values
from carelog.errors import UsageProblem
from carelog.findings import Finding, Reject
from carelog.sources.blocks import ReadOptions
from carelog.sources.reading import identify, read_blocks
from carelog.store.tables import check_table_name, write_rejects, write_table

NAMES = ["a.jsonl", "a.csv", "a.tsv", "a.parquet", "a.jsonl.gz", "a.csv.zst"]


def record(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "interaction_id": str(number),
        "channel": "email",
        "started_at": "2026-03-10T09:15:00-04:00",
        **fields,
    }


def written(name: str, *batches: pa.RecordBatch) -> bytes:
    file = io.BytesIO()
    with write_table(file, name, RECORD) as write:
        for batch in batches:
            write(batch)
    return file.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_the_bytes_do_not_depend_on_how_the_rows_came(name: str) -> None:
    batch = to_record_batch([record(n, notes="x" * (n % 50), tags=["a"]) for n in range(20_000)])
    pieces = [batch.slice(at, 777) for at in range(0, 20_000, 777)]
    assert written(name, batch) == written(name, *pieces) == written(name, batch.slice(0, 0), batch)


TEXT = st.text(st.sampled_from("'=+-@\t\r\n,;\"\\ab हथ\u2028\x00"), min_size=1, max_size=9)
VALUE = st.fixed_dictionaries(
    {},
    optional={
        "subject": TEXT,
        "notes": TEXT,
        "tags": st.lists(TEXT, max_size=2),
        "wait_seconds": st.integers(0, 10**9) | st.floats(0, 1e9),
        "messages": st.lists(st.fixed_dictionaries({"speaker": TEXT, "text": TEXT}), max_size=2),
        "order": st.fixed_dictionaries({"amount": TEXT}),
        "satisfaction": st.just({"scale": "csat_5", "score": 4}),
        "extra": st.dictionaries(TEXT, TEXT, min_size=1, max_size=2),
    },
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(VALUE, min_size=1, max_size=4))
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.tsv", "a.parquet"])
def test_what_is_written_is_read_as_it_was(tmp_path: Path, name: str, values: list[dict[str, Any]]) -> None:
    batch = to_record_batch([record(n, **value) for n, value in enumerate(values)])
    (tmp_path / name).write_bytes(written(name, batch))
    with identify([str(tmp_path / name)]) as inputs:
        blocks = list(read_blocks(inputs, ReadOptions()))
    assert [reject for block in blocks for reject in block.rejects] == []
    read = [value for block in blocks for value in block.values]
    for value in read:
        del value["source"]
    assert to_values(to_record_batch(read)) == to_values(batch)


def test_no_cell_begins_like_a_formula() -> None:
    batch = to_record_batch([record(1, subject="=1+1", notes="@a", tags=["-1"], extra={"=x": "+1"})])
    rows = list(csv.DictReader(io.StringIO(written("a.csv", batch).decode(), newline="")))
    assert (rows[0]["subject"], rows[0]["notes"], rows[0]["tags"]) == ("'=1+1", "'@a", r'["\u002d1"]')
    assert json.loads(rows[0]["extra"]) == {"=x": "+1"}
    assert not any(cell[:1] in tuple("=+-@\t\r") for cell in rows[0].values() if cell)


def test_compression_follows_the_name() -> None:
    batch = to_record_batch([record(1)])
    plain = written("a.jsonl", batch)
    assert gzip.decompress(written("a.jsonl.gz", batch)) == plain
    packed = written("a.jsonl.zst", batch)
    assert zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)).read() == plain


def test_parquet_keeps_the_layout_even_without_rows() -> None:
    table = pq.read_table(io.BytesIO(written("a.parquet")))
    assert table.schema.equals(RECORD)
    assert table.num_rows == 0


@pytest.mark.parametrize("name", ["a", "a.xlsx", "a.parquet.gz", "a.json", ".gz"])
def test_a_name_that_says_no_table_format_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageProblem):
        check_table_name(name)


def test_rejects_have_the_shape_of_the_contract() -> None:
    finding = Finding("f.jsonl", 3, "/channel", "enum", "no such channel")
    file = io.BytesIO()
    with write_rejects(file, "r.jsonl") as write:
        write([Reject("f.jsonl", 3, 17, "i-1", '{"a":"\u0e01"}', [finding])])
        write([])
    assert orjson.loads(file.getvalue()) == {
        "file": "f.jsonl",
        "line": 3,
        "byte_offset": 17,
        "interaction_id": "i-1",
        "errors": [{"pointer": "/channel", "keyword": "enum", "message": "no such channel"}],
        "raw": '{"a":"\u0e01"}',
    }

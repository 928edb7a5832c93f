"""How the format of an input is told, and what other formats must keep to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carelog.errors import UsageProblem
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats import FORMATS, Format, detect_formats
from carelog.sources.paths import Input, find_inputs
from carelog.sources.reading import identify, read_blocks
from carelog.sources.streams import Opened, open_input


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (b'{"interaction_id":"1"}\n{"a":1}\n', "x", "jsonl"),
        (b'garbage\n{"a":1}\n{"a":2}\n', "-", "jsonl"),
        (b'{"a":1}', "-", "jsonl"),
        (b'{"a": ' + b"[" * 70_000, "x.ndjson", "jsonl"),
        (b"[]\n[]\n", "x.jsonl", "jsonl"),
        (b"[]\n[]\n", "x.json", "json"),
        (b' \n [{"a":1},\n{"a":2}]', "-", "json"),
        (b'{\n  "a": 1,\n  "b": {"c": 1}\n}', "-", "json"),
        (b"channel;interaction_id\n", "-", "csv"),
        (b"channel\tinteraction_id\n", "x.csv", "tsv"),
        (b'"interaction_id","channel"\r\n', "x.txt", "csv"),
        (b"id,kind\n", "x.CSV.gz", "csv"),
        (b"not json at all\n", "x.jsonl", "jsonl"),
        (b"PAR1\x15\x04", "x.csv", "parquet"),
        (b"# Title, with a comma\n", "README.md", None),
        (b"Dear all,\n", "-", None),
        (b"\0\0\0\0", "x.csv", None),
        (b"", "x.txt", None),
    ],
)
def test_a_format_is_told_by_content_then_by_name(head: bytes, name: str, expected: str | None) -> None:
    assert list(detect_formats(head, name)) == ([expected] if expected else [])


@given(st.binary(max_size=300) | st.text(st.sampled_from('{}[]",;\n\r\t interaction_id')).map(str.encode))
def test_detection_never_fails_and_never_wavers(head: bytes) -> None:
    for name in ("-", "a.csv", "a.jsonl", "a.txt"):
        assert len(detect_formats(head, name)) <= 1


def detect_cake(head: bytes, name: str) -> str | None:
    return "it names cake" if b"cake" in head else None


def read_cake(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    for number, raw in enumerate(opened.stream, 1):
        value = {"interaction_id": raw.decode().strip(), "extra": {"zone": options.zone}}
        yield Block(opened.name, "cake", [value], [number], [None], [raw])


def read_cakes_together(inputs: Iterator[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    texts = [opened.stream.read().decode().strip() for opened in inputs]
    yield Block("all", "cake", [{"interaction_id": "+".join(texts)}], [1], [None], [b""])


CAKE = Format("Cakes", detect_cake, read_cake)


def test_a_format_that_claims_an_input_comes_before_the_general_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, "cake", CAKE)
    (tmp_path / "x.jsonl").write_text('{"cake":1}\n')
    with identify([str(tmp_path)]) as inputs:
        assert [(known.format, known.reason) for known in inputs.known] == [("cake", "it names cake")]
        (first, second) = read_blocks(inputs, ReadOptions(zone="UTC"))
    assert (first.read, second.values[0]["extra"]) == (0, {"zone": "UTC"})


def test_two_claims_are_an_error_that_names_both_and_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, "cake", CAKE)
    monkeypatch.setitem(FORMATS, "pie", CAKE)
    path = tmp_path / "x"
    path.write_text("cake\n")
    with pytest.raises(UsageProblem) as caught:
        identify([str(path)])
    assert "cake (it names cake); pie (it names cake)" in caught.value.message
    assert "--from" in (caught.value.hint or "")
    with identify([str(path)], from_format="pie") as inputs:
        assert [known.format for known in inputs.known] == ["pie"]


def test_a_format_can_read_all_of_its_inputs_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        FORMATS, "cake", Format("Cakes", detect_cake, read_cake, read_together=read_cakes_together)
    )
    (tmp_path / "1").write_text("cake a\n")
    (tmp_path / "2.jsonl").write_text('{"a":1}\n')
    (tmp_path / "3").write_text("cake b\n")
    with identify([str(tmp_path)]) as inputs:
        blocks = [block for block in read_blocks(inputs, ReadOptions()) if block.read]
    assert [block.values[0].get("interaction_id") for block in blocks] == ["cake a+cake b", None]


def test_trouble_while_reading_is_reported_for_every_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_badly(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
        opened.trouble = Fault("truncated", "gone")
        return iter(())

    monkeypatch.setitem(FORMATS, "cake", Format("Cakes", detect_cake, read_badly))
    (tmp_path / "x").write_text("cake\n")
    with identify([str(tmp_path / "x")]) as inputs:
        found = [finding for block in read_blocks(inputs, ReadOptions()) for finding in block.findings]
    assert [(finding.keyword, finding.message) for finding in found] == [("truncated", "gone")]


def test_reading_the_head_takes_nothing_from_the_stream(tmp_path: Path) -> None:
    path = tmp_path / "x"
    data = bytes(range(256)) * 1000
    path.write_bytes(data)
    with open_input(Input("x", path)) as opened:
        assert opened.head == data[:65536]
        assert opened.stream.read() == data


def test_inputs_are_sorted_by_name_and_named_as_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b/2", "b/10", "b/c/1", "a", ".hidden", "b/.git/x"):
        Path(name).parent.mkdir(exist_ok=True, parents=True)
        Path(name).touch()
    names = [item.name for item in find_inputs(["./b", "a", "-", "./b/2", "b/c"])]
    assert names == ["-", "./b/10", "./b/2", "./b/c/1", "a"]


def test_a_name_that_is_not_utf8_can_be_written(tmp_path: Path) -> None:
    path = Path(str(tmp_path), "caf\udce9.jsonl")
    try:
        path.touch()
    except OSError:
        pytest.skip("this file system has no such names")
    (item,) = find_inputs([str(tmp_path)])
    assert item.name == f"{tmp_path}/caf\\xe9.jsonl"
    assert item.path is not None
    assert item.path.exists()

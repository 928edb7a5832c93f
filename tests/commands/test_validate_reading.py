"""What can be wrong with an input, as the caller of `carelog validate` sees it."""

from __future__ import annotations

import codecs
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from tests.commands.logs import call, chat, findings_of, line, lines, names_in

SECRET = "my card is 4111-1111"

BROKEN_LINES: dict[str, tuple[bytes, str]] = {
    "text": (SECRET.encode(), "not_json"),
    "half an object": (b'{"interaction_id":"x","notes":"' + SECRET.encode(), "not_json"),
    "two objects": (b'{"a":1}{"a":2}', "not_json"),
    "a raw control character": (b'{"a":"\x01"}', "not_json"),
    "a list": (b"[]", "not_object"),
    "null": (b"null", "not_object"),
    "a number": (b"17", "not_object"),
    "NaN": (b'{"interaction_id":"x","wait_seconds":NaN}', "nan"),
    "minus Infinity": (b'{"interaction_id":"x","wait_seconds":-Infinity}', "nan"),
    "a number beyond all bounds": (b'{"interaction_id":"x","wait_seconds":1e999}', "nan"),
    "a duplicate key": (b'{"interaction_id":"x","notes":"a","notes":"b"}', "duplicate_key"),
    "a duplicate key below": (
        b'{"interaction_id":"x","order":{"kind":"sale", "kind" : "void"}}',
        "duplicate_key",
    ),
    "a duplicate key in disguise": (b'{"interaction_id":"x","a":1,"\\u0061" :":\\u003a"}', "duplicate_key"),
    "a lone surrogate": (b'{"interaction_id":"x","notes":"\\ud83d"}', "lone_surrogate"),
    "invalid UTF-8": (b'{"interaction_id":"x","notes":"\xe0\xa4"}', "invalid_utf8"),
    "a surrogate in UTF-8": (b'{"interaction_id":"x","notes":"\xed\xa0\xbd"}', "invalid_utf8"),
    "Latin-1": (b'{"interaction_id":"x","notes":"caf\xe9"}', "invalid_utf8"),
    "300 arrays": (b'{"interaction_id":"x","extra":' + b"[" * 300 + b"]" * 300 + b"}", "too_deep"),
    "100,000 arrays": (b"[" * 100_000, "too_deep"),
    "65 levels": (b'{"a":' * 64 + b"{}" + b"}" * 64, "too_deep"),
}


@pytest.mark.parametrize(("broken", "keyword"), BROKEN_LINES.values(), ids=BROKEN_LINES)
def test_a_broken_line_costs_only_itself(tmp_path: Path, broken: bytes, keyword: str) -> None:
    path, rejects, good = tmp_path / "log.jsonl", tmp_path / "bad.jsonl", tmp_path / "good.jsonl"
    before, after = lines(1, 2).encode(), lines(3, 4).encode()
    path.write_bytes(before + broken + b"\n" + after)
    result = call("validate", path, "--format", "json", "--rejects", rejects, "--accepted", good)
    assert result.exit_code == 1
    assert result.stderr == "validate: read 5 = accepted 4 + rejected 1\n"
    assert findings_of(result) == [(str(path), 3, keyword)]
    (reject,) = map(json.loads, rejects.read_text("utf-8").splitlines())
    assert (reject["line"], reject["byte_offset"]) == (3, len(before))
    assert reject["raw"] == broken.decode("utf-8", "backslashreplace")
    ids = [json.loads(text)["interaction_id"] for text in good.read_text("utf-8").splitlines()]
    assert ids == ["chat-1", "chat-2", "chat-3", "chat-4"]
    assert names_in(tmp_path) == ["bad.jsonl", "good.jsonl", "log.jsonl"]
    assert SECRET not in result.stdout + result.stderr


def test_64_levels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(line(1, extra=json.loads('{"a":' * 62 + "{}" + "}" * 62)))
    assert call("validate", path).exit_code == 0


def test_a_line_of_50_megabytes_is_put_aside_and_the_limit_is_an_option(tmp_path: Path) -> None:
    path, rejects = tmp_path / "log.jsonl", tmp_path / "bad.jsonl"
    long = line(2, notes="x" * 50_000_000)
    path.write_text(line(1) + long + line(3), "utf-8")
    result = call("validate", path, "--format", "json", "--rejects", rejects)
    assert (result.exit_code, findings_of(result)) == (1, [(str(path), 2, "too_long")])
    reject = json.loads(rejects.read_text("utf-8"))
    assert reject["byte_offset"] == len(line(1).encode())
    assert reject["raw"].startswith('{"interaction_id": "chat-2"')
    assert reject["raw"].endswith(f"[cut by carelog: {len(long.encode()) - 1} bytes]")
    assert len(reject["raw"]) < 2000
    assert call("validate", path, "--max-line-bytes", "64M").exit_code == 0


@pytest.mark.parametrize("name", ["log.jsonl", "log.json", "log.csv"])
def test_the_limit_counts_for_every_text_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(FORMATS[name](chat(1), chat(2, notes="x" * 3000), chat(3)), "utf-8", newline="")
    result = call("validate", path, "--format", "json", "--max-line-bytes", "2K")
    assert result.stderr == "validate: read 3 = accepted 2 + rejected 1\n"
    assert [keyword for _, _, keyword in findings_of(result)] == ["too_long"]


def to_jsonl(*values: dict[str, Any]) -> str:
    return "".join(json.dumps(v, ensure_ascii=False) + "\n" for v in values)


def to_array(*values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2)


def to_compact_array(*values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def to_concatenated(*values: dict[str, Any]) -> str:
    return "".join(json.dumps(v, ensure_ascii=False, indent=1) for v in values)


def to_csv(*values: dict[str, Any], delimiter: str = ",") -> str:
    names = list(dict.fromkeys(name for v in values for name in v))
    rows = [delimiter.join(names)]
    for value in values:
        texts = [
            v if isinstance(v := value.get(n, ""), str) else json.dumps(v, ensure_ascii=False) for n in names
        ]
        rows.append(delimiter.join('"' + text.replace('"', '""') + '"' for text in texts))
    return "\r\n".join(rows) + "\r\n"


def to_tsv(*values: dict[str, Any]) -> str:
    return to_csv(*values, delimiter="\t")


def to_semicolons(*values: dict[str, Any]) -> str:
    return to_csv(*values, delimiter=";")


FORMATS: dict[str, Callable[..., str]] = {
    "log.jsonl": to_jsonl,
    "log.json": to_array,
    "compact.json": to_compact_array,
    "one-after-another.json": to_concatenated,
    "log.csv": to_csv,
    "log.tsv": to_tsv,
    "semicolons.csv": to_semicolons,
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".gz in members": lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]) + b"\0" * 512,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
    ".zst in frames": lambda data: b"".join(
        zstandard.ZstdCompressor().compress(part) for part in (data[:70], data[70:])
    ),
}
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-8 with a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16 little": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16 big": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
@pytest.mark.parametrize(("name", "to_text"), FORMATS.items(), ids=FORMATS)
def test_every_format_is_told_by_content_in_every_packing_and_encoding(
    tmp_path: Path,
    name: str,
    to_text: Callable[..., str],
    pack: Callable[[bytes], bytes],
    encode: Callable[[str], bytes],
) -> None:
    del name
    good = tmp_path / "good.jsonl"
    sent = [chat(1), chat(2, wait_seconds=12.5, tags=["a"]), chat(3, notes='say "hi";\r\nnow,\tok')]
    packed = pack(encode(to_text(*sent)))
    result = call("validate", "-", "--accepted", good, stdin=packed)
    assert (result.exit_code, result.stderr) == (0, "validate: read 3 = accepted 3 + rejected 0\n")
    got = [json.loads(text) for text in good.read_text("utf-8").splitlines()]
    assert all(value.pop("source")["file"] == "-" for value in got)
    assert got == sent


def test_a_name_that_lies_does_not_mislead(tmp_path: Path) -> None:
    for name, other in (
        ("a.csv", "log.jsonl"),
        ("b.jsonl", "log.csv"),
        ("c.txt", "log.json"),
        ("d.gz", "log.jsonl"),
    ):
        (tmp_path / name).write_text(FORMATS[other](chat(1)), "utf-8", newline="")
    result = call("validate", tmp_path, "--format", "json")
    assert result.exit_code == 0
    assert [f["format"] for f in json.loads(result.stdout)["files"]] == ["jsonl", "csv", "json", "jsonl"]


def test_crlf_blank_lines_and_a_last_line_without_end_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(
        b"\r\n" + line(1).replace("\n", "\r\n").encode() + b"  \n\t\r\n" + line(2).strip().encode()
    )
    result = call("validate", path, "--format", "json")
    (entry,) = json.loads(result.stdout)["files"]
    assert (result.exit_code, entry["records"], entry["blank_lines"]) == (0, 2, 3)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress], ids=["gz", "zst"])
def test_a_truncated_archive_is_read_up_to_its_end(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path, rejects = tmp_path / "log.jsonl.gz", tmp_path / "bad.jsonl"
    numbers = os.urandom(300_000).hex()
    data = "".join(line(n, notes=numbers[n * 2000 : n * 2000 + 2000]) for n in range(300)).encode()
    path.write_bytes(pack(data)[:-2000])
    result = call("validate", path, "--format", "json", "--rejects", rejects)
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["accepted"] >= 200
    assert report["rejected"] <= 1
    assert {(e["line"], e["keyword"]) for e in report["errors"]} <= {
        (None, "truncated"),
        (report["records"], "truncated"),
    }
    assert (str(path), None, "truncated") in findings_of(result)


def test_a_damaged_archive_is_read_up_to_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    whole = gzip.compress(lines(*range(50)).encode())
    damaged = bytearray(whole + gzip.compress(lines(*range(50, 100)).encode()))
    damaged[len(whole) + 40 :] = b"\xff" * 200
    path.write_bytes(bytes(damaged))
    result = call("validate", path, "--format", "json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["accepted"] >= 50) == (1, True)
    assert (str(path), None, "corrupt") in findings_of(result)


def test_rubbish_after_an_archive_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress(line(1).encode()) + b"rubbish")
    result = call("validate", path, "--format", "json")
    assert (result.exit_code, findings_of(result)) == (1, [(str(path), None, "corrupt")])
    assert result.stderr == "validate: read 1 = accepted 1 + rejected 0\n"


@pytest.mark.parametrize("separator", [",", ",\n  "], ids=["compact", "one a line"])
@pytest.mark.parametrize(
    "broken",
    [
        '{"interaction_id": "x", "notes": "open}',
        '{"interaction_id": "x", "messages": [{"speaker": "agent"}',
        '{"interaction_id": "x", "notes": nothing}',
        '{"interaction_id": "x"]',
        "rubbish",
        "17",
        '"text"',
        "[1, 2]",
    ],
)
def test_a_broken_element_of_an_array_costs_only_itself(tmp_path: Path, broken: str, separator: str) -> None:
    path = tmp_path / "log.json"
    sound = [json.dumps(chat(n)) for n in (1, 2, 3)]
    path.write_text("[" + separator.join([sound[0], broken, *sound[1:]]) + "]")
    result = call("validate", path, "--format", "json")
    assert result.stderr == "validate: read 4 = accepted 3 + rejected 1\n"
    assert [line for _, line, _ in findings_of(result)] == [2]


def test_an_array_that_is_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    whole = to_array(chat(1), chat(2), chat(3))
    path.write_text(whole[:-30], "utf-8")
    result = call("validate", path, "--format", "json")
    assert result.stderr == "validate: read 3 = accepted 2 + rejected 1\n"
    assert findings_of(result) == [(str(path), None, "truncated"), (str(path), 3, "truncated")]


def test_a_row_with_too_many_or_too_few_cells_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = ["interaction_id,channel,started_at,status", "1,phone,2026-01-01T10:00:00Z,completed"]
    rows += [
        "2,phone",
        "3,phone,2026-01-01T10:00:00Z,completed,x,y",
        "",
        ",,,",
        rows[1].replace("1,", "4,", 1),
    ]
    path.write_text("\n".join(rows))
    result = call("validate", path, "--format", "json")
    assert result.stderr == "validate: read 4 = accepted 2 + rejected 2\n"
    assert findings_of(result) == [(str(path), 3, "too_few_cells"), (str(path), 4, "too_many_cells")]
    assert json.loads(result.stdout)["files"][0]["blank_lines"] == 2


def test_a_quotation_mark_that_does_not_close_costs_one_row(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    sound = '{},phone,2026-01-01T10:00:00Z,completed,"a 5"" pipe,\nthen more"'
    rows = ["interaction_id,channel,started_at,status,notes", sound.format(1), sound.format(2)]
    rows += ['3,phone,2026-01-01T10:00:00Z,completed,"open', *(sound.format(n) for n in (4, 5, 6))]
    path.write_text("\n".join(rows) + "\n")
    result = call("validate", path, "--format", "json")
    assert [line for _, line, _ in findings_of(result)][:1] == [4]
    assert result.stderr.startswith("validate: read 6 = accepted 5 ")


def test_the_cells_of_a_table_hold_numbers_and_json(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "interaction_id,channel,started_at,status,wait_seconds,tags\n"
        '1,phone,2026-01-01T10:00:00Z,completed,"1,5",\n'
        "2,phone,2026-01-01T10:00:00Z,completed,1.5,[oops\n"
        '3,phone,2026-01-01T10:00:00Z,completed,1.5,"[""a""]"\n'
    )
    result = call("validate", path, "--format", "json")
    places = [(e["line"], e["pointer"], e["keyword"]) for e in json.loads(result.stdout)["errors"]]
    assert places == [(2, "/wait_seconds", "type"), (3, "/tags", "not_json")]


def test_a_header_with_a_name_twice_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "interaction_id,channel,started_at,status,status\n1,phone,2026-01-01T10:00:00Z,completed,x\n"
    )
    result = call("validate", path, "--format", "json")
    assert (str(path), 1, "duplicate_column") in findings_of(result)
    assert (result.exit_code, result.stderr) == (1, "validate: read 1 = accepted 1 + rejected 0\n")


def test_parquet_is_read_with_nested_columns_or_json_text(tmp_path: Path) -> None:
    values = [chat(1, wait_seconds=3.0), chat(2, tags=["a"])]
    pq.write_table(
        pa.Table.from_pylist([{**v, "tags": v.get("tags")} for v in values]), tmp_path / "a.parquet"
    )
    texts = [
        {k: v if isinstance(v, str) else json.dumps(v) for k, v in value.items()} for value in values[1:]
    ]
    pq.write_table(pa.Table.from_pylist(texts), tmp_path / "b.parquet")
    good = tmp_path / "good.jsonl"
    result = call("validate", tmp_path, "--accepted", good)
    assert (result.exit_code, result.stderr) == (0, "validate: read 3 = accepted 3 + rejected 0\n")
    got = [json.loads(text) for text in good.read_text("utf-8").splitlines()]
    assert [(v.pop("source")["format"], v) for v in got] == [("parquet", v) for v in [*values, values[1]]]


@pytest.mark.parametrize("cut", [4, 200], ids=["no footer", "half a footer"])
def test_a_damaged_parquet_file_is_a_finding_and_the_others_are_read(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist([chat(1)]), path)
    path.write_bytes(path.read_bytes()[:-cut])
    (tmp_path / "b.jsonl").write_text(line(2), "utf-8")
    result = call("validate", tmp_path, "--format", "json")
    assert result.stderr == "validate: read 1 = accepted 1 + rejected 0\n"
    assert (result.exit_code, findings_of(result)) == (1, [(str(path), None, "not_parquet")])


def test_a_parquet_row_with_text_that_is_not_utf8_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.Table.from_pylist([chat(n) for n in (1, 2, 3)])
    bad = pa.array([b"a", b"\xff\xfe", b"c"], pa.binary()).view(pa.string())
    pq.write_table(table.append_column("notes", bad), path)
    result = call("validate", path, "--format", "json")
    assert (result.exit_code, findings_of(result)) == (1, [(str(path), 2, "unreadable")])
    assert result.stderr == "validate: read 3 = accepted 2 + rejected 1\n"


def test_local_times_get_the_offset_of_the_zone_and_clock_changes_are_warned_of(tmp_path: Path) -> None:
    path, good = tmp_path / "log.jsonl", tmp_path / "good.jsonl"
    starts = [
        "2026-07-01T10:00:00",
        "2026-10-25 02:30:00",
        "2026-03-29T02:30:00",
        "2026-01-01T10:00:00+07:00",
    ]
    path.write_text("".join(line(n, started_at=start) for n, start in enumerate(starts)))
    without = call("validate", path, "--format", "json")
    assert [line for _, line, _ in findings_of(without)] == [1, 2, 3]
    result = call("validate", path, "--tz", "Europe/Berlin", "--accepted", good, "--format", "json")
    assert findings_of(result) == [(str(path), 2, "clock_fold"), (str(path), 3, "clock_gap")]
    assert result.exit_code == 0
    assert [json.loads(text)["started_at"] for text in good.read_text().splitlines()] == [
        "2026-07-01T10:00:00+02:00",
        "2026-10-25T02:30:00+02:00",
        "2026-03-29T02:30:00+01:00",
        "2026-01-01T10:00:00+07:00",
    ]


def test_hostile_text_arrives_in_no_terminal_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "evil\x1b[2J\nname.jsonl"
    path.write_text(line(1, channel="\x1b]0;owned\x07") + line(2))
    result = call("validate", path)
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout + result.stderr
    assert "\x07" not in result.stdout + result.stderr


def test_a_bomb_is_read_in_little_memory(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "bomb.jsonl.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as packed:
        for _ in range(600):
            packed.write(b" " * 1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = call("validate", path, "--from", "jsonl")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert result.exit_code == 65
    assert "too_long" in result.stdout
    assert grown < 150_000_000


def test_what_is_no_json_is_said_in_a_sentence_that_reads_well(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(b'{"a":"\x01"}\n{"a":"b\n' + lines(1).encode())
    said = json.loads(call("validate", tmp_path / "log.jsonl", "--format", "json").stdout)["errors"]
    assert [error["message"] for error in said] == [
        "this is not JSON: invalid control character at character 7",
        "this is not JSON: unterminated string at character 6",
    ]

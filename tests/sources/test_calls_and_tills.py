"""Telephone systems and tills: every fixture as reviewed, nothing lost, nothing claimed that is another's."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.commands.logs import call
from tests.sources.goldens import check_golden, read_files
from tests.sources.leaves import lost_leaves
from tests.sources.mutations import examples, mutated, read_damaged

from carelog.sources.formats import detect_formats

HERE = Path(__file__).parent
SAMPLES = HERE.parents[2] / "shared" / "samples"
FORMATS = {
    "asterisk": "asterisk_cdr", "amazon_connect": "amazon_connect", "genesys": "genesys_cloud",
    "twilio": "twilio", "cucm": "cucm_cdr", "square": "square", "shopify": "shopify", "loyverse": "loyverse",
    "poslog": "poslog",
}  # fmt: skip
FIXTURES = [
    (folder, path.name)
    for folder in FORMATS
    for path in sorted((HERE / folder).iterdir())
    if "expected" not in path.name and not path.name.startswith(".")
]


def is_valid(value: dict[str, Any], folder: Path) -> bool:
    path = folder / "one.jsonl"
    path.write_text(json.dumps(value), "utf-8")
    return call("validate", path).exit_code == 0


@pytest.mark.parametrize(("folder", "name"), FIXTURES)
def test_fixture_reads_as_reviewed(folder: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / folder)
    found = read_files(name, zone="Asia/Bangkok" if name in NAIVE else None)
    assert found.formats == {FORMATS[folder]}
    check_golden(name, found)


NAIVE = {"plain16.csv", "console.csv", "receipts_mdy.csv", "by_item.csv", "day.xml"}


@pytest.mark.parametrize(("folder", "name"), FIXTURES)
def test_records_are_valid(folder: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / folder)
    for value in read_files(name, zone="Asia/Bangkok").values:
        assert is_valid(value, tmp_path), value


@pytest.mark.parametrize(("folder", "name"), FIXTURES)
def test_only_one_format_claims_it_however_it_is_called(folder: str, name: str) -> None:
    head = (HERE / folder / name).read_bytes()[:65536]
    for called in (name, "-", "export.txt"):
        assert list(detect_formats(head, called)) == [FORMATS[folder]]


@pytest.mark.skipif(not SAMPLES.exists(), reason="the reference samples are not here")
def test_samples_of_other_systems_are_not_claimed() -> None:
    ours = {
        "connect_contact_lens": "amazon_connect", "connect_ctr": "amazon_connect", "cucm_cdr": "cucm_cdr",
        "genesys_conversation_detail": "genesys_cloud", "twilio": "twilio", "arts_poslog": "poslog",
        "loyverse_receipts_csv": "loyverse",
    }  # fmt: skip
    for path in sorted(SAMPLES.rglob("*")):
        if path.is_file():
            claims = detect_formats(path.read_bytes()[:65536], str(path))
            expected = ours.get(path.parent.name)
            assert set(claims) & set(FORMATS.values()) == ({expected} if expected else set()), path


@pytest.mark.skipif(not SAMPLES.exists(), reason="the reference samples are not here")
@pytest.mark.parametrize(
    ("sample", "count", "rejects"),
    [
        ("connect_ctr", 2, []),
        ("connect_contact_lens", 1, ["no_start"]),
        ("genesys_conversation_detail", 1, []),
        ("twilio", 2, []),
        ("cucm_cdr", 2, []),
        ("arts_poslog", 1, []),
        ("loyverse_receipts_csv", 2, []),
    ],
)
def test_samples_read_as_a_person_would(sample: str, count: int, rejects: list[str]) -> None:
    found = read_files(SAMPLES / sample, zone="Asia/Bangkok")
    assert (len(found.values), found.rejects) == (count, rejects)


def _natives(folder: str, name: str) -> list[Any]:
    text = (HERE / folder / name).read_text("utf-8")
    if name.endswith(".json"):
        bare = re.sub(r"// the channel", "", text)
        values, at = [], 0
        while at < len(bare.rstrip().rstrip("}")):
            value, at = json.JSONDecoder().raw_decode(bare, at)
            values.append(value)
            at += len(bare[at:]) - len(bare[at:].lstrip())
        return [v.get("conversations") or v.get("calls") or v for v in values]
    rows = list(csv.DictReader(io.StringIO(text)))
    return [row for row in rows if not any(v is None for v in row.values())]


def _form(path: tuple[str | int, ...], leaf: Any) -> Any:
    """How a leaf stands in a record that is not kept as it stood there."""
    if path[-1] in ("PAN Suffix", "Token"):
        return None
    if isinstance(leaf, str) and re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", leaf):
        return re.sub(r"(\.\d+)Z", lambda found: found[1].ljust(7, "0") + "Z", leaf)
    if isinstance(leaf, str) and re.fullmatch(r"\d+", leaf) and path[-1] in ("duration", "Duration"):
        return int(leaf)
    return leaf.lstrip("'").strip() if isinstance(leaf, str) else leaf


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("amazon_connect", "chat.json"), ("genesys", "query.json"), ("twilio", "calls.json"),
        ("twilio", "console.csv"), ("square", "transactions.csv"), ("square", "items.csv"),
        ("shopify", "orders.csv"), ("loyverse", "receipts_mdy.csv"), ("loyverse", "by_item.csv"),
        ("cucm", "cdr_Cluster1_01_202609140000_1"), ("asterisk", "cdr__1789430400pbx.csv"),
    ],
)  # fmt: skip
def test_nothing_is_lost(folder: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / folder)
    found = read_files(name, zone="Asia/Bangkok")
    natives = [n for n in _natives(folder, name) if not _is_no_call(n)]
    assert lost_leaves(natives, {"values": found.values}, _form) == []


def test_nothing_of_a_log_in_xml_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / "poslog")
    text = Path("day.xml").read_text("utf-8")
    first = text[text.index("<Transaction ") : text.index("</Transaction>")]
    values = {
        name: value.removeprefix(">").removesuffix("<") if value[0] == ">" else value
        for name, value in enumerate(re.findall(r">[^<>]*[^\s<>][^<>]*<|(?<==\")[^\"]*", first))
    }
    native = {str(name): value for name, value in values.items()}

    def form(path: tuple[str | int, ...], leaf: str) -> str:
        return leaf.replace(".3991907+", ".399190+")

    assert len(native) > 20
    assert lost_leaves(native, {"values": read_files("day.xml", zone="Europe/Berlin").values}, form) == []


def _is_no_call(row: Any) -> bool:
    # Cisco's second header, and the row that did not happen.
    return isinstance(row, dict) and (
        row.get("cdrRecordType") in ("INTEGER", "cdrRecordType") or row.get("dateTimeOrigination") == "0"
    )


@pytest.mark.parametrize("folder", FORMATS)
def test_a_file_cut_anywhere_costs_only_what_is_cut(folder: str, tmp_path: Path) -> None:
    path = max((HERE / f / n for f, n in FIXTURES if f == folder), key=lambda p: p.stat().st_size)
    raw = path.read_bytes()
    whole = {v["interaction_id"] for v in read_files(path, zone="Asia/Bangkok").values}
    for part in (60, 75, 90):
        cut = tmp_path / path.name
        cut.write_bytes(raw[: len(raw) * part // 100])
        found = read_files(cut, from_format=FORMATS[folder], zone="Asia/Bangkok")
        assert {v["interaction_id"] for v in found.values} <= whole
        assert found.values or found.rejects


@pytest.mark.parametrize("folder", FORMATS)
def test_ids_are_the_same_however_the_input_comes(folder: str, tmp_path: Path) -> None:
    path = next(HERE / f / n for f, n in FIXTURES if f == folder and not n.startswith("R"))
    other = tmp_path / "other name"
    other.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    first, second = (read_files(p, zone="Asia/Bangkok").values for p in (path, other))
    assert [v["interaction_id"] for v in first] == [v["interaction_id"] for v in second]


RAWS = {folder: [(HERE / f / n).read_bytes() for f, n in FIXTURES if f == folder] for folder in FORMATS}
WORDS = [
    b'"', b",", b"\n", b"\r", b"\0", b"{", b"}", b"[", b"]", b"null", b"true", b"-1", b"1e400", b"<", b">",
    b"</", b"&#0;", b"\xe0\xb8", b"\xff\xfe", b'{"a":', b"9999999999999999999", b"0000-00-00",
    b"9999-12-31T23:59:59Z", b"0001-01-01 00:00:00", b"NaN", b"'", b"\xd9\xa1",
]  # fmt: skip


@settings(max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_exports_never_stop_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = data.draw(st.sampled_from(sorted(FORMATS)))
    raw = data.draw(mutated(RAWS[folder], WORDS))
    path = tmp_path_factory.getbasetemp() / "damaged"
    zone = data.draw(st.sampled_from([None, "America/New_York"]))
    read_damaged(raw, path, FORMATS[folder], zone=zone)


@given(head=st.binary(max_size=300))
def test_detection_never_raises(head: bytes) -> None:
    for prefix in (b"", b"{", b'[{"a":', b"Date,Receipt number\n", b"<log ", b'"",'):
        claims = detect_formats(prefix + head, "x")
        assert not set(claims) & set(FORMATS.values())

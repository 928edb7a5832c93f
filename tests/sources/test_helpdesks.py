"""Zendesk, Intercom and Chatwoot exports to interactions."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.commands.logs import call
from tests.sources.goldens import check_golden, read_files
from tests.sources.leaves import Path as LeafPath
from tests.sources.leaves import lost_leaves

from carelog.sources.blocks import ReadOptions
from carelog.sources.formats import FORMATS, detect_formats
from carelog.sources.formats._html_text import html_to_text
from carelog.sources.formats._times import read_time
from carelog.sources.reading import identify, read_blocks

HERE = Path(__file__).parent
SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
SYSTEMS = ("zendesk", "intercom", "chatwoot")
FIXTURES = sorted(
    path.relative_to(HERE).as_posix()
    for system in SYSTEMS
    for path in (HERE / system).iterdir()
    if path.suffix in (".json", ".ndjson")
)


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


def values_of(path: str, **options: Any) -> dict[str, dict[str, Any]]:
    return {value["source"].get("record_id", "?"): value for value in read_files(path, **options).values}


@pytest.mark.parametrize("name", FIXTURES)
def test_fixture_reads_as_reviewed(name: str) -> None:
    found = read_files(name)
    assert found.formats == {name.split("/")[0]}
    check_golden(name, found)


def test_zendesk_comments_become_messages_and_internal_ones_notes() -> None:
    ticket = values_of("zendesk/export.ndjson")["501"]
    assert [m["speaker"] for m in ticket["messages"]] == ["customer", "agent", "system", "agent"]
    assert ticket["messages"][1]["text"] == "Sorry! See https://shop.example/r & choose a new one."
    assert ticket["notes"] == 'check stock, he is "nice"'
    assert (ticket["first_response_seconds"], ticket["resolution_seconds"]) == (1500, 108000)
    assert ticket["satisfaction"] == {"scale": "thumbs", "score": 1}


def test_zendesk_channel_and_initiative_follow_via_and_submitter() -> None:
    tickets = values_of("zendesk/export.ndjson")
    found = {key: (t["channel"], t["direction"], t["initiative"], t["status"]) for key, t in tickets.items()}
    assert found == {
        "501": ("email", "inbound", "reactive", "closed"),
        "502": ("phone", "inbound", "reactive", "voicemail"),
        "503": ("email", "outbound", "proactive", "closed"),
        "504": ("chat", "inbound", "reactive", "open"),
    }
    assert [m["speaker"] for m in tickets["502"]["messages"]] == ["system", "customer"]
    assert (tickets["502"]["talk_seconds"], tickets["502"].get("satisfaction")) == (31, None)
    assert tickets["503"]["satisfaction"] == {"scale": "thumbs", "score": 0}
    assert tickets["504"]["satisfaction"] == {"scale": "csat_5", "score": 4}
    assert [m["text"] for m in tickets["504"]["messages"]] == ["hi there", "Hello, how can I help?"]


def test_zendesk_page_knows_its_users_and_local_times_need_a_zone() -> None:
    found = read_files("zendesk/page.json", zone="Europe/Berlin")
    assert found.values[0]["started_at"] == "2026-10-25T02:30:00+02:00"
    assert found.findings == [("warning", "clock_fold")]
    assert [m["speaker"] for m in found.values[0]["messages"]] == ["customer", "customer", "agent"]
    assert [u["name"] for u in found.values[0]["extra"]["users"]] == ["Ana", "Cy", "Bo"]
    result = call("validate", "zendesk/page.json", "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)["errors"][0]["pointer"]) == (65, "/started_at")


def test_broken_tickets_cost_only_themselves() -> None:
    found = read_files("zendesk/broken.ndjson")
    assert found.rejects == ["not_json", "not_object", "not_a_ticket"]
    result = call("validate", "zendesk/broken.ndjson", "--format", "json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["accepted"], report["records"]) == (1, 1, 7)


def test_intercom_first_message_notes_bots_and_deleted_words() -> None:
    first, campaign = read_files("intercom/page.json").values
    told = [(m["speaker"], m["text"]) for m in first["messages"]]
    assert told == [
        ("customer", "Hi, my lamp is dark"),
        ("bot", "I am the assistant."),
        ("agent", "Sorry, Asha! We send a new one.\nToday."),
        ("customer", ""),
        ("system", "This message was deleted"),
    ]
    assert (first["notes"], first["agent_id"], first["team"]) == ("knows us", "9", "55")
    assert (first["started_at"], first["ended_at"]) == ("2026-09-14T01:40:00Z", "2026-09-14T04:10:00Z")
    assert (first["handle_seconds"], first["resolution_seconds"]) == (300, 9000)
    assert (campaign["channel"], campaign["initiative"], campaign["subject"]) == (
        "email", "proactive", "Your plan"
    )  # fmt: skip
    assert ("warning", "parts_missing") in read_files("intercom/page.json").findings


def test_chatwoot_zero_is_never_and_types_have_numbers_or_names() -> None:
    first, second = read_files("chatwoot/conversations.ndjson").values
    assert [m["speaker"] for m in first["messages"]] == [
        "customer", "system", "agent", "bot", "customer", "system", "bot"
    ]  # fmt: skip
    assert (first["notes"], first["team"], first["queue"]) == ("internal: courier lost it", "Care", "4")
    assert (first["first_response_seconds"], first["satisfaction"]["score"]) == (60, 4)
    assert (second["direction"], second["campaign"], second["channel"]) == ("outbound", "12", "email")
    assert "first_response_seconds" not in second
    assert read_files("chatwoot/page.json").findings == [("warning", "messages_missing")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1789350000, "2026-09-14T01:40:00Z"),
        (1789350000.25, "2026-09-14T01:40:00.250000Z"),
        (1789350000123, "2026-09-14T01:40:00.123000Z"),
        ("1789350000", "2026-09-14T01:40:00Z"),
        (0, None),
        (-1, None),
        (True, None),
        (None, None),
        ("", None),
        ("2026-09-14T01:40:00+0700", "2026-09-14T01:40:00+07:00"),
        ("2026-09-14 01:40:00 UTC", "2026-09-14T01:40:00Z"),
        ("2026-09-14T01:40:00.1234567Z", "2026-09-14T01:40:00.123456Z"),
        ("2026-09-14 01:40", "2026-09-14T01:40:00"),
        ("2026-02-30T01:40:00Z", None),
        ("soon", None),
    ],
)
def test_times_of_every_dress_keep_their_offset(value: Any, expected: str | None) -> None:
    assert read_time(value, None)[0] == expected


def _written(path: LeafPath, leaf: Any) -> Any:
    """How a leaf that is mapped looks in the record."""
    if path[0] in ("pages", "next_page", "count", "total_count", "users") or path[:2] == ("data", "meta"):
        return None  # the envelope of a page
    if path == ("type",):
        return None
    if isinstance(leaf, str) and leaf.startswith("<"):
        return html_to_text(leaf)
    if isinstance(leaf, str) and "&" in leaf and path[-1] != "html_body":
        return leaf.replace("&amp;", "&").replace("&quot;", '"') if path[-1] == "body" else leaf
    if path[-1] in (
        "score",
        "satisfaction_rating",
        "description",
        "calendar",
        "call_duration",
        "rating",
        "tags",
    ):
        return None  # mapped to another form, as other tests hold
    return read_time(leaf, None)[0] if isinstance(path[-1], str) and path[-1].endswith("_at") else leaf


@pytest.mark.parametrize("name", [n for n in FIXTURES if "broken" not in n])
def test_nothing_of_a_conversation_is_lost(name: str) -> None:
    records = {"values": read_files(name).values}
    text = Path(name).read_text(encoding="utf-8")
    documents = [text] if name.endswith(".json") else text.splitlines()
    for document in documents:
        try:
            native = json.loads(document)
        except json.JSONDecodeError:
            continue
        if len(native) < 5 and name.endswith("ndjson"):
            continue  # a document that is put aside
        assert lost_leaves(native, records, _written) == []


@pytest.mark.parametrize("name", FIXTURES)
def test_records_do_not_depend_on_how_the_file_comes(name: str, tmp_path: Path) -> None:
    text = Path(name).read_text(encoding="utf-8")
    expected = [{**v, "source": None} for v in read_files(name).values]
    packed = tmp_path / "x.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    marked = tmp_path / "x.txt"
    marked.write_bytes(text.encode("utf-16"))
    for path in (packed, marked):
        assert [{**v, "source": None} for v in read_files(path).values] == expected


def test_array_and_concatenated_tickets_are_read(tmp_path: Path) -> None:
    lines = Path("zendesk/export.ndjson").read_text(encoding="utf-8").splitlines()
    (tmp_path / "array.json").write_text("[" + ",\n".join(lines) + "]", encoding="utf-8")
    (tmp_path / "joined").write_text("".join(lines), encoding="utf-8")
    expected = list(values_of("zendesk/export.ndjson"))
    for name in ("array.json", "joined"):
        found = read_files(tmp_path / name)
        assert found.formats == {"zendesk"}
        assert [v["source"]["record_id"] for v in found.values] == expected


def test_page_beyond_the_limit_streams_by(tmp_path: Path) -> None:
    page = json.loads(Path("zendesk/page.json").read_text(encoding="utf-8"))
    page["tickets"] = [{**page["tickets"][0], "id": n} for n in range(1, 3001)]
    path = tmp_path / "big.json"
    path.write_text(json.dumps(page), encoding="utf-8")
    found = read_files(path, max_line_bytes=100_000)
    assert [v["source"]["record_id"] for v in found.values] == [str(n) for n in range(1, 3001)]
    assert found.findings == [("warning", "page_cut")] and not found.rejects
    path.write_text(json.dumps(page)[:-200_000], encoding="utf-8")
    cut = read_files(path, max_line_bytes=100_000)
    assert 2000 < len(cut.values) < 3000 and cut.rejects == ["truncated"]


def test_own_records_are_not_taken_for_the_vendors(tmp_path: Path) -> None:
    out = tmp_path / "records.jsonl"
    for name in FIXTURES:
        call("validate", name, "--accepted", out)
        if out.exists() and out.stat().st_size:
            assert list(detect_formats(out.read_bytes()[:65536], "records.jsonl")) == ["jsonl"]


def test_classify_reads_all_three_at_once() -> None:
    names = ("zendesk/export.ndjson", "intercom/page.json", "chatwoot/page.json")
    result = call("validate", *names, "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)["accepted"]) == (0, 7)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the reference samples are not here")
def test_samples_are_told_apart() -> None:
    for path in sorted(SAMPLES.rglob("*")):
        if path.is_file():
            claims = set(detect_formats(path.read_bytes()[:65536], str(path))) & set(SYSTEMS)
            folder = path.parent.name.removesuffix("_tickets")
            assert claims == ({folder} if folder in SYSTEMS else set())


RAWS = {name: (HERE / name).read_bytes() for name in FIXTURES}
SECONDS = float(os.environ.get("CARELOG_FUZZ_SECONDS", "0"))
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**18) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "type", "a"]), inner),
    max_leaves=4,
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    places: list[tuple[Any, Any]] = []
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        places += [(value, key), *_places(inner)]
    return places


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A fixture with values replaced by others of any type, or with bytes changed."""
    name = draw(st.sampled_from(FIXTURES))
    raw = RAWS[name]
    if draw(st.booleans()):
        document = json.loads(raw if name.endswith(".json") else raw.splitlines()[0])
        for _ in range(draw(st.integers(1, 8))):
            holder, key = draw(st.sampled_from(_places(document) or [({}, "a")]))
            holder[key] = draw(JUNK)
        return name, json.dumps(document).encode()
    changed = bytearray(raw)
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(changed)))
        changed[at : at + draw(st.integers(0, 30))] = draw(
            st.binary(max_size=8) | st.sampled_from([b'"', b"}", b"[{"])
        )
    return name, bytes(changed)


@settings(max_examples=60 if not SECONDS else max(60, int(SECONDS * 100)), deadline=None)
@given(case=mutated())
def test_damaged_documents_never_stop_the_reader(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, bytes]
) -> None:
    name, raw = case
    path = tmp_path_factory.getbasetemp() / "fuzzed.json"
    path.write_bytes(raw)
    FORMATS[name.split("/")[0]].detect(raw, "x")
    with identify([str(path)], name.split("/")[0]) as inputs:
        for block in read_blocks(inputs, ReadOptions(zone="Asia/Bangkok")):
            json.dumps(block.values)
            assert all(isinstance(reject.raw, str) for reject in block.rejects)


def test_broken_first_line_does_not_hide_the_format(tmp_path: Path) -> None:
    path = tmp_path / "tickets.ndjson"
    path.write_text(
        "half a line\n" + Path("zendesk/export.ndjson").read_text(encoding="utf-8"), encoding="utf-8"
    )
    found = read_files(path)
    assert (found.formats, len(found.values), found.rejects) == ({"zendesk"}, 4, ["not_json"])


def test_intercom_conversations_of_older_versions_are_read(tmp_path: Path) -> None:
    first = {"id": "26", "body": "<p>Hi</p>", "author": {"id": "5bc", "type": "lead"}}
    part = {"id": "2", "part_type": "comment", "body": "<p>Soon.</p>", "created_at": 1539897200}
    old = {
        "type": "conversation", "id": "147", "created_at": 1539897198, "updated_at": 1540393270,
        "assignee": {"type": "admin", "id": "814860"}, "user": {"type": "lead", "id": "5bc"}, "state": "open",
        "conversation_message": {**first, "delivered_as": "customer_initiated"},
        "conversation_parts": {"conversation_parts": [{**part, "author": {"id": "814860", "type": "admin"}}]},
    }  # fmt: skip
    (tmp_path / "old.json").write_text(json.dumps(old), encoding="utf-8")
    found = read_files(tmp_path / "old.json")
    assert found.formats == {"intercom"}
    (value,) = found.values
    assert [(m["speaker"], m["text"]) for m in value["messages"]] == [("customer", "Hi"), ("agent", "Soon.")]
    assert (value["customer_id"], value["agent_id"], value["initiative"]) == ("5bc", "814860", "reactive")

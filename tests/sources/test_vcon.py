"""vCons of every version and form, and ours there and back."""

from __future__ import annotations

import base64
import json
import os
import random
import time
import uuid
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.commands.logs import call, chat
from tests.sources.goldens import check_golden, read_files
from tests.sources.leaves import leaves_of, lost_leaves

from carelog.sources.blocks import Chunk
from carelog.sources.formats import detect_formats
from carelog.sources.formats._vcon_transcript import find_utterances
from carelog.sources.formats.vcon import parse_vcons, read_container
from carelog.sources.vcons import to_vcon

HERE = Path(__file__).parent / "vcon"
SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
FIXTURES = sorted(p.name for p in HERE.iterdir() if p.suffix == ".vcon")


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", FIXTURES)
def test_fixture_reads_as_reviewed(name: str) -> None:
    found = read_files(name)
    assert found.formats == {"vcon"}
    check_golden(name, found)


@pytest.mark.parametrize("name", ["call_0_0_1.vcon", "chat_0_4_0.vcon", "mail_0_3_0.vcon"])
def test_nothing_of_a_container_is_lost(name: str) -> None:
    (record,) = read_files(name).values
    decoded = {"SSBsb29rIGl0IHVwLg": "I look it up."}
    native = json.loads(Path(name).read_text())
    assert lost_leaves(native, record, lambda path, leaf: decoded.get(str(leaf), leaf)) == []


def test_old_names_are_read_as_the_new_ones() -> None:
    old = {"vcon": "0.0.1", "uuid": "u", "parties": [], "dialog": [{"type": "text", "mimetype": "text/html",
           "body": "<b>Hi</b>", "start": "2026-09-14T09:00:00Z"}], "must_support": []}  # fmt: skip
    new = json.loads(json.dumps(old).replace("mimetype", "mediatype").replace("must_support", "critical"))
    assert read_container(old).record == read_container(new).record
    assert read_container(old).record["messages"][0]["text"] == "Hi"


def test_a_signed_container_is_read_and_said_to_be_unverified() -> None:
    inner = Path("chat_0_4_0.vcon").read_bytes()
    payload = base64.urlsafe_b64encode(inner).decode().rstrip("=")
    read = read_container({"payload": payload, "signatures": [{"protected": "e30", "signature": "x"}]})
    assert read.refused is None
    assert [fault.keyword for fault in read.faults] == ["signature_unverified", "text_elsewhere"]
    assert read.record["messages"] == read_container(json.loads(inner)).record["messages"]


@pytest.mark.parametrize(
    ("value", "keyword"),
    [
        ({"unprotected": {}, "ciphertext": "x", "recipients": []}, "encrypted"),
        ({"vcon": "0.4.0", "uuid": "u", "critical": ["x-quantum"], "parties": []}, "unknown_critical"),
        ({"vcon": "0.3.0", "uuid": "u", "must_support": ["x-quantum"], "parties": []}, "unknown_critical"),
        ({"payload": "bm90IGpzb24", "signatures": []}, "not_vcon"),
        ({"hello": 1}, "not_vcon"),
    ],
)
def test_what_may_not_be_read_is_put_aside(tmp_path: Path, value: Any, keyword: str) -> None:
    refused = read_container(value).refused
    assert refused is not None and refused.keyword == keyword
    path = tmp_path / "x.vcon"
    good = Path("chat_0_4_0.vcon").read_text().replace("\n", "")
    path.write_text(json.dumps(value) + "\n" + good + "\n")
    result = call("convert", path, "--from", "vcon", "--rejects", tmp_path / "r.jsonl")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)
    (reject,) = map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines())
    assert reject["errors"][0]["keyword"] == keyword


RECORDS = [
    chat(1, subject="Late", agent_id="ben@shop.example", extra={"a": {"b": [1, None, "x"]}}, tags=["vip"]),
    chat(2, channel="phone", messages=None, status="missed", customer_id="+66 81 234 5678"),
    chat(3, channel="phone", messages=None, talk_seconds=12.5, direction="outbound", queue="hi"),
    chat(4, channel="in_store", store_id="BLR", messages=None,
         order={"order_id": "7", "amount": "10.00", "currency": "INR"},
         satisfaction={"scale": "nps_10", "score": 9}, started_at="2026-03-10T07:18:00.123456-04:00"),
    chat(5, messages=[{"speaker": s, "text": "=1+1 \u202e<b>", "at": "2026-03-10T09:15:01Z", "message_id": s}
                      for s in ("system", "bot", "customer", "agent")]),
]  # fmt: skip


@pytest.mark.parametrize("name", ["out.vcon", "out.vcon.gz"])
def test_there_and_back_is_the_same_record(tmp_path: Path, name: str) -> None:
    path, out, back = tmp_path / "in.jsonl", tmp_path / name, tmp_path / "back.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in RECORDS))
    assert call("convert", path, "-o", tmp_path / "first.jsonl").exit_code == 0
    assert call("convert", path, "-o", out).exit_code == 0
    assert call("convert", out, "-o", back).exit_code == 0
    assert back.read_text() == (tmp_path / "first.jsonl").read_text()
    assert call("convert", out, "--to", "vcon").stdout == call("convert", path, "--to", "vcon").stdout


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r["interaction_id"])
def test_what_is_written_is_a_vcon_of_the_draft(record: dict[str, Any]) -> None:
    vcon = to_vcon(record)
    assert uuid.UUID(vcon["uuid"]).version == 8
    assert to_vcon(record) == vcon
    assert set(vcon) <= {
        "vcon",
        "uuid",
        "extensions",
        "created_at",
        "subject",
        "parties",
        "dialog",
        "attachments",
    }
    for dialog in vcon["dialog"]:
        assert dialog["type"] in ("text", "recording", "incomplete") and dialog["start"]
        assert all(place < len(vcon["parties"]) for place in dialog["parties"])
    assert {"start", "party", "dialog"} <= set(vcon["attachments"][0])
    schemas = SAMPLES / "vcon"
    for name in ("vcon_json_schema.json", "cc_json_schema.json") if schemas.is_dir() else ():
        jsonschema.validate(vcon, json.loads((schemas / name).read_text()))


def test_what_others_added_to_our_container_is_kept() -> None:
    vcon = json.loads(json.dumps(to_vcon(RECORDS[0])))
    vcon["analysis"] = [{"type": "sentiment", "vendor": "v", "body": {"mood": "good"}}]
    record = read_container(vcon).record
    assert record["interaction_id"] == "chat-1"
    assert record["extra"]["a"] == {"b": [1, None, "x"]}
    assert record["extra"]["vcon"]["analysis"] == vcon["analysis"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Hello.", [("", "Hello.")]),
        ({"text": "Hello."}, [("", "Hello.")]),
        ([{"speaker": "Alice", "text": "Hi"}, {"speaker": "Bob", "text": "Yes?"}],
         [("Alice", "Hi"), ("Bob", "Yes?")]),
        ({"segments": [{"speaker": 0, "text": "Hi"}], "transcript": {"text": "Hi"}}, [("0", "Hi")]),
        ({"results": {"channels": [{"alternatives": [{"transcript": "Hi Yes", "words": [
            {"word": "Hi", "speaker": 0}, {"word": "Yes", "speaker": 1}]}, {"transcript": "Hy"}]}]}},
         [("0", "Hi"), ("1", "Yes")]),
        ({"words": "none", "x": 1}, []),
        ([[[[[[[[{"text": "deep"}]]]]]]]], []),
        (None, []),
    ],
)  # fmt: skip
def test_transcripts_of_any_vendor_are_found(body: Any, expected: list[tuple[str, str]]) -> None:
    assert [(u.speaker, u.text) for u in find_utterances(body)] == expected


CALL = {
    "vcon": "0.0.2", "uuid": "u1", "parties": [{"tel": "+15550001"}, {"tel": "+15550002"}],
    "dialog": [{"type": "recording", "start": "2026-09-14T02:00:00Z", "duration": 33, "parties": [0, 1]}],
}  # fmt: skip


def _read(tmp_path: Path, value: dict[str, Any], **options: Any) -> Any:
    (tmp_path / "x.vcon").write_text(json.dumps(value))
    found = read_files(tmp_path / "x.vcon", **options)
    assert found.rejects == []
    return found.values[0]


def _said(value: dict[str, Any]) -> list[tuple[str, str]]:
    return [(m["speaker"], m["text"]) for m in value["messages"]]


def test_mail_in_mime_is_its_plain_words_and_stays_whole_under_extra(tmp_path: Path) -> None:
    body = (
        "--b\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\nTXkgdGFwCgpBbm4=\r\n"
        "--b\r\nContent-Type: text/html\r\n\r\n<p>My tap</p>\r\n"
        '--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="log.txt"\r\n\r\nxx\r\n--b--\r\n'
    )
    dialog = {
        "type": "text", "start": "2026-09-14T02:00:00Z", "parties": [0, 1], "body": body, "encoding": "none",
        "mediatype": 'multipart/mixed; \n\tboundary="b"',
    }  # fmt: skip
    value = _read(tmp_path, CALL | {"dialog": [dialog]})
    assert (value["channel"], _said(value)) == ("email", [("customer", "My tap\n\nAnn")])
    assert value["extra"]["vcon"]["dialog"][0]["body"] == body


def test_roles_and_direction_are_read_where_older_libraries_wrote_them(tmp_path: Path) -> None:
    parties = [
        {"tel": "+1", "meta": {"role": "customer"}},
        {"email": "ann@acme.example", "meta": {"role": "agent"}},
    ]
    dialog = [CALL["dialog"][0] | {"parties": [1, 0], "meta": {"direction": "out"}}]
    value = _read(tmp_path, CALL | {"parties": parties, "dialog": dialog})
    assert (value["customer_id"], value["agent_id"], value["direction"]) == (
        "+1",
        "ann@acme.example",
        "outbound",
    )


def test_of_several_transcripts_of_a_dialog_the_one_that_tells_voices_apart_is_read(tmp_path: Path) -> None:
    analysis = [
        {"type": "transcript", "dialog": 0, "body": {"transcript": "hello hi"}},
        {"type": "diarized", "dialog": 0, "body": "Agent: hello\nCustomer: hi\nthere", "encoding": "none"},
        {"type": "summary", "dialog": 0, "body": "Agent: x\nCustomer: y"},
    ]
    assert _said(_read(tmp_path, CALL | {"analysis": analysis})) == [
        ("agent", "hello"),
        ("customer", "hi\nthere"),
    ]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "transcript-redacted",
            [
                {"parties": 1, "start": "2026-09-14T02:00:01.5+00:00", "text": "hello"},
                {"parties": 0, "start": "2026-09-14T02:00:03Z", "text": "hi {{NAME}}"},
            ],
        ),
        (
            "wtf_transcription",
            {
                "transcript": {"text": "hello hi {{NAME}}", "language": "en"},
                "segments": [
                    {"id": 0, "start": 1.5, "text": "hello", "speaker": 0},
                    {"id": 1, "start": 3, "text": "hi {{NAME}}", "speaker": 1},
                ],
            },
        ),
    ],
)
def test_transcripts_of_extensions_are_read(tmp_path: Path, kind: str, body: Any) -> None:
    analysis = {"type": kind, "dialog": 0, "vendor": "v", "encoding": "json", "body": json.dumps(body)}
    value = _read(tmp_path, CALL | {"analysis": [analysis]})
    assert _said(value) == [("agent", "hello"), ("customer", "hi {{NAME}}")]
    assert [m["at"][17:19] for m in value["messages"]] == ["01", "03"]


def test_times_of_older_libraries_are_read(tmp_path: Path) -> None:
    dialog = CALL["dialog"][0]
    mail = _read(
        tmp_path, CALL | {"dialog": [dialog | {"start": "Mon, 14 Sep 2026 02:00:00 +0000", "type": "video"}]}
    )
    assert (mail["started_at"], mail["ended_at"], mail["talk_seconds"]) == (
        "2026-09-14T02:00:00Z", "2026-09-14T02:00:33Z", 33
    )  # fmt: skip
    local = _read(
        tmp_path, CALL | {"dialog": [dialog | {"start": "2026-09-14T09:00:00"}]}, zone="Asia/Bangkok"
    )
    assert local["started_at"] == "2026-09-14T09:00:00+07:00"


def test_container_in_a_wrapper_and_one_of_a_single_signature_are_read(tmp_path: Path) -> None:
    coded = base64.urlsafe_b64encode(json.dumps(CALL).encode()).decode().rstrip("=")
    for value in (
        {"vcon": CALL},
        {"vcons": [CALL]},
        {"payload": coded, "protected": "e30", "signature": "x"},
    ):
        assert _read(tmp_path, value)["interaction_id"] == "u1"


def test_compact_forms_are_read_or_put_aside(tmp_path: Path) -> None:
    def coded(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signed = f"{coded({'alg': 'RS256'})}.{coded(CALL)}.c2lnbmVk"
    sealed = f"{coded({'alg': 'RSA-OAEP', 'enc': 'A256GCM'})}.a2V5.aXY.Y2lwaGVy.dGFn"
    (tmp_path / "x.jws").write_text(f"{signed}\n{sealed}\n{signed[:-9]}\n")
    found = read_files(tmp_path / "x.jws")
    assert found.formats == {"vcon"}
    assert [value["interaction_id"] for value in found.values] == ["u1"]
    assert (("warning", "signature_unverified") in found.findings, found.rejects) == (
        True,
        ["encrypted", "not_json"],
    )


def test_container_without_any_time_is_put_aside_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.vcon").write_text(json.dumps(CALL | {"dialog": []}))
    assert read_files(tmp_path / "x.vcon").rejects == ["no_start"]
    (value,) = read_files(tmp_path / "x.vcon", start="2026-09-14T09:00:00Z").values
    assert value["started_at"] == "2026-09-14T09:00:00Z"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")
def test_the_draft_s_own_example_reads() -> None:
    found = read_files(SAMPLES / "vcon" / "ab_call_ext_rec_analysis.vcon")
    (record,) = found.values
    assert (record["channel"], record["customer_id"], record["talk_seconds"]) == (
        "phone",
        "+12345678901",
        33.12,
    )
    assert record["messages"][0]["text"].startswith("Hello. This is example.com.")
    assert ("warning", "speakers_unknown") in found.findings
    claims = {
        str(p): detect_formats(p.read_bytes()[:65536], p.name) for p in SAMPLES.rglob("*") if p.is_file()
    }
    assert [name.rpartition(".")[2] for name, found in claims.items() if "vcon" in found] == ["vcon"]


def check_mutated(name: str, place: int, cut: int, put: bytes) -> None:
    raw = Path(HERE, name).read_bytes()
    place %= len(raw)
    raw = raw[:place] + put + raw[place + cut :]
    block = parse_vcons(Chunk("x", "vcon", raw, 1, 0, spans=[(0, len(raw))]))
    assert len(block.values) + len(block.rejects) + block.blank_lines == 1


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(FIXTURES), st.integers(0, 10**6), st.integers(0, 60),
    st.binary(max_size=8) | st.sampled_from([b"null", b"{}", b"[]", b"-1", b'""', b"1e300", b"[[0]]"]),
)  # fmt: skip
def test_mutated_containers_neither_crash_nor_hang(name: str, place: int, cut: int, put: bytes) -> None:
    check_mutated(name, place, cut, put)


@given(st.data())
def test_any_value_in_any_place_is_survived(data: st.DataObject) -> None:
    vcon = json.loads(Path(HERE, "call_0_0_1.vcon").read_text())
    places = [path for path, _ in leaves_of(vcon)]
    path = data.draw(st.sampled_from(places))
    path = path[: data.draw(st.integers(1, len(path)))]
    holder = vcon
    for step in path[:-1]:
        holder = holder[step]  # type: ignore[index]
    holder[path[-1]] = data.draw(  # type: ignore[index]
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()) | st.just({"a": {}})
    )
    read = read_container(vcon)
    assert read.refused is not None or read.record["channel"]


@pytest.mark.skipif(
    "CARELOG_FUZZ_SECONDS" not in os.environ, reason="set CARELOG_FUZZ_SECONDS to fuzz longer"
)
def test_mutated_containers_for_longer() -> None:
    rng, end = random.Random(4), time.monotonic() + float(os.environ["CARELOG_FUZZ_SECONDS"])
    puts = [b"null", b"{}", b"[]", b"-1", b'""', b"1e300", b"[[0]]"]
    while time.monotonic() < end:
        put = rng.choice([*puts, rng.randbytes(rng.randrange(8))])
        check_mutated(rng.choice(FIXTURES), rng.randrange(10**6), rng.randrange(60), put)

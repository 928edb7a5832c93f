"""`carelog classify` through the command line: labels, evidence, what becomes of bad input, and the same bytes every time."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from carelog.app import main
from carelog.columns import labelled_schema
from carelog.labels import ACTIVITIES, ORIENTATIONS, SATISFACTIONS


def classify(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["classify", *map(str, arguments)])


def chat(identity: str, *lines: tuple[str, str], **fields: Any) -> dict[str, Any]:
    messages = [{"speaker": speaker, "text": text} for speaker, text in lines]
    return {
        "interaction_id": identity,
        "channel": "chat",
        "started_at": "2026-03-02T09:00:00+05:30",
        "messages": messages,
        **fields,
    }


RECORDS = [
    chat("fault", ("customer", "my router is dead since morning, red light blinking"), ("agent", "Have you tried to restart it?"),
         ("customer", "yes, works now, thank you so much!"), direction="inbound"),
    chat("refund", ("customer", "मुझे रिफंड चाहिए, साइज़ छोटा है"), ("agent", "जी, पिकअप कल हो जाएगा।"), direction="inbound"),
    chat("birthday", ("agent", "Maligayang kaarawan po, Ma'am Liza! Salamat sa sampung taon ninyo sa amin."), direction="outbound"),
    chat("stated", ("customer", "ok"), ("agent", "ครับ"), satisfaction={"scale": "csat_5", "score": 1}),
    {"interaction_id": "missed", "channel": "phone", "started_at": "2026-03-02T09:00:00Z", "status": "missed", "direction": "inbound"},
]  # fmt: skip


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in RECORDS), "utf-8")
    return file


def labelled(exports: Path, *options: str) -> dict[str, dict[str, Any]]:
    output = exports.with_name("labelled.jsonl")
    result = classify(exports, "-o", output, *options)
    assert result.exit_code == 0, result.output
    return {v["interaction_id"]: v for v in map(json.loads, output.read_text("utf-8").splitlines())}


def test_every_label_is_there_and_one_of_its_values(exports: Path) -> None:
    for value in labelled(exports).values():
        assert value["orientation"] in ORIENTATIONS
        assert set(value["activities"]) <= set(ACTIVITIES)
        assert value["satisfaction_label"] in SATISFACTIONS
        assert value["rulebook"]["name"] == "carelog"
        assert {n for n in labelled_schema().names if not n.endswith("_offset")} >= set(value)


def test_labels_are_what_a_reader_would_give(exports: Path) -> None:
    values = labelled(exports)
    assert (values["fault"]["orientation"], values["fault"]["activities"]) == ("service", ["technical"])
    assert (values["refund"]["orientation"], values["refund"]["activities"]) == ("service", ["return"])
    assert values["birthday"]["orientation"] == "care"
    assert "appreciate" in values["birthday"]["activities"]
    assert (values["fault"]["initiative"], values["birthday"]["initiative"]) == ("reactive", "proactive")
    assert [values[k]["language"] for k in ("fault", "refund", "birthday")] == ["en", "hi", "tl"]


def test_a_stated_score_decides(exports: Path) -> None:
    value = labelled(exports)["stated"]
    assert (value["satisfaction_label"], value["satisfaction_source"]) == ("dissatisfied", "stated")
    assert {"label": "satisfaction.dissatisfied", "rule": "structure.satisfaction.stated", "field": "satisfaction",
            "message": None, "start": None, "end": None} in value["evidence"]  # fmt: skip


def test_where_there_is_nothing_to_judge_it_says_so(exports: Path) -> None:
    value = labelled(exports)["missed"]
    assert (value["assessable"], value["orientation"], value["care_share"]) == (False, "none", None)
    assert value["not_assessable_reason"]
    assert value["stage_greeting"] is None
    assert value["activities"] == [] == value["aspects"]


def test_evidence_points_into_the_text_as_it_was(exports: Path) -> None:
    texts = {r["interaction_id"]: [m["text"] for m in r.get("messages", [])] for r in RECORDS}
    for identity, value in labelled(exports).items():
        for entry in value["evidence"]:
            if entry["field"] == "messages":
                text = texts[identity][entry["message"]]
                span = text[entry["start"] : entry["end"]]
                assert span == span.strip()
                assert span
    evidence = labelled(exports)["refund"]["evidence"]
    spans = [
        texts["refund"][e["message"]][e["start"] : e["end"]]
        for e in evidence
        if e["label"] == "activity.return"
    ]
    assert any("रिफंड" in span for span in spans)


def test_the_same_bytes_whatever_the_jobs_the_order_and_the_run(exports: Path, tmp_path: Path) -> None:
    lines = exports.read_text("utf-8").splitlines()
    many = [json.loads(line) | {"interaction_id": f"{n}"} for n, line in enumerate(lines * 40)]
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text("".join(json.dumps(v) + "\n" for v in many[:90]), "utf-8")
    second.write_text("".join(json.dumps(v) + "\n" for v in many[90:]), "utf-8")
    outputs = []
    for number, arguments in enumerate(((first, second), (second, first), (first, second, "--jobs", "2"))):
        output = tmp_path / f"out{number}.parquet"
        assert classify(*arguments, "-o", output).exit_code == 0
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]


def test_labels_do_not_depend_on_the_neighbours(exports: Path, tmp_path: Path) -> None:
    alone = labelled(exports)
    shuffled = RECORDS * 3
    random.Random(7).shuffle(shuffled)
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text(
        "".join(
            json.dumps(r | {"interaction_id": f"{r['interaction_id']}/{n}"}) + "\n"
            for n, r in enumerate(shuffled)
        ),
        "utf-8",
    )
    for identity, value in labelled(mixed).items():
        same = {**value, "interaction_id": None, "source": None}
        assert same == {**alone[identity.split("/")[0]], "interaction_id": None, "source": None}


def test_parquet_has_the_columns_of_the_contract(exports: Path, tmp_path: Path) -> None:
    assert classify(exports, "-o", tmp_path / "l.parquet").exit_code == 0
    assert pq.read_schema(tmp_path / "l.parquet").equals(labelled_schema())
    assert classify(exports, "-o", tmp_path / "t.parquet", "--with-text").exit_code == 0
    assert "messages" in pq.read_schema(tmp_path / "t.parquet").names


def test_csv_cells_cannot_run_as_formulas(tmp_path: Path) -> None:
    record = chat(
        "=cmd|' /C calc'!A0",
        ("customer", "where is my parcel"),
        customer_id="+1555",
        agent_id="@sum(1)",
        queue="-2+3",
    )
    (tmp_path / "in.jsonl").write_text(json.dumps(record) + "\n")
    assert classify(tmp_path / "in.jsonl", "-o", tmp_path / "l.csv").exit_code == 0
    cells = (tmp_path / "l.csv").read_text("utf-8").splitlines()[1]
    for cell in ("'=cmd", "'+1555", "'@sum", "'-2+3"):
        assert cell in cells


HUGE = [
    pytest.param([("customer", "my order is late and nobody answers. " * 28_000)], id="a message of 1 MB"),
    pytest.param(
        [("customer", "where is my parcel"), ("agent", "let me check")] * 5_000, id="10,000 messages"
    ),
    pytest.param([("customer", "a" * 300_000)], id="one letter"),
    pytest.param(
        [("customer", "ก" * 100_000), ("agent", "\u202eevil\u202c \u0378\U000e0001")],
        id="one Thai letter, direction marks, unassigned",
    ),
    pytest.param([("customer", ""), ("agent", "   \n\n ")], id="empty texts"),
]


@pytest.mark.parametrize("lines", HUGE)
def test_strange_texts_are_labelled(lines: list[tuple[str, str]], tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps(chat("x", *lines)) + "\n")
    value = labelled(tmp_path / "in.jsonl")["x"]
    assert value["orientation"] in ORIENTATIONS


def test_what_a_mail_quotes_is_not_said_again(tmp_path: Path) -> None:
    quoted = "Danke.\n\nOn Mon, 2 Mar 2026 at 10:00, Shop wrote:\n> this is unacceptable, I want to file a complaint\n> third time it breaks"
    mail = chat("m", ("customer", quoted)) | {"channel": "email", "subject": "Re: order"}
    plain = chat("p", ("customer", quoted.replace("> ", ""))) | {"channel": "email", "subject": "Re: order"}
    (tmp_path / "in.jsonl").write_text(json.dumps(mail) + "\n" + json.dumps(plain) + "\n")
    values = labelled(tmp_path / "in.jsonl")
    assert "complaint" not in values["m"]["activities"]
    assert "complaint" in values["p"]["activities"]


def test_invalid_records_are_put_aside_and_counted(exports: Path, tmp_path: Path) -> None:
    exports.write_text(exports.read_text("utf-8") + '{"interaction_id": "bad"}\nnot json\n', "utf-8")
    result = classify(exports, "-o", tmp_path / "l.jsonl", "--rejects", tmp_path / "r.jsonl")
    assert result.exit_code == 0
    assert f"read {len(RECORDS) + 2} = accepted {len(RECORDS)} + rejected 2" in result.stderr
    assert [json.loads(line)["line"] for line in (tmp_path / "r.jsonl").read_text().splitlines()] == [6, 7]
    assert classify(exports, "-o", tmp_path / "l.jsonl", "--max-invalid", "1").exit_code == 1
    assert classify(exports, "-o", tmp_path / "l.jsonl", "--max-invalid", "2").exit_code == 0


def test_nothing_usable_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"interaction_id": 1}\n')
    (tmp_path / "l.jsonl").write_text("what was there before")
    result = classify(tmp_path / "in.jsonl", "-o", tmp_path / "l.jsonl")
    assert result.exit_code == 65
    assert (tmp_path / "l.jsonl").read_text() == "what was there before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "l.jsonl"]


def test_a_missing_input_and_an_output_that_cannot_be_written(exports: Path, tmp_path: Path) -> None:
    assert classify(tmp_path / "none.jsonl", "-o", tmp_path / "l.jsonl").exit_code == 66
    assert classify(exports, "-o", tmp_path / "no" / "l.jsonl").exit_code == 73
    assert classify(exports, "-o", tmp_path / "l.txt").exit_code == 2
    assert classify(exports, "-o", exports).exit_code == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl"]


BROKEN = [
    pytest.param("[rulebook", "not TOML", id="no TOML"),
    pytest.param('[rulebook]\nname="mine"\nversion="1"\n[[rule]]\nid="a.b"\nlabel="activity.nonsense"\nphrases=["x y"]\n', "a.b", id="no such label"),
    pytest.param('[rulebook]\nname="mine"\nversion="1"\n[[rule]]\nid="a.b"\nlabel="loyalty"\nphrases=["!!!"]\n', "a.b", id="empty phrase"),
    pytest.param('[rulebook]\nname="mine"\nversion="1"\n[[rule]]\nid="a.b"\nlabel="loyalty"\npattern="("\n', "a.b", id="broken pattern"),
    pytest.param('[rulebook]\nname="mine"\nversion="1"\n[[disable]]\nid="no.such"\n', "no.such", id="disables what is not there"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "named"), BROKEN)
def test_a_broken_rulebook_is_told_before_anything_is_read(
    text: str, named: str, exports: Path, tmp_path: Path
) -> None:
    book = tmp_path / "mine.toml"
    book.write_text(text)
    result = classify(exports, "-o", tmp_path / "l.jsonl", "--rulebook", book)
    assert result.exit_code == 2
    assert "mine" in result.stderr
    assert named in result.stderr
    assert not (tmp_path / "l.jsonl").exists()


def test_a_rulebook_of_ones_own_adds_rules_and_maps(exports: Path, tmp_path: Path) -> None:
    book = tmp_path / "mine.toml"
    book.write_text(
        '[rulebook]\nname="mine"\nversion="1"\n'
        '[[rule]]\nid="mine.dead"\nlabel="activity.appointment"\nweight=3\nphrases=["router is dead"]\nmatch=["my router is dead", "the router is dead now"]\nno_match=["the router is fine"]\n'
        '[map.category]\n"Win back"="activity.retain"\n'
    )
    record = chat("mapped", ("customer", "hello"), category="win back")
    exports.write_text(exports.read_text("utf-8") + json.dumps(record) + "\n", "utf-8")
    plain, own = labelled(exports), labelled(exports, "--rulebook", str(book))
    assert "appointment" not in plain["fault"]["activities"]
    assert "appointment" in own["fault"]["activities"]
    assert "retain" not in plain["mapped"]["activities"]
    assert "retain" in own["mapped"]["activities"]
    assert own["fault"]["rulebook"]["name"] == "carelog+mine"
    assert own["fault"]["rulebook"]["hash"] != plain["fault"]["rulebook"]["hash"]


@pytest.mark.parametrize(("kind", "activity"), [("sale", "sale"), ("return", "return"), ("void", "cancel")])
def test_an_order_without_a_word_stands_for_its_kind(kind: str, activity: str, tmp_path: Path) -> None:
    record = {"interaction_id": "x", "channel": "in_store", "store_id": "S1", "started_at": "2026-03-02T09:00:00Z",
              "order": {"order_id": "1", "kind": kind}}  # fmt: skip
    (tmp_path / "in.jsonl").write_text(json.dumps(record) + "\n")
    value = labelled(tmp_path / "in.jsonl")["x"]
    assert (value["orientation"], value["activities"], value["assessable"]) == ("service", [activity], True)
    assert [e["field"] for e in value["evidence"] if e["label"] == f"activity.{activity}"] == ["order"]

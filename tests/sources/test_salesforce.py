"""Salesforce cases with the mails and comments that the same export holds in tables of their own."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from tests.sources.goldens import Read, read_files

from carelog.sources.formats._salesforce_chat import read_body

CASES = [
    {"Id": "5001x00000AbCdEAAV", "CaseNumber": "1026", "Status": "Closed", "Origin": "Email", "Subject": "Dark lamp",
     "Description": "My lamp is dark.\nPlease help.", "CreatedDate": "2026-03-01 10:00:00",
     "LastModifiedDate": "2026-03-02 10:00:00"},
    {"Id": "5001x00000AbCdFAAV", "CaseNumber": "1027", "Status": "New", "Origin": "Phone", "Subject": "A call",
     "Description": "", "CreatedDate": "2026-03-01 11:00:00", "LastModifiedDate": "2026-03-02 10:00:00"},
]  # fmt: skip
MAIL = {
    "ParentId": CASES[0]["Id"],
    "FromAddress": "a@x.example",
    "ToAddress": "help@shop.example",
    "HtmlBody": "",
}
MAILS = [
    {**MAIL, "Id": "02s2", "TextBody": "", "HtmlBody": "<p>Try a <b>bulb</b>.</p>", "Incoming": "false",
     "Status": "3", "MessageDate": "2026-03-01T12:00:00.000Z"},
    {**MAIL, "Id": "02s1", "TextBody": "My lamp is dark. Please help.\nAna", "Incoming": "1", "Status": "1",
     "MessageDate": "2026-03-01T10:00:00.000Z"},
    {**MAIL, "Id": "02s4", "TextBody": "Never sent", "Incoming": "0", "Status": "5",
     "MessageDate": "2026-03-01T13:00:00.000Z"},
]  # fmt: skip
COMMENTS = [
    {"Id": "00a1", "ParentId": "5001x00000AbCdE", "IsPublished": "0", "CommentBody": "knows us",
     "CreatedDate": "2026-03-01T14:00:00.000Z"},
    {"Id": "00a2", "ParentId": "5001x00000AbCdE", "IsPublished": "1", "CommentBody": "Is it bright?",
     "CreatedDate": "2026-03-01T15:00:00.000Z"},
]  # fmt: skip


def read(tmp_path: Path, **tables: list[dict[str, Any]]) -> Read:
    for name, rows in tables.items():
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)
    found = read_files(*(tmp_path / f"{name}.csv" for name in tables), zone="UTC")
    assert found.formats == {"salesforce_case"}
    return found


@pytest.mark.parametrize(
    "names", [("Case", "EmailMessage", "CaseComment"), ("CaseComment", "EmailMessage", "Case")]
)
def test_mails_and_comments_join_their_case(tmp_path: Path, names: tuple[str, ...]) -> None:
    tables = {"Case": CASES, "EmailMessage": MAILS, "CaseComment": COMMENTS}
    found = read(tmp_path, **{name: tables[name] for name in names})
    assert found.rejects == []
    mail, call = sorted(found.values, key=lambda value: value["interaction_id"])
    assert [(m["speaker"], m["text"], m["at"]) for m in mail["messages"]] == [
        ("customer", "My lamp is dark. Please help.\nAna", "2026-03-01T10:00:00Z"),
        ("agent", "Try a bulb.", "2026-03-01T12:00:00Z"),
        ("agent", "Is it bright?", "2026-03-01T15:00:00Z"),
    ]
    assert (mail["notes"], call["channel"], "messages" in call) == ("knows us", "phone", False)
    assert mail["source"]["file"].endswith("Case.csv")
    assert {mail_row["textbody"] for mail_row in mail["extra"]["emails"] if "textbody" in mail_row} == {
        "Never sent"
    }


def test_description_that_no_mail_says_stays(tmp_path: Path) -> None:
    (value,) = read(tmp_path, Case=CASES[:1], EmailMessage=MAILS[:1]).values
    assert [m["text"] for m in value["messages"]] == ["My lamp is dark.\nPlease help.", "Try a bulb."]


def test_mails_without_their_case_are_put_aside(tmp_path: Path) -> None:
    found = read(tmp_path, Case=CASES[1:], EmailMessage=MAILS[:2])
    assert (len(found.values), found.rejects) == (1, ["not_a_case", "not_a_case"])


def test_case_of_two_exports_counts_once_as_it_was_last(tmp_path: Path) -> None:
    before = {**CASES[0], "Status": "New", "LastModifiedDate": "2026-03-01 10:30:00"}
    (value,) = read(tmp_path, Late=CASES[:1], Early=[before]).values
    assert (value["status"], value["interaction_id"]) == ("closed", "1026")


def test_cases_without_ids_stay_as_they_are(tmp_path: Path) -> None:
    rows = [{key: cell for key, cell in case.items() if key != "Id"} for case in CASES]
    assert [value["interaction_id"] for value in read(tmp_path, Case=rows).values] == ["1026", "1027"]


BODY = (
    '<p align="center">Chat Started: Monday, March 02, 2026, 23:59:30 (+0530)</p><p align="center">Chat Origin: Shop'
    '</p><p align="center">Agent Bo B</p>( 10s ) Bo B: Hi, I&#39;m Bo:<br>how can I help?<br>( 1m 13s ) Ana: My lamp'
    ' is dark<br><p align="center">Chat Transferred From Bo B To Cee</p>( 1h 2m 3s ) Cee: Try a bulb<br>( 1h 3m 0s ) '
)
CHAT = {"Id": "570x1", "LiveChatVisitorId": "5711", "OwnerId": "0051", "StartTime": "2026-03-02T18:29:30.000Z",
        "EndTime": "2026-03-02T19:35:00.000Z", "WaitTime": "7", "Status": "Completed", "Abandoned": "",
        "CaseId": "", "Body": BODY}  # fmt: skip


def test_chats_are_cut_into_their_messages(tmp_path: Path) -> None:
    found = read(tmp_path, LiveChatTranscript=[CHAT])
    (value,) = found.values
    assert (found.findings, found.rejects) == ([], [])
    assert [(m["speaker"], m["text"], m["at"]) for m in value["messages"]][2:] == [
        ("system", "Agent Bo B", "2026-03-02T23:59:30+05:30"),
        ("agent", "Hi, I'm Bo:\nhow can I help?", "2026-03-02T23:59:40+05:30"),
        ("customer", "My lamp is dark", "2026-03-03T00:00:43+05:30"),
        ("system", "Chat Transferred From Bo B To Cee", "2026-03-03T00:00:43+05:30"),
        ("agent", "Try a bulb", "2026-03-03T01:01:33+05:30"),
    ]
    assert (value["channel"], value["status"], value["wait_seconds"]) == ("chat", "closed", 7)
    assert (value["started_at"], value["ended_at"]) == ("2026-03-02T18:29:30Z", "2026-03-02T19:35:00Z")
    assert (value["customer_id"], value["agent_id"], value["interaction_id"]) == ("5711", "0051", "570x1")


def test_chat_that_nobody_took_was_abandoned(tmp_path: Path) -> None:
    chat = {**CHAT, "Abandoned": "40", "Status": "Missed", "Body": ""}
    (value,) = read(tmp_path, LiveChatTranscript=[chat]).values
    assert (value["status"], "messages" in value) == ("abandoned", False)


@pytest.mark.parametrize(
    ("body", "speakers"),
    [
        ("( 5s ) Steve F: Hello<br>( 2m 24s ) Visitor: still here", ["agent", "customer"]),
        ("( 5s ) Visitor: hello<br>( 9s ) Steve F: Hello", ["customer", "agent"]),
        ("( 5s ) Steve F: Hello<br>( 2m 24s ) Ana: still here", ["agent", "customer"]),
        (
            "( 1s ) Lamp Bot: Hello<br>( 5s ) Steve F: Hello<br>( 2m 24s ) Visitor: hi",
            ["bot", "agent", "customer"],
        ),
        ("no transcript", []),
        ("", []),
        ("( 99999999999999999999s ) A: b", []),
        ("( 9999d 999999999s ) A: b", ["agent"]),
    ],
)
def test_who_is_who_in_a_chat(body: str, speakers: list[str]) -> None:
    messages, start = read_body(body)
    assert ([message["speaker"] for message in messages], start) == (speakers, None)


def as_object(kind: str, cells: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind, "url": f"/services/data/v60.0/sobjects/{kind}/1"}, **cells, **more}


def as_answer(objects: list[dict[str, Any]]) -> dict[str, Any]:
    return {"totalSize": len(objects), "done": True, "records": objects}


@pytest.mark.parametrize("shape", ["query", "command line", "apart", "lines"])
def test_json_of_a_query_gives_what_the_tables_give(tmp_path: Path, shape: str) -> None:
    table = read(tmp_path, Case=CASES[:1], EmailMessage=MAILS, CaseComment=COMMENTS).values[0]
    mails = [as_object("EmailMessage", {**mail, "Incoming": mail["Incoming"] == "1"}) for mail in MAILS]
    comments = [as_object("CaseComment", {**c, "IsPublished": c["IsPublished"] == "1"}) for c in COMMENTS]
    case = as_object("Case", CASES[0], Owner=None)
    if shape in ("query", "command line"):
        case |= {"EmailMessages": as_answer(mails), "CaseComments": as_answer(comments), "Tasks": None}
        whole = {"query": as_answer([case]), "command line": {"status": 0, "result": as_answer([case])}}[
            shape
        ]
        text = json.dumps(whole)
    else:
        objects = [*mails, case, *comments]
        text = json.dumps(objects) if shape == "apart" else "\n".join(map(json.dumps, objects))
    (tmp_path / "cases.json").write_text(text, encoding="utf-8")
    found = read_files(tmp_path / "cases.json", zone="UTC")
    assert (found.formats, found.rejects) == ({"salesforce_case"}, [])
    (value,) = found.values
    same = ("interaction_id", "messages", "notes", "status", "started_at", "channel", "subject")
    assert {name: value[name] for name in same} == {name: table[name] for name in same}


def test_other_objects_of_salesforce_are_put_aside(tmp_path: Path) -> None:
    objects = [as_object("Case", CASES[0]), as_object("Account", {"Id": "001"})]
    (tmp_path / "cases.json").write_text(json.dumps(as_answer(objects)), encoding="utf-8")
    found = read_files(tmp_path / "cases.json", zone="UTC")
    assert (len(found.values), found.rejects) == (1, ["not_a_case"])

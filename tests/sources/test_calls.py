"""The traps of call records of Amazon Connect, Genesys Cloud, Twilio and Cisco."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.commands.logs import call
from tests.sources.goldens import read_files

from carelog.sources.blocks import ReadOptions
from carelog.sources.reading import identify, read_blocks

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def in_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


def by_id(*paths: str | Path, **options: Any) -> dict[str, dict[str, Any]]:
    """The records of these inputs by the last letters of their ids."""
    return {v["interaction_id"][-4:]: v for v in read_files(*paths, **options).values}


def test_contact_that_was_delivered_again_counts_once_with_its_last_state() -> None:
    found = by_id("amazon_connect/contacts.json")
    assert len(found) == 7
    assert found["0001"]["satisfaction"] == {"scale": "csat_5", "score": 5}
    assert found["0001"]["extra"]["LastUpdateTimestamp"] == "2026-09-14T09:00:00Z"


def test_transfer_has_the_direction_of_the_contact_it_began_with() -> None:
    found = by_id("amazon_connect/contacts.json")
    assert (found["0002"]["direction"], found["0002"]["initiative"]) == ("inbound", "reactive")
    assert (found["0004"]["direction"], found["0004"]["initiative"]) == ("outbound", "reactive")


def test_transcript_becomes_the_messages_of_its_contact_and_its_twin_does_not_count(tmp_path: Path) -> None:
    paths = [p for p in sorted(Path("amazon_connect").iterdir()) if p.name[0] in "cR" and "exp" not in p.name]
    value = by_id(*paths)["0001"]
    assert [m["text"][:12] for m in value["messages"]] == ["สวัสดีค่ะ มี", "I want my mo"]
    assert "[PII]" in value["messages"][1]["text"]
    assert value["messages"][1]["at"] == "2026-09-14T08:01:03.500000Z"
    assert (value["started_at"], value["source"]["file"]) == (
        "2026-09-14T08:00:00Z", "amazon_connect/contacts.json"
    )  # fmt: skip


def test_transcript_alone_needs_a_start(tmp_path: Path) -> None:
    raw = next(Path("amazon_connect").glob("Raw*.json")).read_bytes()
    plain = tmp_path / "transcript.json"
    plain.write_bytes(raw)
    found = read_files(plain)
    assert (found.values, found.rejects) == ([], ["no_start"])
    said = read_files(plain, start="2026-09-14T15:00:00+07:00").values[0]
    assert (said["started_at"], said["ended_at"]) == (
        "2026-09-14T15:00:00+07:00", "2026-09-14T15:00:12.500000+07:00"
    )  # fmt: skip


def test_broken_contact_costs_only_itself(tmp_path: Path) -> None:
    raw = Path("amazon_connect/contacts.json").read_bytes()
    path = tmp_path / "contacts"
    path.write_bytes(raw.replace(b'"Channel": "CHAT",', b'"Channel": "CHAT', 1))
    found = read_files(path)
    assert (len(found.values), found.rejects) == (6, ["not_json"])


def test_truncated_archive_gives_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "contacts.gz"
    path.write_bytes(gzip.compress(Path("amazon_connect/contacts.json").read_bytes(), mtime=0)[:-60])
    found = read_files(path)
    assert found.values
    assert ("error", "truncated") in found.findings


CONTACT = "11111111-2222-4333-8444-555555555555"


def _read_one(tmp_path: Path, *documents: dict[str, Any], **options: Any) -> tuple[dict[str, Any], list[Any]]:
    (tmp_path / "x.json").write_text("\n".join(map(json.dumps, documents)))
    found = read_files(tmp_path / "x.json", **options)
    (value,) = found.values
    assert (found.formats, found.rejects) == ({"amazon_connect"}, [])
    return value, found.findings


def _event(kind: str, minute: int, **detail: Any) -> dict[str, Any]:
    told = {
        "eventType": kind,
        "contactId": CONTACT,
        "channel": "VOICE",
        "initiationMethod": "INBOUND",
        **detail,
    }
    return {
        "version": "0", "id": f"e{minute}", "detail-type": "Amazon Connect Contact Event", "source": "aws.connect",
        "time": f"2026-09-14T02:{minute:02}:00Z", "detail": told,
    }  # fmt: skip


def test_connect_events_of_a_contact_tell_together_what_its_record_would(tmp_path: Path) -> None:
    queue, agent = {"queueArn": "arn:x/queue/q7"}, {"agentArn": "arn:x/agent/a9"}
    events = [
        _event("DISCONNECTED", 5, queueInfo=queue, agentInfo=agent, customerEndpoint={"address": "+6681"}),
        _event("INITIATED", 0), _event("INITIATED", 0), _event("QUEUED", 1, queueInfo=queue),
        _event("CONNECTED_TO_AGENT", 2, queueInfo=queue, agentInfo=agent, tags={"shop": "Bangkok"}),
    ]  # fmt: skip
    value, findings = _read_one(tmp_path, *events)
    names = ("interaction_id", "customer_id", "agent_id", "queue", "direction", "status", "wait_seconds")
    assert [value[name] for name in names] == [CONTACT, "+6681", "a9", "q7", "inbound", "completed", 60]
    assert (value["started_at"], value["ended_at"]) == ("2026-09-14T02:00:00Z", "2026-09-14T02:05:00Z")
    assert [event["id"] for event in value["extra"]["Events"]] == ["e0", "e1", "e2", "e5"]
    assert (value["extra"]["Tags"], findings) == ({"shop": "Bangkok"}, [])
    record = {
        "ContactId": CONTACT,
        "InitiationMethod": "INBOUND",
        "InitiationTimestamp": "2026-09-14T02:00:30Z",
    }
    assert _read_one(tmp_path, *events, record)[0]["started_at"] == "2026-09-14T02:00:30Z"


def test_connect_contact_as_the_interface_gives_it_is_read(tmp_path: Path) -> None:
    contact = {
        "Id": CONTACT, "InitiationMethod": "INBOUND", "Channel": "VOICE", "InitiationTimestamp": 1789351200.25,
        "QueueInfo": {"Id": "q1", "EnqueueTimestamp": "2026-09-14T02:00:05Z"},
        "AgentInfo": {"Id": "a1", "ConnectedToAgentTimestamp": "2026-09-14T02:00:15.5Z",
                      "AfterContactWorkDuration": 12},
        "DisconnectTimestamp": "2026-09-14T02:03:15Z", "CustomerEndpoint": {"Address": "+6681"},
    }  # fmt: skip
    for document in ({"Contact": contact, "ResponseMetadata": {"n": 1}}, {"Contacts": [contact]}):
        value, _ = _read_one(tmp_path, document)
        told = [value[n] for n in ("interaction_id", "started_at", "agent_id", "queue", "status")]
        assert told == [CONTACT, "2026-09-14T02:00:00.250000Z", "a1", "q1", "completed"]
        assert (value["wait_seconds"], value["wrap_up_seconds"]) == (10.5, 12)


def test_connect_segments_of_a_call_are_put_together(tmp_path: Path) -> None:
    first, second = (
        {"ContactId": CONTACT, "Channel": "VOICE", "Segments": [
            {"Transcript": {"Id": f"t{n}", "ParticipantRole": role, "Content": f"words {n}",
                            "BeginOffsetMillis": n * 1000}},
            {"Categories": {"MatchedCategories": [f"c{n}"]}},
        ]}
        for n, role in enumerate(("AGENT", "CUSTOMER"))
    )  # fmt: skip
    value, _ = _read_one(tmp_path, first, second, second, start="2026-09-14T02:00:00Z")
    assert [(m["speaker"], m["text"], m["at"]) for m in value["messages"]] == [
        ("agent", "words 0", "2026-09-14T02:00:00Z"), ("customer", "words 1", "2026-09-14T02:00:01Z")
    ]  # fmt: skip
    assert value["extra"]["Segments"][1] == {"Categories": {"MatchedCategories": ["c0"]}}


def test_connect_message_with_buttons_is_its_words_and_an_attachment_its_name(tmp_path: Path) -> None:
    shown = {"data": {"content": {"title": "Which one?", "elements": [{"title": "Tap"}, {"title": "Sink"}]}}}
    kinds = {"ContentType": "application/vnd.amazonaws.connect.message.interactive", "Type": "MESSAGE"}
    items = [
        {**kinds, "Content": json.dumps(shown), "AbsoluteTime": "2026-09-14T02:00:00Z", "ParticipantRole": "SYSTEM"},
        {"Type": "ATTACHMENT", "Attachments": [{"AttachmentName": "tap.jpg"}], "ParticipantRole": "CUSTOMER",
         "DisplayName": "Mali", "AbsoluteTime": "2026-09-14T02:00:05Z"},
    ]  # fmt: skip
    value, _ = _read_one(tmp_path, {"ContactId": CONTACT, "Participants": [], "Transcript": items})
    assert [(m["speaker"], m["text"]) for m in value["messages"]] == [
        ("system", "Which one?\nTap\nSink"), ("customer", "tap.jpg")
    ]  # fmt: skip
    assert (value["customer_id"], value["extra"]["Transcript"][0]["Content"]) == ("Mali", json.dumps(shown))


def test_connect_transcript_of_a_mail_is_a_mail(tmp_path: Path) -> None:
    said = {"Id": "m1", "ParticipantRole": "CUSTOMER", "Content": "My tap drips", "BeginOffsetMillis": 0}
    document = {"Channel": "EMAIL", "ContactId": CONTACT, "Participants": [], "Transcript": [said]}
    value, _ = _read_one(tmp_path, document, start="2026-09-14T02:00:00Z")
    assert (value["channel"], value["messages"][0]["speaker"]) == ("email", "customer")


def test_connect_chat_as_its_interface_gives_it_is_read(tmp_path: Path) -> None:
    joined = {"AbsoluteTime": "2026-09-14T02:00:00Z", "Id": "m0", "ParticipantRole": "CUSTOMER", "Type": "EVENT",
              "ContentType": "application/vnd.amazonaws.connect.event.participant.joined"}  # fmt: skip
    said = {"AbsoluteTime": "2026-09-14T02:00:02Z", "Id": "m1", "ParticipantId": "AGENT", "Content": "Hello",
            "ContentType": "text/plain", "Type": "MESSAGE"}  # fmt: skip
    value, _ = _read_one(
        tmp_path, {"InitialContactId": CONTACT, "NextToken": "x", "Transcript": [joined, said]}
    )
    assert (value["interaction_id"], value["started_at"]) == (CONTACT, "2026-09-14T02:00:00Z")
    assert [(m["speaker"], m["text"]) for m in value["messages"]] == [("agent", "Hello")]


def test_connect_contact_without_its_words_is_kept_with_its_steps(tmp_path: Path) -> None:
    record = {
        "ContactId": CONTACT, "InitiationMethod": "API", "Channel": "CHAT", "DisconnectReason": "AGENT_DISCONNECT",
        "InitiationTimestamp": "2026-09-14T02:00:00Z", "DisconnectTimestamp": "2026-09-14T02:03:15Z",
        "Agent": {"Username": "ann", "ConnectedToAgentTimestamp": "2026-09-14T02:00:15Z"},
    }  # fmt: skip
    value, findings = _read_one(tmp_path, record)
    assert [m["text"] for m in value["messages"]] == [
        "contact: API", "agent: connected", "contact: AGENT_DISCONNECT"
    ]  # fmt: skip
    assert findings == [("warning", "no_words")]
    mail = record | {
        "Channel": "EMAIL",
        "SegmentAttributes": {"connect:EmailSubject": {"ValueString": "My tap"}},
    }
    value, findings = _read_one(tmp_path, mail)
    assert (value["channel"], value["subject"], findings) == ("email", "My tap", [])


def test_genesys_milliseconds_are_summed_once_and_pages_end_where_their_records_do() -> None:
    found = read_files("genesys/query.json")
    call_value = found.values[0]
    assert (call_value["talk_seconds"], call_value["hold_seconds"]) == (210, 60)
    assert (len(found.values), found.findings, found.rejects) == (5, [], [])


@pytest.mark.parametrize("kind", ["chat", "message", "email"])
def test_genesys_contact_without_words_is_kept_with_its_steps(tmp_path: Path, kind: str) -> None:
    segments = [
        {"segmentType": "interact", "segmentStart": "2026-09-14T02:00:01Z", "segmentEnd": "2026-09-14T02:09:00Z",
         "disconnectType": "peer"},
        {"segmentType": "alert", "segmentStart": "2026-9-14T02:00:00.5Z"},
    ]  # fmt: skip
    agent = {"purpose": "agent", "userId": "u7", "sessions": [{"mediaType": kind, "segments": segments}]}
    native = {
        "conversationId": "c1", "conversationStart": "2026-09-14T02:00:00Z", "originatingDirection": "inbound",
        "conversationEnd": "2026-09-14T02:09:00Z", "participants": [agent],
    }  # fmt: skip
    (tmp_path / "c.json").write_text(json.dumps(native))
    found = read_files(tmp_path / "c.json")
    (value,) = found.values
    assert (found.findings, found.rejects) == ([("warning", "no_words")], [])
    assert [(m["speaker"], m["text"]) for m in value["messages"]] == [
        ("system", "conversation: start"), ("system", "agent: alert"), ("system", "agent: interact"),
        ("system", "agent: peer"),
    ]  # fmt: skip
    done = call("validate", str(tmp_path / "c.json"))
    assert done.exit_code == 0


GENESYS_CALL = {
    "conversationId": "c1", "conversationStart": "2026-09-14T02:00:00Z", "originatingDirection": "inbound",
    "participants": [{"purpose": "agent", "userId": "u7", "sessions": [{"mediaType": "voice"}]}],
}  # fmt: skip
GENESYS_WORDS = {
    "conversationId": "c1", "communicationId": "s1", "mediaType": "voice",
    "conversationStartTime": 1789351200000,
    "participants": [{"participantPurpose": "internal", "userId": "u7"},
                     {"participantPurpose": "external", "ani": "tel:+6681"}],
    "transcripts": [{"transcriptId": "t1", "language": "en-us", "phrases": [
        {"text": "acme good day", "decoratedText": "Acme, good day.", "startTimeMs": 1789351201500,
         "participantPurpose": "internal", "confidence": 0.9},
        {"text": "my tap drips", "startTimeMs": 4000, "participantPurpose": "external"},
    ]}],
}  # fmt: skip


@pytest.mark.parametrize("has_details", [True, False])
def test_genesys_transcript_becomes_the_words_of_its_conversation(tmp_path: Path, has_details: bool) -> None:
    events = [GENESYS_CALL, GENESYS_CALL | {"conversationEnd": "2026-09-14T02:09:00Z"}] if has_details else []
    (tmp_path / "a.json").write_text("\n".join(map(json.dumps, [*events, GENESYS_CALL])))
    (tmp_path / "b.json").write_text(json.dumps(GENESYS_WORDS))
    paths = ["a.json", "b.json"] if has_details else ["b.json"]
    (value,) = read_files(*(tmp_path / path for path in paths)).values
    assert [(m["speaker"], m["text"], m["at"]) for m in value["messages"]] == [
        ("agent", "Acme, good day.", "2026-09-14T02:00:01.500000Z"),
        ("customer", "my tap drips", "2026-09-14T02:00:04Z"),
    ]
    assert (value["started_at"], value["customer_id"]) == ("2026-09-14T02:00:00Z", "+6681")
    assert (value["language"], value["channel"], value["interaction_id"]) == ("en-us", "phone", "c1")
    assert value["ended_at"] == ("2026-09-14T02:09:00Z" if has_details else "2026-09-14T02:00:04Z")
    assert value["extra"]["transcripts"][0]["transcripts"][0]["phrases"][0]["confidence"] == 0.9


_AT = "2026-09-14T02:{}Z"
GENESYS_PEOPLE = [
    {"id": "p1", "name": "Ann", "purpose": "customer", "direction": "inbound", "ani": "tel:+6681",
     "startTime": _AT.format("00:00"), "connectedTime": _AT.format("00:00"), "endTime": _AT.format("05:00")},
    {"id": "p2", "purpose": "acd", "queue": {"id": "q1"}, "startTime": _AT.format("00:00"),
     "connectedTime": _AT.format("00:00"), "endTime": _AT.format("00:20")},
    {"id": "p3", "purpose": "agent", "user": {"id": "u0"}, "startTime": _AT.format("00:05"),
     "endTime": _AT.format("00:15")},
    {"id": "p4", "purpose": "agent", "user": {"id": "u1"}, "startTime": _AT.format("00:10"),
     "connectedTime": _AT.format("00:20"), "endTime": _AT.format("05:00"), "startAcwTime": _AT.format("05:00"),
     "endAcwTime": _AT.format("05:14"), "wrapup": {"code": "w1", "notes": "is kind"}, "confined": False},
]  # fmt: skip
GENESYS_FLAT = {"id": "c1", "participants": GENESYS_PEOPLE, "selfUri": "/api/v2/conversations/calls/c1"}
GENESYS_FULL = {
    "id": "c1", "startTime": _AT.format("00:00"), "endTime": _AT.format("05:00"), "selfUri": "/api/v2/conversations/c1",
    "participants": [
        {"id": person["id"], "purpose": person["purpose"], "userId": person.get("user", {}).get("id"),
         "queueId": "q1" if person["purpose"] == "acd" else None, "chats": [], "calls": [{
            "direction": "inbound", "self": {"addressNormalized": "+6681"}, "confined": False,
            "wrapup": person.get("wrapup"), "segments": [{
                "startTime": person.get("connectedTime") or person["startTime"], "endTime": person["endTime"],
                "type": "Interact" if "connectedTime" in person else "Alert"}],
            "afterCallWork": {"startTime": person.get("startAcwTime"), "endTime": person.get("endAcwTime")}}]}
        for person in GENESYS_PEOPLE
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "native",
    [GENESYS_FLAT, GENESYS_FULL, {"entities": [GENESYS_FLAT], "total": 1}, {"topicName": "v2", "eventBody": GENESYS_FLAT}],
)  # fmt: skip
def test_genesys_conversation_of_the_interface_reads_as_its_details_do(
    tmp_path: Path, native: dict[str, Any]
) -> None:
    (tmp_path / "c.json").write_text(json.dumps(native))
    found = read_files(tmp_path / "c.json")
    (value,) = found.values
    assert (found.findings, found.rejects) == ([], [])
    names = ("interaction_id", "channel", "direction", "status", "customer_id", "agent_id", "queue")
    assert [value.get(name) for name in names] == ["c1", "phone", "inbound", "completed", "+6681", "u1", "q1"]
    assert (value["category"], value["notes"]) == ("w1", "is kind")
    assert (value["started_at"], value["ended_at"]) == (_AT.format("00:00"), _AT.format("05:00"))
    spans = [value[name] for name in ("wait_seconds", "talk_seconds", "wrap_up_seconds")]
    assert spans == [20, 280, 14]
    assert '"confined": false' in json.dumps(value["extra"])


def test_genesys_object_that_holds_nothing_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}\n" + json.dumps(GENESYS_CALL))
    found = read_files(tmp_path / "x.json", from_format="genesys_cloud")
    assert (len(found.values), found.rejects) == (1, ["no_start"])


def test_genesys_open_conversation_has_no_end() -> None:
    value = read_files("genesys/query.json").values[3]
    assert value["status"] == "open"
    assert "ended_at" not in value


def _text(number: int, direction: str, body: str, minute: int, **more: Any) -> dict[str, Any]:
    ends = ("+6681", "+662") if direction == "inbound" else ("+662", "+6681")
    sent = f"Mon, 14 Sep 2026 02:{minute:02}:00 +0000"
    return {
        "sid": f"SM{number}", "account_sid": "AC1", "direction": direction, "body": body, "from": ends[0],
        "to": ends[1], "date_sent": sent, "num_media": "0", "status": "delivered", "price": "-0.01", **more,
    }  # fmt: skip


TEXTS = [
    _text(5, "inbound", "", 9, num_media="2", **{"from": "whatsapp:+6681", "to": "whatsapp:+662"}),
    _text(4, "outbound-api", "Our sale has begun", 8, to="+6699"),
    _text(3, "outbound-reply", "At ten", 7),
    _text(2, "outbound-reply", "We come", 7),
    _text(1, "inbound", "My tap drips", 1),
]
TEXT_PAGE = {"messages": TEXTS, "page": 0, "page_size": 50, "first_page_uri": "/x"}


@pytest.mark.parametrize("form", ["page", "lines", "camel case", "table"])
def test_twilio_messages_between_two_numbers_are_a_chat(tmp_path: Path, form: str) -> None:
    path = tmp_path / "x.json"
    if form == "table":
        names = ["From", "To", "Body", "Status", "SentDate", "NumMedia", "AccountSid", "Sid", "Direction"]
        keys = ["from", "to", "body", "status", "date_sent", "num_media", "account_sid", "sid", "direction"]
        rows = [",".join(names), *(",".join('"' + one[key] + '"' for key in keys) for one in TEXTS)]
        path.write_text("\n".join(rows))
    elif form == "camel case":
        path.write_text(
            json.dumps([{k.replace("date_sent", "dateSent"): v for k, v in one.items()} for one in TEXTS])
        )
    else:
        path.write_text(json.dumps(TEXT_PAGE) if form == "page" else "\n".join(map(json.dumps, TEXTS)))
    found = read_files(path)
    chat, sale = sorted(found.values, key=lambda value: value["customer_id"])
    assert [(m["speaker"], m["text"]) for m in chat["messages"]] == [
        ("customer", "My tap drips"), ("agent", "We come"), ("agent", "At ten"), ("customer", "[media: 2]"),
    ]  # fmt: skip
    assert (chat["channel"], chat["direction"], chat["first_response_seconds"]) == ("chat", "inbound", 360)
    assert (chat["customer_id"], sale["customer_id"], sale["direction"]) == ("+6681", "+6699", "outbound")
    assert "agent_id" not in chat
    assert (found.formats, found.findings, found.rejects) == ({"twilio"}, [], [])


def test_twilio_chats_of_one_file_come_in_few_blocks(tmp_path: Path) -> None:
    """Each block costs the steps behind reading as much as many short chats do."""
    texts = [_text(number, "inbound", "Hello", 1, **{"from": f"+66{number}"}) for number in range(300)]
    (tmp_path / "x.json").write_text("\n".join(map(json.dumps, texts)))
    with identify([str(tmp_path / "x.json")]) as inputs:
        sizes = [len(block.values) for block in read_blocks(inputs, ReadOptions()) if block.values]
    assert sizes == [300]


def test_twilio_columns_of_one_meaning_are_both_kept(tmp_path: Path) -> None:
    header = "Call Sid,From,To,Direction,Status,Start Time,Start Time (UTC),Duration"
    row = "CA1,+6681,+662,inbound,completed,2026-09-14T02:00:00Z,2026-09-14 02:00:01,9"
    (tmp_path / "x.csv").write_text(f"{header}\n{row}\n")
    (value,) = read_files(tmp_path / "x.csv").values
    assert value["started_at"] == "2026-09-14T02:00:00Z"
    assert value["extra"]["legs"][0]["Start Time (UTC)"] == "2026-09-14 02:00:01"


def test_twilio_message_in_two_exports_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(TEXT_PAGE))
    (tmp_path / "b.json").write_text("\n".join(map(json.dumps, TEXTS[1:])))
    values = read_files(tmp_path / "a.json", tmp_path / "b.json").values
    assert sorted(len(value["messages"]) for value in values) == [1, 4]


def test_twilio_dialled_leg_is_the_agent_of_the_call_that_came_in() -> None:
    found = by_id("twilio/calls.json")
    assert (found["CA01"]["direction"], found["CA01"]["agent_id"], found["CA01"]["talk_seconds"]) == (
        "inbound", "nok", 45
    )  # fmt: skip
    assert (found["CA03"]["status"], found["CA03"].get("agent_id")) == ("missed", None)
    assert "customer_id" not in found["CA07"]


def test_twilio_call_that_an_agent_begins_in_the_browser_goes_out(tmp_path: Path) -> None:
    base = {"account_sid": "AC1", "start_time": "Mon, 14 Sep 2026 02:00:00 +0000", "status": "completed"}
    calls = [
        {**base, "sid": "CA1", "direction": "inbound", "from": "client:ann", "to": "", "duration": "70"},
        {**base, "sid": "CA2", "parent_call_sid": "CA1", "direction": "outbound-dial", "from": "+6620",
         "to": "+6681", "duration": "60"},
    ]  # fmt: skip
    (tmp_path / "x.json").write_text(json.dumps({"calls": calls}))
    (value,) = read_files(tmp_path / "x.json").values
    told = [value[n] for n in ("direction", "customer_id", "agent_id", "talk_seconds", "status")]
    assert told == ["outbound", "+6681", "ann", 60, "completed"]
    assert "initiative" not in value


def test_twilio_words_of_the_console_are_known(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(
        "Call Sid,Date,From,To,Direction,Status,Duration\n"
        "CA1,2026-09-14T02:00:00Z,+6681,+6620,Incoming,No Answer,0\n"
        "CA2,2026-09-14T02:00:00Z,+6620,+6682,Outgoing API,Completed,9\n"
    )
    first, second = read_files(tmp_path / "x.csv").values
    assert (first["direction"], first["status"], first["customer_id"]) == ("inbound", "missed", "+6681")
    assert (second["direction"], second["initiative"], second["talk_seconds"]) == ("outbound", "proactive", 9)


def test_twilio_columns_with_units_and_zones_are_known(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(
        "Call SID,From Number,To Number,Direction,Call Status,Start Time (UTC),Duration (sec),Note\n"
        "CA1,+6681,+6620,inbound,completed,2026-09-14 02:00:00,9,n\n"
    )
    (value,) = read_files(tmp_path / "x.csv", zone="Asia/Bangkok").values
    assert (value["started_at"], value["talk_seconds"], value["customer_id"]) == (
        "2026-09-14T02:00:00Z",
        9,
        "+6681",
    )
    assert value["extra"]["legs"][0]["Note"] == "n"


def test_twilio_command_line_writes_camel_case(tmp_path: Path) -> None:
    path = tmp_path / "calls.json"
    fields = {
        "sid": "CA1", "accountSid": "AC1", "direction": "inbound", "from": "+66812345678",
        "to": "+6620000000", "startTime": "2026-09-14T03:00:00.000Z",
        "endTime": "2026-09-14T03:01:00.000Z", "duration": "60",
        "status": "completed", "parentCallSid": None, "queueTime": "0",
    }  # fmt: skip
    path.write_text(json.dumps([fields]))
    (value,) = read_files(path).values
    assert (value["started_at"], value["talk_seconds"]) == ("2026-09-14T03:00:00Z", 60)


def test_twilio_console_times_need_a_zone() -> None:
    assert read_files("twilio/console.csv").rejects == ["no_offset", "no_offset"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:00:00 UTC 2026-09-14", "2026-09-14T10:00:00Z"),
        ("10:00:00 PDT 2026-09-14", "2026-09-14T10:00:00-07:00"),
        ("2026-09-14 10:00:00 UTC", "2026-09-14T10:00:00Z"),
        ("Mon, 14 Sep 2026 10:00:00 +0000", "2026-09-14T10:00:00Z"),
    ],
)
def test_twilio_times_in_any_dress(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(Path("twilio/console.csv").read_text().replace("2026-09-14 10:00:00", f'"{text}"'))
    assert read_files(path, zone="Asia/Bangkok").values[0]["started_at"] == expected


def test_cisco_zero_is_no_time_and_type_rows_are_no_calls() -> None:
    path = "cucm/cdr_Cluster1_01_202609140000_1"
    found = read_files(path)
    assert sorted(found.rejects) == ["no_start", "too_few_cells"]
    moved, missed, *_ = found.values
    assert (moved["talk_seconds"], moved["wait_seconds"], moved["agent_id"]) == (120, 8, "lek")
    assert (missed["status"], missed["talk_seconds"]) == ("missed", 0)
    assert [v["direction"] for v in found.values] == [
        "inbound", "inbound", "outbound", "internal", "inbound", "outbound"
    ]  # fmt: skip


def _cisco(tmp_path: Path, *rows: dict[str, str]) -> list[dict[str, Any]]:
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    (tmp_path / "cdr").write_text("\n".join(lines))
    return read_files(tmp_path / "cdr").values


CISCO = {
    "cdrRecordType": "1", "globalCallID_callManagerId": "1", "dateTimeOrigination": "1789351200",
    "callingPartyNumber": "0812345678", "finalCalledPartyNumber": "7001", "dateTimeConnect": "1789351205",
    "dateTimeDisconnect": "1789351265", "duration": "60", "origDeviceName": "VG-trunk", "destDeviceName": "SEP001",
}  # fmt: skip


def test_cisco_rows_without_the_number_of_their_call_stand_for_themselves(tmp_path: Path) -> None:
    first, second = _cisco(tmp_path, CISCO, CISCO | {"callingPartyNumber": "0899999999"})
    assert [v["customer_id"] for v in (first, second)] == ["0812345678", "0899999999"]
    assert first["direction"] == "inbound"


def test_cisco_call_that_a_mailbox_took_is_a_voicemail(tmp_path: Path) -> None:
    (value,) = _cisco(tmp_path, CISCO | {"destDeviceName": "CiscoUM1-VI3"})
    assert (value["direction"], value["status"], "talk_seconds" in value) == ("inbound", "voicemail", False)
    (value,) = _cisco(tmp_path, CISCO | {"dateTimeOrigination": "0"})
    assert (value["started_at"], value["status"]) == ("2026-09-14T02:00:05Z", "completed")


def test_cisco_legs_to_a_recorder_are_no_calls_and_logins_that_say_nothing_are_left_out(
    tmp_path: Path,
) -> None:
    bridge = CISCO | {"callingPartyNumber": "b002", "joinOnBehalfOf": "27"}
    login = CISCO | {"joinOnBehalfOf": "0", "finalCalledPartyUnicodeLoginUserID": "unspecified"}
    (tmp_path / "cdr").write_text("\n".join(",".join(row) for row in (bridge, bridge.values())))
    found = read_files(tmp_path / "cdr")
    assert (found.values, found.rejects, found.findings) == ([], [], [("warning", "no_interaction")])
    (value,) = _cisco(tmp_path, login)
    assert value["agent_id"] == "7001"


def test_cisco_columns_are_found_whatever_their_case_and_order(tmp_path: Path) -> None:
    lines = Path("cucm/cdr_Cluster1_01_202609140000_1").read_text().splitlines()
    rows = [line.split(",") for line in (lines[0], lines[1], lines[4])]
    path = tmp_path / "cdr"
    path.write_text("\n".join(",".join(reversed(r)) for r in rows).replace("globalCallID", "GLOBALCALLID"))
    assert read_files(path).values[0]["interaction_id"] == "Cluster1-1-101-1789355000"


def test_null_of_a_database_joins_no_calls(tmp_path: Path) -> None:
    text = Path("asterisk/cdr__1789430400pbx.csv").read_text()
    head, *rows = text.splitlines()
    path = tmp_path / "cdr.csv"
    both = [",".join([*row.split(",")[:-3], "NULL", "", "1"]) for row in (rows[0], rows[2])]
    path.write_text("\n".join([head, *both]))
    assert len(read_files(path, zone="Asia/Jerusalem").values) == 2


def test_end_before_the_start_is_left_out_and_kept_under_extra(tmp_path: Path) -> None:
    record = json.loads(Path("genesys/events.ndjson").read_text().splitlines()[0])
    path = tmp_path / "conversation.json"
    path.write_text(json.dumps({**record, "conversationEnd": "2026-09-14T08:00:00Z"}))
    found = read_files(path)
    assert found.findings == [("warning", "end_before_start")]
    assert found.values[0]["extra"]["ended_at"] == "2026-09-14T08:00:00Z"
    assert "ended_at" not in found.values[0]


@pytest.mark.parametrize("wrapped", [False, True])
def test_unknown_fields_of_any_shape_never_break_a_reader(tmp_path: Path, wrapped: bool) -> None:
    paths = {"genesys/query.json": "conversations", "twilio/calls.json": "calls"}
    for name, key in paths.items():
        page = json.loads(Path(name).read_text())
        for record in page[key]:
            record |= {"Brand": {"new": [[1], {"x": None}]}, "participants": record.get("participants", 7)}
        path = tmp_path / "page.json"
        path.write_text(json.dumps(page if wrapped else page[key]))
        found = read_files(path)
        assert found.values and not found.rejects
        assert '"new": [[1]' in json.dumps(found.values)


@pytest.mark.parametrize(
    "native",
    [
        ({"ContactId": "c", "InitiationMethod": ["X"], "InitiationTimestamp": "2026-09-14T02:00:00Z"}),
        (GENESYS_CALL | {"participants": [{"purpose": {}, "sessions": [{"mediaType": []}]}]}),
        (
            {"sid": "CA1", "account_sid": "AC1", "direction": "inbound", "status": "completed",
             "start_time": "Mon, 99999999999999999999 Sep 2026 02:00:00 +0000"}
        ),
        ({"vcon": "0.4.0", "uuid": "u", "created_at": "2026-09-14T02:00:00Z", "dialog": [{"type": ["x"]}]}),
    ],
)  # fmt: skip
def test_values_of_a_wrong_kind_never_stop_a_reader(tmp_path: Path, native: dict[str, Any]) -> None:
    (tmp_path / "x.json").write_text(json.dumps(native))
    found = read_files(tmp_path / "x.json")
    assert len(found.values) + len(found.rejects) == 1


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ({"calls": [], "page": 0, "first_page_uri": "/x"}, "twilio"),
        ({"conversations": [], "totalHits": 0}, "genesys_cloud"),
        ({"messages": [], "page": 0, "first_page_uri": "/x"}, "twilio"),
    ],
)
def test_page_without_records_is_known_and_holds_none(
    tmp_path: Path, page: dict[str, Any], name: str
) -> None:
    (tmp_path / "x.json").write_text(json.dumps(page))
    found = read_files(tmp_path / "x.json")
    assert (found.formats, found.values, found.rejects) == ({name}, [], [])


def test_command_says_the_format_and_its_remarks() -> None:
    done = call("validate", "amazon_connect/contacts.json", "--format", "json")
    report = json.loads(done.stdout)
    assert (done.exit_code, report["accepted"]) == (0, 7)
    assert [e["keyword"] for e in report["errors"]] == ["no_interaction"]
    assert "gold {x}" not in done.stdout + done.stderr


def test_forced_format_on_another_file_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("this is no export\nof anything\n")
    for name in ("asterisk_cdr", "amazon_connect", "genesys_cloud", "twilio", "cucm_cdr", "poslog", "square"):
        done = call("validate", path, "--from", name)
        assert done.exit_code == 65, name


def test_call_of_endless_legs_is_cut_into_bounded_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("carelog.sources.formats._legs.MOST_LEGS", 2)
    row = Path("asterisk/Master.csv").read_text().splitlines()[0]
    path = tmp_path / "Master.csv"
    path.write_text("\n".join(row.replace('",21', f'",{n}') for n in range(5)))
    values = read_files(path, zone="Asia/Bangkok").values
    assert [v["interaction_id"] for v in values] == ["1789354800.10", "1789354800.10#2", "1789354800.10#3"]


def test_waiting_is_that_of_who_called_us() -> None:
    values = read_files("asterisk/Master.csv").values
    assert [v["direction"] for v in values if "wait_seconds" not in v] == ["outbound", "inbound"]
    assert values[4]["status"] == "voicemail"


def test_result_is_the_same_with_any_number_of_processes(tmp_path: Path) -> None:
    outputs = []
    for jobs in ("1", "3"):
        target = tmp_path / f"{jobs}.jsonl"
        paths = [
            "amazon_connect/contacts.json",
            "amazon_connect/chat.json",
            "asterisk/custom.csv",
            "poslog/day.xml",
        ]
        done = call("classify", *paths, "-o", target, "--jobs", jobs, "--tz", "Europe/Berlin", "--quiet")
        assert done.exit_code == 0
        outputs.append(target.read_bytes())
    assert outputs[0] == outputs[1]
    assert outputs[0].count(b"\n") == 14

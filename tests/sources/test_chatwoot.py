"""Chatwoot conversations that come in pieces: events of webhooks, pages of messages, lists and their details."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.sources.goldens import Read, read_files

MESSAGES: list[dict[str, Any]] = [
    {"id": 1, "content": "Where is my order?", "message_type": 0, "created_at": 1789350000, "private": False,
     "conversation_id": 17, "inbox_id": 4, "sender": {"id": 31, "type": "contact"}},
    {"id": 2, "content": "We look for it.", "message_type": 1, "created_at": 1789350060, "private": False,
     "conversation_id": 17, "inbox_id": 4, "sender": {"id": 6, "type": "user"}},
    {"id": 3, "content": "courier lost it", "message_type": 1, "created_at": 1789350070, "private": True,
     "conversation_id": 17, "inbox_id": 4, "sender": {"id": 6, "type": "user"}},
]  # fmt: skip
CONVERSATION: dict[str, Any] = {
    "id": 17, "account_id": 1, "inbox_id": 4, "status": "resolved", "created_at": 1789350000, "labels": ["vip"],
    "meta": {"sender": {"id": 31}, "assignee": {"id": 6}, "channel": "Channel::WebWidget"}, "messages": MESSAGES,
}  # fmt: skip


def to_event(message: dict[str, Any]) -> dict[str, Any]:
    """What a webhook tells of a message: types by their names, times as texts, the conversation around it."""
    names = {0: "incoming", 1: "outgoing"}
    at = f"2026-09-14T01:{(message['created_at'] - 1789350000) // 60 + 40:02}:00.000Z"
    told = {key: value for key, value in message.items() if key not in ("conversation_id", "inbox_id")}
    return {
        **told, "event": "message_created", "message_type": names[message["message_type"]], "created_at": at,
        "account": {"id": 1, "name": "Shop"}, "inbox": {"id": 4, "name": "Web"},
        "conversation": {**CONVERSATION, "status": "open", "messages": [message]},
    }  # fmt: skip


CHANGE = {**CONVERSATION, "event": "conversation_status_changed", "messages": [], "changed_attributes": []}


def read(tmp_path: Path, *texts: str) -> Read:
    paths = [tmp_path / f"{number}.json" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    found = read_files(*paths)
    assert found.formats == {"chatwoot"}
    return found


def said(value: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["speaker"], message["text"]) for message in value["messages"]]


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param([json.dumps(CONVERSATION)], id="conversation"),
        pytest.param(["\n".join(json.dumps(to_event(m)) for m in MESSAGES) + "\n" + json.dumps(CHANGE)], id="events"),
        pytest.param([json.dumps(to_event(m)) for m in MESSAGES] + [json.dumps(CHANGE)], id="a file for each event"),
        pytest.param(
            [json.dumps({"data": {"meta": {}, "payload": [{**CONVERSATION, "messages": MESSAGES[-1:]}]}}),
             json.dumps(CONVERSATION)],
            id="list and detail",
        ),
    ],
)  # fmt: skip
def test_conversation_is_put_together(tmp_path: Path, texts: list[str]) -> None:
    found = read(tmp_path, *texts)
    (value,) = found.values
    assert (found.findings, found.rejects) == ([], [])
    assert said(value) == [("customer", "Where is my order?"), ("agent", "We look for it.")]
    assert (value["notes"], value["status"], value["tags"]) == ("courier lost it", "closed", ["vip"])
    assert (value["interaction_id"], value["customer_id"], value["agent_id"]) == ("chatwoot-17", "31", "6")
    assert value["started_at"] == "2026-09-14T01:40:00Z"


def test_page_of_messages_is_one_conversation(tmp_path: Path) -> None:
    page = {"meta": {"labels": ["vip"], "contact": {"id": 31}, "assignee": {"id": 6}}, "payload": MESSAGES}
    (value,) = read(tmp_path, json.dumps(page)).values
    assert said(value) == [("customer", "Where is my order?"), ("agent", "We look for it.")]
    assert (value["customer_id"], value["agent_id"], value["tags"]) == ("31", "6", ["vip"])


def test_bare_messages_know_their_people(tmp_path: Path) -> None:
    others = [{**message, "id": message["id"] + 10, "conversation_id": 18} for message in MESSAGES[:1]]
    first, second = read(tmp_path, json.dumps([*MESSAGES, *others])).values
    assert (first["interaction_id"], second["interaction_id"]) == ("chatwoot-17", "chatwoot-18")
    assert (first["customer_id"], first["agent_id"], second["direction"]) == ("31", "6", "inbound")


def test_conversations_of_two_accounts_are_two(tmp_path: Path) -> None:
    other = {**CONVERSATION, "account_id": 2}
    assert len(read(tmp_path, json.dumps([CONVERSATION, other])).values) == 2


def test_event_names_are_kept(tmp_path: Path) -> None:
    (value,) = read(tmp_path, "\n".join(map(json.dumps, [to_event(MESSAGES[0]), CHANGE]))).values
    assert value["extra"]["events"] == ["message_created", "conversation_status_changed"]

"""Intercom conversations in the wrappings of webhooks and scripts, in HTML and in plain text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.sources.goldens import Read, read_files

PARTS = [
    {"id": "1", "part_type": "assignment", "body": None, "created_at": 1700000010, "author": {"type": "bot"}},
    {"id": "2", "part_type": "comment", "body": "<p>Hello<br>Asha</p>", "created_at": 1700000120,
     "author": {"type": "admin", "id": "814"}},
]  # fmt: skip
CONVERSATION: dict[str, Any] = {
    "type": "conversation",
    "id": "147",
    "created_at": 1700000000,
    "state": "closed",
    "source": {
        "delivered_as": "customer_initiated",
        "body": "<p>Dark lamp</p>",
        "author": {"type": "user", "id": "5"},
    },
    "statistics": {"count_conversation_parts": 2},
    "conversation_parts": {"conversation_parts": PARTS, "total_count": 2},
}


def read(tmp_path: Path, document: Any) -> Read:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    found = read_files(path)
    assert found.formats == {"intercom"}
    return found


def said(value: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["speaker"], message["text"]) for message in value["messages"]]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(CONVERSATION, id="alone"),
        pytest.param({"type": "conversation.list", "conversations": [CONVERSATION], "pages": {}}, id="page"),
        pytest.param({"topic": "conversation.user.replied", "data": {"item": CONVERSATION}}, id="webhook"),
        pytest.param({"conversation": CONVERSATION, "fetched_at": "2026-03-01"}, id="script"),
        pytest.param({**CONVERSATION, "conversation_parts": PARTS}, id="parts as a list"),
    ],
)
def test_conversation_is_the_same_in_every_wrapping(tmp_path: Path, document: Any) -> None:
    found = read(tmp_path, document)
    (value,) = found.values
    assert (found.findings, value["interaction_id"], value["initiative"]) == ([], "intercom-147", "reactive")
    assert said(value) == [("customer", "Dark lamp"), ("agent", "Hello\nAsha")]


def test_what_a_webhook_says_of_its_delivery_is_kept(tmp_path: Path) -> None:
    (value,) = read(tmp_path, {"topic": "conversation.user.replied", "data": {"item": CONVERSATION}}).values
    assert value["extra"]["delivery"] == {"topic": "conversation.user.replied"}


def test_plain_text_keeps_its_lines_and_brackets(tmp_path: Path) -> None:
    source = {**CONVERSATION["source"], "body": "first line\nsecond <line> & 1 < 2"}
    (value,) = read(tmp_path, {**CONVERSATION, "source": source}).values
    assert value["messages"][0]["text"] == "first line\nsecond <line> & 1 < 2"


def test_list_without_parts_says_how_many_are_missing(tmp_path: Path) -> None:
    short = {key: value for key, value in CONVERSATION.items() if key != "conversation_parts"}
    assert read(tmp_path, {"conversations": [short]}).findings == [("warning", "parts_missing")]


@pytest.mark.parametrize(
    ("source", "speaker", "direction"),
    [
        ({"body": "<p>Hi</p>"}, "customer", "inbound"),
        ({"body": "<p>Hi</p>", "delivered_as": "admin_initiated"}, "agent", "outbound"),
    ],
)
def test_first_words_without_an_author_are_told_by_their_delivery(
    tmp_path: Path, source: dict[str, Any], speaker: str, direction: str
) -> None:
    (value,) = read(tmp_path, {**CONVERSATION, "source": source, "conversation_rating": 5}).values
    assert (value["messages"][0]["speaker"], value["direction"]) == (speaker, direction)
    assert value["satisfaction"] == {"scale": "csat_5", "score": 5}


def test_conversation_without_a_source_is_known_by_its_contacts(tmp_path: Path) -> None:
    part = {
        "id": "9",
        "part_type": "comment",
        "body": "Hi",
        "created_at": 1700000100,
        "author": {"type": "user"},
    }
    document = {
        "id": "1", "created_at": 1700000000, "contacts": {"contacts": [{"id": "5"}]},
        "conversation_parts": {"conversation_parts": [part]},
    }  # fmt: skip
    (value,) = read(tmp_path, document).values
    assert (value["customer_id"], value["direction"], said(value)) == ("5", "inbound", [("customer", "Hi")])


def test_page_without_conversations_is_known(tmp_path: Path) -> None:
    assert read(tmp_path, {"type": "conversation.list", "conversations": [], "pages": {}}).values == []

"""Zendesk tickets in the shapes in which the account's export, the API and people's scripts give them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from tests.sources.goldens import Read, read_files
from tests.sources.leaves import lost_leaves

from carelog.sources.blocks import ReadOptions
from carelog.sources.formats import detect_formats
from carelog.sources.formats._chat_log import split_chat
from carelog.sources.reading import identify, read_blocks

TICKET: dict[str, Any] = {
    "url": "https://shop.example/api/v2/tickets/1.json",
    "id": 1,
    "via": {"channel": "email", "source": {"from": {"name": "Ana"}, "rel": None}},
    "created_at": "2026-03-01T10:00:00Z",
    "subject": "Dark lamp",
    "description": "The lamp is dark.",
    "status": "solved",
    "requester_id": 11,
    "submitter_id": 11,
    "assignee_id": 22,
    "group_id": 33,
    "tags": ["lamp"],
    "satisfaction_rating": {"score": "good"},
}
COMMENTS: list[dict[str, Any]] = [
    {
        "id": 100,
        "author_id": 11,
        "body": "The lamp is dark.",
        "public": True,
        "created_at": "2026-03-01T10:00:00Z",
    },
    {
        "id": 101,
        "author_id": 22,
        "body": "Try a new bulb",
        "public": True,
        "created_at": "2026-03-01T11:00:00Z",
    },
    {"id": 102, "author_id": 22, "body": "knows us", "public": False, "created_at": "2026-03-01T11:05:00Z"},
    {"id": 103, "author_id": 44, "body": "Mine too", "public": True, "created_at": "2026-03-01T12:00:00Z"},
]
USERS = [
    {"id": 11, "name": "Ana", "role": "end-user"},
    {"id": 22, "name": "Bo", "role": "agent"},
    {"id": 44, "name": "Cee", "role": "end-user"},
]
AUDITS = [
    {
        "id": n,
        "created_at": c["created_at"],
        "author_id": c["author_id"],
        "events": [{**c, "type": "Comment"}],
    }
    for n, c in enumerate(COMMENTS)
]
PEOPLE_INSIDE = {
    "requester": USERS[0], "submitter": {"id": 11, "name": "Ana"}, "assignee": USERS[1], "group": {"id": 33}
}  # fmt: skip


def without(ticket: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in ticket.items() if key not in names}


def read(tmp_path: Path, document: Any, **options: Any) -> Read:
    path = tmp_path / "tickets.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    found = read_files(path, **options)
    assert found.formats == {"zendesk"}
    return found


def said(value: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["speaker"], message["text"]) for message in value.get("messages", [])]


SHAPES = [
    pytest.param({**TICKET, "comments": COMMENTS}, False, id="inside"),
    pytest.param({**TICKET, "comments": {"comments": COMMENTS, "count": 4}}, False, id="as the API's page"),
    pytest.param({"ticket": TICKET, "comments": COMMENTS, "users": USERS}, True, id="beside a ticket"),
    pytest.param({"tickets": [{"ticket": TICKET, "comments": COMMENTS}]}, False, id="beside, in a list"),
    pytest.param({"tickets": [TICKET], "comments": {"1": COMMENTS}, "users": USERS}, True, id="by ticket"),
    pytest.param(
        {"tickets": [TICKET], "comments": [{**c, "ticket_id": 1} for c in COMMENTS]}, False, id="with its ticket_id"
    ),
    pytest.param({"ticket": TICKET, "audits": AUDITS}, False, id="audits"),
    pytest.param({"1": {**TICKET, "comments": COMMENTS}}, False, id="tickets by number"),
    pytest.param(
        {**without(TICKET, "requester_id", "submitter_id", "assignee_id", "group_id"), **PEOPLE_INSIDE,
         "comments": COMMENTS},
        False,
        id="the account's export",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("document", "knows_users"), SHAPES)
def test_ticket_is_the_same_however_its_comments_were_joined(
    tmp_path: Path, document: Any, knows_users: bool
) -> None:
    found = read(tmp_path, document)
    (value,) = found.values
    assert (found.findings, found.rejects) == ([], [])
    third = "customer" if knows_users else "agent"
    assert said(value) == [
        ("customer", "The lamp is dark."),
        ("agent", "Try a new bulb"),
        (third, "Mine too"),
    ]
    assert (value["notes"], value["first_response_seconds"]) == ("knows us", 3600)
    assert (value["customer_id"], value["agent_id"], value["queue"]) == ("11", "22", "33")
    assert (value["status"], value["satisfaction"]) == ("closed", {"scale": "thumbs", "score": 1})


def written(path: tuple[str | int, ...], leaf: Any) -> Any:
    """What is mapped to another form: the status of thumbs, ids as texts, and what a page says of itself."""
    of_page = ("count", "end_of_stream", "users", "metric_sets", "groups")
    if path[-1] in ("score", "calendar") or (path[0] in of_page and path[-1] in ("ticket_id", *of_page)):
        return None
    return leaf


@pytest.mark.parametrize(("document", "knows_users"), SHAPES)
def test_nothing_of_a_ticket_is_lost(tmp_path: Path, document: Any, knows_users: bool) -> None:
    native = json.loads(json.dumps(document))
    if "users" in native:
        native["users"] = [user for user in native["users"] if user["id"] in (11, 22, 44)]
    assert lost_leaves(native, {"values": read(tmp_path, document).values}, written) == []


def test_incremental_export_joins_what_it_side_loads(tmp_path: Path) -> None:
    metrics = {
        "id": 7,
        "ticket_id": 1,
        "reply_time_in_minutes": {"calendar": 60, "business": 20},
        "full_resolution_time_in_minutes": {"calendar": 1440},
        "solved_at": "2026-03-02T10:00:00Z",
    }
    page = {
        "tickets": [TICKET, {**TICKET, "id": 2}],
        "users": USERS,
        "groups": [{"id": 33, "name": "Lamps"}],
        "metric_sets": [metrics],
        "end_of_stream": True,
    }
    first, second = read(tmp_path, page).values
    assert (first["first_response_seconds"], first["resolution_seconds"]) == (3600, 86400)
    assert first["ended_at"] == "2026-03-02T10:00:00Z"
    assert "resolution_seconds" not in second
    assert first["extra"]["group"] == {"id": 33, "name": "Lamps"}
    assert [user["name"] for user in first["extra"]["users"]] == ["Ana", "Bo"]


def test_search_result_that_is_no_ticket_is_put_aside_with_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "search.json"
    other = {"id": 11, "name": "Ana", "created_at": "2020-01-01T00:00:00Z", "result_type": "user"}
    path.write_text(json.dumps({"results": [{**TICKET, "result_type": "ticket"}, other]}), encoding="utf-8")
    found = read_files(path)
    assert ([v["interaction_id"] for v in found.values], found.rejects) == (["zendesk-1"], ["not_a_ticket"])


def test_ticket_with_its_own_id_name_and_plain_via_is_read(tmp_path: Path) -> None:
    ticket = {
        "_id": "4b-1", "created_at": "2016-04-28T11:19:34 -10:00", "subject": "A dark lamp", "submitter_id": 38,
        "description": "Nothing shines.", "assignee_id": 24, "has_incidents": False, "via": "chat",
    }  # fmt: skip
    (value,) = read(tmp_path, [ticket]).values
    assert (value["interaction_id"], value["started_at"]) == ("zendesk-4b-1", "2016-04-28T11:19:34-10:00")
    assert (value["channel"], value["customer_id"]) == ("chat", "38")
    assert said(value) == [("customer", "Nothing shines.")]


def test_description_stands_before_comments_that_do_not_hold_it(tmp_path: Path) -> None:
    (value,) = read(tmp_path, {**TICKET, "comments": COMMENTS[1:]}).values
    assert said(value)[:2] == [("customer", "The lamp is dark."), ("agent", "Try a new bulb")]
    assert "description" not in value["extra"]


def test_authors_may_be_names_addresses_or_roles(tmp_path: Path) -> None:
    ticket = {
        **without(TICKET, "requester_id", "submitter_id"), "requester": {"name": "Joe", "email": "joe@x.example"},
        "comments": [
            {"author": "Joe", "text": "Hi", "timestamp": "2026-03-01T10:00:00Z"},
            {"author": {"role": "agent", "name": "Bo"}, "body": "Hello", "created_at": "2026-03-01T10:05:00Z"},
            {"author": "joe@x.example", "body": "Thanks", "created_at": "2026-03-01T10:06:00Z"},
            {"author": "Bo", "author_role": "agent", "body": "Bye", "created_at": "2026-03-01T10:07:00Z"},
        ],
    }  # fmt: skip
    (value,) = read(tmp_path, without(ticket, "description")).values
    assert [speaker for speaker, _ in said(value)] == ["customer", "agent", "customer", "agent"]
    assert (value["customer_id"], value["first_response_seconds"]) == ("joe@x.example", 300)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"comments": [{**COMMENTS[0], "audit_id": 3}], "next_page": None}, "comments without their ticket"),
        (
            {
                "satisfaction_ratings": [
                    {"id": 1, "ticket_id": 1, "score": "good", "group_id": 3, "assignee_id": 2}
                ]
            },
            "ticket is not among",
        ),
        (
            {"users": [{"id": 11, "url": "https://a.zendesk.com/api/v2/users/11.json", "name": "Ana"}]},
            "holds users and no tickets",
        ),
    ],
)
def test_parts_without_their_ticket_say_so(tmp_path: Path, document: Any, told: str) -> None:
    path = tmp_path / "part.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with identify([str(path)]) as inputs:
        (reject,) = [reject for block in read_blocks(inputs, ReadOptions()) for reject in block.rejects]
    assert told in reject.findings[0].message


def test_page_without_tickets_is_known(tmp_path: Path) -> None:
    found = read(tmp_path, {"tickets": [], "next_page": None, "count": 0})
    assert (found.values, found.rejects) == ([], [])


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            {"id": 1, "requester_id": 2, "responder_id": 3, "fr_due_by": "x", "group_id": 1}, id="freshdesk"
        ),
        pytest.param({"id": 1, "assignee_user": {}, "requester": {}, "via": "email"}, id="gorgias"),
        pytest.param({"interaction_id": "1", "requester_id": 1, "via": 2}, id="canonical"),
        pytest.param({"event": {"requester_id": 1, "via": {}, "assignee_id": 2}}, id="below another name"),
    ],
)
def test_other_systems_are_not_taken_for_zendesk(document: Any) -> None:
    assert "zendesk" not in detect_formats(json.dumps(document).encode(), "x.json")


CHAT = """Chat started: 2026-03-01 10:00 PM UTC

(10:00:11 PM) Help: Hi Ana, how can we help?
(10:00:14 PM) Ana: my lamp
is dark: all of it
(10:00:20 PM) *** Bo joined the chat ***
(10:00:47 PM) Bo: Hi Ana
(10:02:10 PM) Ana: thanks
(12:03:00 AM) *** Bo left the chat ***"""


def test_transcript_of_a_chat_is_cut_into_its_lines(tmp_path: Path) -> None:
    comment = {"id": 1, "author_id": 22, "public": True, "created_at": "2026-03-01T22:20:00Z", "body": CHAT}
    ticket = {
        **TICKET,
        "via": {"channel": "chat"},
        "submitter_id": 22,
        "description": CHAT,
        "comments": [comment],
    }
    (value,) = read(tmp_path, {"tickets": [ticket], "users": USERS}).values
    assert said(value) == [
        ("system", "Chat started: 2026-03-01 10:00 PM UTC"),
        ("agent", "Hi Ana, how can we help?"),
        ("customer", "my lamp\nis dark: all of it"),
        ("system", "Bo joined the chat"),
        ("agent", "Hi Ana"),
        ("customer", "thanks"),
        ("system", "Bo left the chat"),
    ]
    assert (value["messages"][2]["at"], value["messages"][-1]["at"]) == (
        "2026-03-01T22:00:14Z",
        "2026-03-02T00:03:00Z",
    )
    assert (value["direction"], value["first_response_seconds"]) == ("inbound", 33)


def chat_events() -> list[dict[str, Any]]:
    """A conversation that was taken up again: its second event tells the first message once more."""
    lines = [
        ("m1", "end-user", "Ana", "My lamp is dark", 1772359200000),
        ("m2", "system", "Bot", "An agent comes soon", 1772359210000),
        ("m3", "agent", "Bo", "Try a bulb", 1772359260000),
    ]
    history = [
        {"type": "ChatMessage", "message_id": n, "actor_type": role, "actor_id": f"x{n}", "actor_name": name,
         "message": text, "timestamp": at}
        for n, role, name, text, at in lines
    ]  # fmt: skip
    status = {"type": "ChatJoin", "actor_type": "agent", "actor_name": "Bo", "timestamp": 1772359250000}
    return [
        {"id": 1, "type": "ChatStartedEvent", "value": {"chat_id": "c1", "history": history[:1]}},
        {"id": 2, "type": "ChatEndedEvent", "value": {"chat_id": "c1", "history": [*history, status]}},
        {"id": 3, "type": "Comment", "public": True, "author_id": -1,
         "body": "Conversation with Ana\n\nURL: \n\n(10:00:00) Ana: My lamp is dark"},
    ]  # fmt: skip


def test_messages_of_a_messaging_ticket_are_in_its_audits(tmp_path: Path) -> None:
    ticket = {
        **TICKET,
        "via": {"channel": "native_messaging"},
        "description": "Conversation with Ana\n\nURL: ",
        "audits": [{"id": 9, "created_at": "2026-03-01T10:10:00Z", "author_id": 22, "events": chat_events()}],
    }
    (value,) = read(tmp_path, ticket).values
    assert said(value) == [
        ("customer", "My lamp is dark"),
        ("system", "An agent comes soon"),
        ("agent", "Try a bulb"),
    ]
    assert (value["messages"][0]["at"], value["messages"][0]["message_id"]) == ("2026-03-01T10:00:00Z", "m1")
    assert (value["channel"], value["first_response_seconds"]) == ("chat", 60)


@pytest.mark.parametrize("name", ["conversation_log", "events"])
def test_messages_of_a_conversation_log(tmp_path: Path, name: str) -> None:
    def event(number: int, who: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
        at = f"2026-03-01T10:00:0{number}Z"
        return {"id": f"e{number}", "type": "Messaging::ConversationMessage", "created_at": at,
                "author": {"type": who}, "content": content, "metadata": {}, **more}  # fmt: skip

    events = [
        event(1, "user", {"type": "text", "text": "My lamp is dark"}),
        event(2, "bot", {"type": "text", "text": "One moment"}),
        event(3, "agent", {"type": "html", "body": "<p>Try a <b>bulb</b></p>"}, type="Comment"),
        event(
            4,
            "agent",
            {"type": "html", "body": "<p>knows us</p>"},
            type="Comment",
            metadata={"public": False},
        ),
        {"id": "e5", "type": "Other", "author": {"type": "bot"}},
    ]
    inside = {"conversation_log": {"events": events, "meta": {}}, "events": events}[name]
    (value,) = read(
        tmp_path, {**without(TICKET, "description"), "via": {"channel": "messaging"}, name: inside}
    ).values
    assert said(value) == [("customer", "My lamp is dark"), ("bot", "One moment"), ("agent", "Try a bulb")]
    assert value["notes"] == "knows us"


def test_transcript_without_a_day_has_no_times_and_knows_bots_and_visitors() -> None:
    text = "Conversation with Web User 6\n\n(09:58:10) Web User 6: hello\n(09:58:12) Lamp Bot: Hi!\n(09:59:00) Bo: hey"
    lines = split_chat(text, (), ())
    assert [line["speaker"] for line in lines] == ["system", "customer", "bot", "agent"]
    assert all("at" not in line for line in lines)


@pytest.mark.parametrize(
    "text", ["", "Hello there", "(10:00:11) only one: line", "(1) see\n(2) that", "(10:00:00)\n(10:00:01)"]
)
def test_other_texts_are_no_transcript(text: str) -> None:
    assert split_chat(text, (), ()) == []


@pytest.mark.parametrize(
    "ticket",
    [
        {"id": "7", "zendesk_id": "7", "subject": "Lamp", "status": "solved", "channel": "native_messaging",
         "requester_name": "Ana", "created_at": "2026-03-05T14:26:41Z"},
        {"id": 7, "url": "https://shop.zendesk.com/api/v2/tickets/7.json", "status": "solved", "subject": "Lamp",
         "requester": "Ana", "via": "chat", "created_at": "2026-03-05T14:26:41Z"},
        {"id": 7, "requester_id": "Ana", "subject": "Lamp", "status": "solved", "via": {"channel": "sms"},
         "created_at": "2026-03-05T14:26:41Z"},
    ],
)  # fmt: skip
def test_few_fields_are_enough_to_know_a_ticket(tmp_path: Path, ticket: dict[str, Any]) -> None:
    (value,) = read(tmp_path, {"tickets": [ticket]}).values
    told = (value["interaction_id"], value["channel"], value["status"], value["customer_id"])
    assert told == ("zendesk-7", "chat", "closed", "Ana")


@pytest.mark.parametrize(
    ("value", "findings"),
    [("yesterday", ["not_a_time"]), ("0000-00-00 00:00:00", []), ("", []), ("-", []), (0, [])],
)
def test_time_that_cannot_be_read_is_said(tmp_path: Path, value: Any, findings: list[str]) -> None:
    found = read(tmp_path, {**TICKET, "description": "", "solved_at": value})
    assert [keyword for _, keyword in found.findings] == findings
    assert "ended_at" not in found.values[0]


def write_lines(path: Path, values: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


@pytest.mark.parametrize("names", [("a.jsonl", "b.jsonl"), ("b.jsonl", "a.jsonl")])
def test_comments_of_another_file_join_their_ticket(tmp_path: Path, names: tuple[str, str]) -> None:
    tickets = write_lines(tmp_path / names[0], [TICKET, {**TICKET, "id": 2}])
    comments = write_lines(tmp_path / names[1], [{**comment, "ticket_id": 1} for comment in COMMENTS])
    found = read_files(tickets, comments)
    one = read(tmp_path, {**TICKET, "comments": COMMENTS})
    assert [value["interaction_id"] for value in found.values] == ["zendesk-1", "zendesk-2"]
    assert said(found.values[0]) == said(one.values[0])
    assert found.values[0]["source"]["file"].endswith(names[0])
    assert not found.rejects


PARTS = [
    ("ticket_metrics", {"id": 5, "ticket_id": 1, "reopens": 0, "reply_time_in_minutes": {"calendar": 3}}),
    ("satisfaction_ratings", {"id": 6, "ticket_id": 1, "requester_id": 11, "group_id": 33, "score": "bad"}),
    *(("ticket_audits", {**audit, "ticket_id": 1, "metadata": {}}) for audit in AUDITS),
]


@pytest.mark.parametrize("paged", [True, False])
def test_metrics_ratings_and_audits_of_other_files_join_their_ticket(tmp_path: Path, paged: bool) -> None:
    paths = [write_lines(tmp_path / "tickets.jsonl", [without(TICKET, "satisfaction_rating")])]
    for name in dict.fromkeys(name for name, _ in PARTS):
        items = [item for known, item in PARTS if known == name]
        document = [{name: items, "next_page": None}] if paged else items
        paths.append(write_lines(tmp_path / f"{name}.jsonl", document))
    found = read_files(*paths)
    (value,) = found.values
    assert (found.formats, found.rejects) == ({"zendesk"}, [])
    assert (value["first_response_seconds"], value["satisfaction"]) == (180, {"scale": "thumbs", "score": 0})
    assert said(value) == said(read(tmp_path, {**TICKET, "comments": COMMENTS}).values[0])


def test_comments_without_their_ticket_are_put_aside_and_say_why(tmp_path: Path) -> None:
    lines = [TICKET, {**COMMENTS[0], "ticket_id": 9}]
    found = read_files(write_lines(tmp_path / "a.jsonl", lines))
    assert len(found.values) == 1
    assert found.rejects == ["not_a_ticket"]


def test_ticket_that_is_given_again_counts_once_with_its_last_state(tmp_path: Path) -> None:
    late = {**TICKET, "status": "solved", "updated_at": "2026-03-03T10:00:00Z"}
    early = {**TICKET, "status": "open", "updated_at": "2026-03-02T10:00:00Z", "comments": COMMENTS}
    found = read_files(write_lines(tmp_path / "a.jsonl", [late, early]))
    (value,) = found.values
    assert value["status"] == "closed"
    assert len(said(value)) == len(said(read(tmp_path, {**TICKET, "comments": COMMENTS}).values[0]))


def test_comments_that_a_ticket_has_already_are_not_said_twice(tmp_path: Path) -> None:
    lines = [{**TICKET, "comments": COMMENTS}, *({**comment, "ticket_id": 1} for comment in COMMENTS)]
    found = read_files(write_lines(tmp_path / "a.jsonl", lines))
    assert said(found.values[0]) == said(read(tmp_path, {**TICKET, "comments": COMMENTS}).values[0])


HEADER = (
    "Summation column,Id,Requester,Requester id,Requester email,Submitter,Assignee,Group,Subject,Tags,Status,Via,"
    "Created at,Updated at,Solved at,Satisfaction Score,First reply time in minutes,Full resolution time in minutes,"
    "Lamp [list]"
)
ROWS = (
    "1,501,Ana,11,a@x.example,Ana,Bo,Support,Dark lamp,lamp refund,Solved,Mail,"
    "2026-03-01 10:00,2026-03-02 10:00,2026-03-02 09:00,Good,15,1380,Desk",
    "1,502,Cee,12,c@x.example,Bo,Bo,Support,Call from Cee,,Closed,Phone call (incoming),"
    "2026-03-01 11:00,2026-03-02 10:00,,Not Offered,,,-",
    "1,503,Dee,13,d@x.example,Dee,-,-,Is the shop open?,,Open,Chat,"
    "2026-03-01 12:00,2026-03-02 10:00,,Bad,,,-",
    "1,501,Ana,11,a@x.example,Ana,Bo,Support,Dark lamp,lamp refund,Open,Mail,"
    "2026-03-01 10:00,2026-03-01 12:00,,Offered,15,,Desk",
)


def read_table(tmp_path: Path, text: str, **options: Any) -> Read:
    (tmp_path / "tickets.csv").write_text(text, encoding="utf-8")
    found = read_files(tmp_path / "tickets.csv", **options)
    assert found.formats == {"zendesk"}
    return found


def test_table_of_an_account_or_a_view_gives_tickets(tmp_path: Path) -> None:
    found = read_table(tmp_path, "\n".join((HEADER, *ROWS)), zone="Asia/Kolkata")
    assert (found.findings, found.rejects) == ([], [])
    mail, call, chat = found.values
    assert (mail["interaction_id"], mail["started_at"], mail["ended_at"]) == (
        "zendesk-501", "2026-03-01T10:00:00+05:30", "2026-03-02T09:00:00+05:30",
    )  # fmt: skip
    assert (mail["status"], mail["customer_id"], mail["agent_id"], mail["queue"], mail["tags"]) == (
        "closed", "11", "Bo", "Support", ["lamp", "refund"],
    )  # fmt: skip
    assert (mail["satisfaction"]["score"], mail["first_response_seconds"]) == (1, 900)
    assert (mail["resolution_seconds"], mail["extra"]["Lamp [list]"]) == (82800, "Desk")
    assert (call["channel"], call["direction"], "satisfaction" in call) == ("phone", "inbound", False)
    assert (chat["channel"], said(chat)) == ("chat", [("customer", "Is the shop open?")])
    assert (mail["direction"], chat["direction"], "agent_id" in chat) == ("inbound", "inbound", False)


@pytest.mark.parametrize("render", [json.dumps, repr])
def test_table_that_a_script_made_of_the_api(tmp_path: Path, render: Any) -> None:
    cells = {
        "": "0", "id": "1", "via.channel": "email", "created_at": TICKET["created_at"], "subject": "Dark lamp",
        "description": "The lamp is dark.", "status": "solved", "requester_id": "11", "submitter_id": "11.0",
        "assignee_id": "22.0", "tags": render(["lamp"]), "satisfaction_rating.score": "good", "group_id": "nan",
        "comments": render(COMMENTS), "metric_set.reply_time_in_minutes.calendar": "60.0",
    }  # fmt: skip
    with (tmp_path / "tickets.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((cells.keys(), cells.values()))
    (value,) = read_files(tmp_path / "tickets.csv").values
    (one,) = read(tmp_path, {**TICKET, "comments": COMMENTS}).values
    same = ("interaction_id", "channel", "started_at", "status", "messages", "notes", "tags", "satisfaction",
            "customer_id", "agent_id", "direction", "first_response_seconds")  # fmt: skip
    assert {name: value[name] for name in same} == {name: one[name] for name in same}


@pytest.mark.parametrize(
    "cell", ["[b'x']", "{1, 2}", "[1e999j]", "{1: 2}", "[" + "9" * 40 + "]", "[" * 300 + "]" * 300, "[x]", "[NaN"]
)  # fmt: skip
def test_cells_that_only_look_like_lists_stay_texts(tmp_path: Path, cell: str) -> None:
    quoted = cell.replace('"', '""')
    text = f'id,status,created_at,requester_id,custom\n7,open,2026-03-01T10:00:00Z,11,"{quoted}"\n'
    (value,) = read_table(tmp_path, text).values
    assert value["extra"]["custom"] == cell


def test_days_of_a_spreadsheet_need_their_order(tmp_path: Path) -> None:
    text = (
        HEADER
        + "\n"
        + ROWS[0].replace("2026-03-01 10:00", "3/1/2026 10:00").replace("2026-03-02 ", "3/2/2026 ")
    )
    unclear = read_table(tmp_path, text)
    assert {keyword for _, keyword in unclear.findings} == {"not_a_time"}
    assert unclear.values[0]["extra"]["created_at (column)"] == "3/1/2026 10:00"
    (value,) = read_table(tmp_path, text, zone="UTC", date_order="mdy").values
    assert (value["started_at"], value["ended_at"]) == ("2026-03-01T10:00:00Z", "2026-03-02T09:00:00Z")


@pytest.mark.parametrize(
    "header",
    ["Ticket ID,Subject,Status,Created time,Requester Name", "id,status,created_at,responder_id,requester_id",
     "interaction_id,id,status,created_at,requester_id", "id,status,created_at,amount"],
)  # fmt: skip
def test_tables_of_others_are_not_zendesk(header: str) -> None:
    assert "zendesk" not in detect_formats(f"{header}\n1,2,3,4,5\n".encode(), "a.csv")


@pytest.mark.parametrize("odd", [[], {}, ["Comment"], 7, True, 2**64, 1e308, "\x00"])
@pytest.mark.parametrize("name", ["type", "author_id", "body", "public", "created_at", "via", "id", "events"])
def test_odd_values_in_comments_cost_nothing_else(tmp_path: Path, name: str, odd: Any) -> None:
    audits = [{**audit, "events": [{**audit["events"][0], name: odd}], **({name: odd} if name == "events" else {})}
              for audit in AUDITS[:1]] + AUDITS[1:]  # fmt: skip
    comments = [{**COMMENTS[0], name: odd}, *COMMENTS[1:]]
    for ticket in ({**TICKET, "comments": comments}, {**TICKET, "audits": audits}):
        (value,) = read(tmp_path, ticket).values
        assert ("agent", "Try a new bulb") in said(value)

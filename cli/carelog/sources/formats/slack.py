"""Slack's export, packed or unpacked: a folder for each channel with a file for each day, and beside them the
lists of users and channels; and single pages of messages, as its API and other tools give them.

A thread is one interaction, wherever its answers stand; what was said outside of threads is cut at silences.
`ts` is the time (seconds since 1970) and the id of a message, and never goes through a float. Guests and
people of other workspaces are customers, `--agents` (ids or names) says otherwise; where there are none, who
began is taken for the (internal) customer. Access tokens in links to files are cut off. Source: Slack's
documentation and a real export.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._json_items import parse_item, read_items
from carelog.sources.formats._sessions import Chat, MessageStore, Said, plain_name, to_blocks
from carelog.sources.formats._times import from_epoch
from carelog.sources.formats.json_array import read_json
from carelog.sources.lines import file_finding
from carelog.sources.pieces import parse_json
from carelog.sources.streams import Opened

NAME = "slack"
_LISTS = frozenset(
    [
        "users", "org_users", "channels", "groups", "dms", "mpims", "integration_logs", "canvases", "lists",
        "huddle_transcripts", "file_conversations",
    ]
)  # fmt: skip
_OBJECTS = ("huddle_transcripts.json", "file_conversations.json", "integration_logs.json")
_PAGE = re.compile(rb'"messages"\s*:\s*\[')
_TS = re.compile(rb'"ts"\s*:\s*"\d{9,11}\.\d{6}"')
_STAMP = re.compile(r"(\d{9,11})(?:\.(\d{1,6}))?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\.json")
_TOKEN = re.compile(r"([?&])t=xox[a-z]-[^&\s\"'>|]*")
_MARKUP = re.compile(r"<([@#!]?)([^<>|\n]{1,2000})(?:\|([^<>\n]{0,2000}))?>")
_SYSTEM = re.compile(
    r"(channel|group)_\w+|huddle_\w+|ekm_access_denied|assistant_app_thread|"
    r"pinned_item|unpinned_item|bot_(add|remove|enable|disable)|tombstone|reminder_add|sh_room_created"
)
_GUESSED = Fault("agents_guessed", "who is the agent was guessed; say it with --agents NAME")
# Where slackdump, which writes what Slack's own export leaves out, puts the answers of a thread.
_REPLIES = "slackdump_thread_replies"
_MOST_USERS = 1_000_000


def detect_slack(head: bytes, name: str) -> str | None:
    """Whether a file is a day of messages with Slack's time stamps, or one of the lists of an export."""
    start = head.lstrip()
    if not start.startswith((b"[", b"{")) or b'"interaction_id"' in head:
        return None
    if start.startswith(b"{"):
        return _detect_object(head, name)
    if _TS.search(head) and (b'"text"' in head or b'"user"' in head):
        return "its objects have Slack's time stamps (ts)"
    file = name.replace("\\", "/").rpartition("/")[2]
    if b'"team_id"' in head and b'"profile"' in head and b'"real_name"' in head:
        return "it is the list of users of a Slack export"
    if file.removesuffix(".json") in _LISTS and (
        re.search(rb'"(members|creator|created|date)"', head) or len(start) < 5
    ):
        return "it is one of the lists of a Slack export"
    return (
        "it is a day without messages of a Slack export"
        if _DAY.fullmatch(file) and start.rstrip() == b"[]"
        else None
    )


def _detect_object(head: bytes, name: str) -> str | None:
    if _PAGE.search(head) and _TS.search(head) and (b'"text"' in head or b'"user"' in head):
        return "it is an object of messages that have Slack's time stamps (ts)"
    file = name.replace("\\", "/").rpartition("/")[2]
    return "it is one of the lists of a Slack export" if file in _OBJECTS else None


@dataclass(slots=True)
class _Workspace:
    """Who is who in the export, and its channels, by name and by id."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def name_of(self, user: str) -> str:
        """What others see as a user's name; empty if it is not known."""
        found = self.users.get(user, {})
        profile = found.get("profile")
        profile = profile if isinstance(profile, dict) else {}
        names = (
            profile.get("display_name"),
            found.get("real_name"),
            profile.get("real_name"),
            found.get("name"),
        )
        return next((name for name in names if isinstance(name, str) and name), "")

    def outsiders(self) -> set[str]:
        """Guests, and people of other workspaces."""
        flags = ("is_restricted", "is_ultra_restricted", "is_stranger")
        return {user for user, found in self.users.items() if any(found.get(flag) is True for flag in flags)}


def read_slack(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The messages of one file, as `read_slack_together` gives those of a whole export."""
    return read_slack_together(iter([opened]), options)


def read_slack_together(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The threads and sessions of all channels, in the order of their beginnings."""
    workspace = _Workspace()
    first = ""
    with MessageStore() as store:
        for opened in inputs:
            first = first or opened.name
            yield from _read_file(opened, options, store, workspace)
        outsiders = workspace.outsiders()
        if not options.agents and first:
            yield Block(first, NAME, findings=[file_finding(first, _GUESSED, "warning")])
        for name in store.chats():
            chat = _to_chat(name, workspace)
            messages = (_with_names(said, workspace) for said in store.messages(name))
            yield from to_blocks(chat, _with_sides(messages, chat, outsiders, workspace, options), options)


def _read_file(
    opened: Opened, options: ReadOptions, store: MessageStore, workspace: _Workspace
) -> Iterator[Block]:
    block = Block(opened.name, NAME, system=NAME)
    folder, _, file = opened.name.replace("\\", "/").rpartition("/")
    channel = folder.rpartition("/")[2] or "-"
    if opened.head.lstrip().startswith(b"{"):
        yield from _read_page(opened, options, store, workspace)
        return
    is_list = _DAY.fullmatch(file) is None and not _TS.search(opened.head)
    for part in read_json(opened, options):
        if isinstance(part, Block):
            yield replace(part, format=NAME)
            continue
        for index, (start, end) in enumerate(part.spans or []):
            raw, line, offset = part.data[start:end], part.first_line + index, part.first_offset + start
            value, fault = parse_json(raw, options.max_line_bytes)
            if fault is None and not isinstance(value, dict):
                fault = Fault("not_object", "the message is no JSON object")
            if fault is not None:
                put_aside(block, line, offset, _cut_tokens(raw.decode("utf-8", "replace")).encode(), fault)
            elif is_list:
                _note(value, file, workspace)
            else:
                _store(
                    value, channel, Said("", "", "", line, offset, file=opened.name), raw, store, workspace
                )
    yield block


def _read_page(
    opened: Opened, options: ReadOptions, store: MessageStore, workspace: _Workspace
) -> Iterator[Block]:
    """The messages of an object that names the channel, or of a page of the API, which does not."""
    block = Block(opened.name, NAME, system=NAME)
    stream, offset = opened.utf8()
    channel = re.sub(r"\.json.*", "", opened.name.replace("\\", "/").rpartition("/")[2])
    for found in read_items(stream, offset, options.max_line_bytes):
        value, fault = parse_item(found.raw, max(options.max_line_bytes, len(found.raw)))
        if found.kind == "before" and isinstance(value, dict):
            named = [value.get(key) for key in ("name", "channel_name", "channel_id", "channel")]
            channel = next((name for name in named if isinstance(name, str) and name), channel)
        if found.kind != "item":
            continue
        fault = found.fault or fault
        if fault is not None or not isinstance(value, dict):
            wrong = fault or Fault("not_object", "the message is no JSON object")
            put_aside(
                block,
                found.line,
                found.offset,
                _cut_tokens(found.raw.decode("utf-8", "replace")).encode(),
                wrong,
            )
            continue
        said = Said("", "", "", found.line, found.offset, file=opened.name)
        _store(value, channel, said, found.raw, store, workspace)
    yield block


def _note(value: dict[str, Any], file: str, workspace: _Workspace) -> None:
    """Keep of a list what names users and channels."""
    number = value.get("id")
    if not isinstance(number, str) or len(workspace.users) > _MOST_USERS:
        return
    if "profile" in value or file.endswith("users.json"):
        workspace.users[number] = value
    elif "members" in value or "creator" in value:
        # Channels have folders of their names, direct messages of their ids.
        workspace.channels[str(value.get("name") or number)] = value
        workspace.channels[number] = value


def _store(
    value: dict[str, Any], channel: str, said: Said, raw: bytes, store: MessageStore, workspace: _Workspace
) -> None:
    replies = value.pop(_REPLIES, None)
    for reply in replies if isinstance(replies, list) else []:
        if isinstance(reply, dict) and _REPLIES not in reply:
            inner = Said("", "", "", said.line, said.offset, file=said.file)
            _store(reply, channel, inner, orjson.dumps(reply), store, workspace)
    found = _STAMP.fullmatch(str(value.get("ts")))
    place = int(found[1] + (found[2] or "").ljust(6, "0")) if found else 0
    said.at = (from_epoch(place) or "") if found else ""
    said.message_id = str(value["ts"]) if found else None
    said.raw = _cut_tokens(raw.decode("utf-8", "replace"))
    said.speaker = _speaker(value)
    user = value.get("user") or value.get("bot_id") or value.get("username")
    said.sender = user if isinstance(user, str) else ""
    said.text = value["text"] if isinstance(value.get("text"), str) else ""
    mapped = {"ts", "text" if said.text else "", "user" if value.get("user") == said.sender else ""}
    rest = {k: v for k, v in value.items() if k not in mapped and v not in (None, "", [], {})}
    if rest.get("type") == "message":
        del rest["type"]
    said.rest = orjson.loads(_cut_tokens(orjson.dumps(rest).decode()))
    said.text = said.text or _text_elsewhere(said.rest)
    thread = value.get("thread_ts")
    workspace.files.setdefault(channel, said.file)
    store.add(f"{channel}\0{thread}" if isinstance(thread, str) else channel, said, place)


def _cut_tokens(text: str) -> str:
    """A text without the access tokens that an export puts into links to files."""
    return _TOKEN.sub(r"\1t=", text)


def _speaker(value: dict[str, Any]) -> str | None:
    subtype = str(value.get("subtype") or "")
    if _SYSTEM.fullmatch(subtype):
        return "system"
    if value.get("bot_id") or subtype == "bot_message" or value.get("user") == "USLACKBOT":
        return "bot"
    return None


def _text_elsewhere(rest: dict[str, Any]) -> str:
    """The words of a message whose text is empty: those of its attachments, else the names of its files."""
    texts = []
    for name, keys in (
        ("attachments", ("pretext", "title", "text", "fallback")),
        ("files", ("title", "name")),
    ):
        items = rest.get(name)
        for item in items if isinstance(items, list) else []:
            words = [item[key] for key in keys if isinstance(item, dict) and isinstance(item.get(key), str)]
            texts += words[:1] if name == "files" else words[:3]
    blocks = rest.get("blocks")
    if not texts and isinstance(blocks, list):
        texts += ["".join(_words_of(block, 0)) for block in blocks]
    inner = rest.get("message")
    if isinstance(inner, dict) and isinstance(inner.get("text"), str):
        texts.append(inner["text"])
    return "\n".join(text for text in texts if text)


def _words_of(block: Any, depth: int) -> Iterator[str]:
    """The words in a block of a message and in the blocks in it; people and channels as markup has them."""
    if isinstance(block, list):
        for item in block:
            yield from _words_of(item, depth)
    if not isinstance(block, dict) or depth > 8:
        return
    kind, text = block.get("type"), block.get("text")
    marks = {"user": ("user_id", "<@{}>"), "channel": ("channel_id", "<#{}>"), "emoji": ("name", ":{}:")}
    if kind in marks and isinstance(block.get(marks[kind][0]), str):
        yield marks[kind][1].format(block[marks[kind][0]])
    elif isinstance(text, str):
        yield text
    elif kind == "link" and isinstance(block.get("url"), str):
        yield f"<{block['url']}>"
    else:
        yield from _words_of(text, depth + 1)
    fields = block.get("fields")
    for item in fields if isinstance(fields, list) else []:
        yield "\n"
        yield from _words_of(item, depth + 1)
    yield from _words_of(block.get("elements"), depth + 1)


def _with_names(said: Said, workspace: _Workspace) -> Said:
    """The message with names instead of ids in its text; the text as it stood is kept where it differs."""

    def to_words(found: re.Match[str]) -> str:
        mark, target, label = found[1], found[2], found[3]
        if mark == "@":
            return "@" + (workspace.name_of(target) or label or target)
        if mark in ("#", "!"):
            channel = workspace.channels.get(target, {}).get("name")
            return ("#" if mark == "#" else "@") + str(label or channel or target).lstrip("@#")
        return f"{label} ({target})" if label and label != target else target

    text = html.unescape(_MARKUP.sub(to_words, said.text))
    if text != said.text:
        said.rest = {**said.rest, "text": said.text}
        said.text = text
    name = workspace.name_of(said.sender)
    if name and name != said.sender:
        said.rest = {**said.rest, "name": name}
    if said.speaker is None and workspace.users.get(said.sender, {}).get("is_bot") is True:
        said.speaker = "bot"
    return said


def _with_sides(
    messages: Iterable[Said], chat: Chat, outsiders: set[str], workspace: _Workspace, options: ReadOptions
) -> Iterator[Said]:
    """The messages with their speakers: as the user says, else guests are customers, else who began is."""
    ours = {plain_name(name) for name in options.agents}
    opener = ""
    for said in messages:
        if said.speaker is None:
            opener = opener or said.sender
            if ours:
                is_agent = bool({plain_name(said.sender), plain_name(workspace.name_of(said.sender))} & ours)
            elif outsiders:
                is_agent = said.sender not in outsiders and said.sender in workspace.users
            else:
                is_agent = said.sender != opener
            said.speaker = "agent" if is_agent else "customer"
        yield said


def _to_chat(name: str, workspace: _Workspace) -> Chat:
    channel, _, thread = name.partition("\0")
    known = workspace.channels.get(channel, {})
    number = str(known.get("id") or channel)
    record_id = f"{number}-{thread}" if thread else number
    chat = Chat(
        NAME, workspace.files.get(channel, channel), record_id, NAME, record_id, is_whole=bool(thread)
    )
    kind = "external" if workspace.outsiders() else "internal" if workspace.users else None
    chat.fields = {"queue": str(known.get("name") or channel)[:250] or None, "customer_kind": kind}
    chat.extra = {"channel": {k: v for k, v in known.items() if k not in ("id", "name", "members")}}
    chat.extra = {k: v for k, v in chat.extra.items() if v}
    return chat

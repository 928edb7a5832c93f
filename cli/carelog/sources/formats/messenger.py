"""Messages of Facebook Messenger and Instagram as "Download your information" gives them (`message_1.json`).

The messages of a thread stand newest first and are spread over files of 10,000; all files of a run with one
`thread_path` are read as one. Meta writes each byte of UTF-8 as a character of its own (à¸ª for ส), in names
too; that is undone. People have no ids, so that two of one name are one. The page's own name is the agent's:
said by `--agents`, else guessed and said. Exports of encrypted chats (`senderName`) are read as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._json_items import Found, parse_item, read_items
from carelog.sources.formats._sessions import (
    Chat,
    MessageStore,
    Said,
    drop_copies,
    find_sides,
    plain_name,
    to_blocks,
)
from carelog.sources.formats._times import from_epoch
from carelog.sources.streams import Opened

NAME = "messenger"
_KEYS = re.compile(rb'"(sender_name|senderName)"\s*:')
_TIMES = re.compile(rb'"(timestamp_ms|timestamp)"\s*:\s*\d')
_HIGH = re.compile("[\u0080-\u00ff]")
_EMPTY = re.compile(rb'"messages"\s*:\s*\[\s*\]')
_NO_FLAGS = ("is_geoblocked_for_viewer", "is_unsent_image_by_messenger_kid_parent", "is_unsent", "isUnsent")
# Who only puts a heart to a message has not answered it.
_REACTION = re.compile(r"Liked a message\s*|Reacted \S{1,12} to (your|a|their own) message\s*")
_MOST_SENDERS = 100_000
_MENDED = Fault("mojibake_repaired", "texts were written byte by byte, as Meta does; that was undone")


def detect_messenger(head: bytes, name: str) -> str | None:
    """Whether a document has participants and messages with a sender's name and a time in milliseconds."""
    if head.lstrip()[:1] != b"{" or b'"interaction_id"' in head:
        return None
    if b'"participants"' not in head:
        bare = b'"sender_name"' in head and b'"timestamp_ms"' in head and b'"messages"' in head
        return "its messages have sender_name and timestamp_ms, as Messenger's export does" if bare else None
    if _KEYS.search(head) and _TIMES.search(head) and b'"messages"' in head:
        return (
            "it has participants and messages with sender_name and timestamp_ms, as Messenger's export does"
        )
    if _EMPTY.search(head) and (b'"thread_path"' in head or b'"threadName"' in head):
        return "it has participants, a thread_path and no messages, as Messenger's export does"
    return None


@dataclass(slots=True)
class _File:
    """What stands around the messages of one file, and who sent them."""

    name: str
    around: dict[str, Any] = field(default_factory=dict)
    senders: dict[str, None] = field(default_factory=dict)
    is_mended: bool = False

    @property
    def thread(self) -> str:
        """What the files of one thread have in common."""
        for key in ("thread_path", "threadName"):
            if isinstance(self.around.get(key), str) and self.around[key]:
                return str(self.around[key])
        return self.title + "\0" + "\0".join(self.people)

    @property
    def title(self) -> str:
        """Whom the thread is with."""
        found = self.around.get("title") or self.around.get("threadName")
        return found if isinstance(found, str) else ""

    @property
    def people(self) -> list[str]:
        """The names of those who take part."""
        found = self.around.get("participants")
        names = (
            [p.get("name") if isinstance(p, dict) else p for p in found] if isinstance(found, list) else []
        )
        return [name for name in names if isinstance(name, str) and name]


def read_messenger(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The thread of one file, as `read_messenger_together` gives those of several."""
    return read_messenger_together(iter([opened]), options)


def read_messenger_together(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The threads of all files, each cut at its silences."""
    threads: dict[str, list[_File]] = {}
    with MessageStore() as store:
        for opened in inputs:
            block = Block(opened.name, NAME, system=NAME)
            file = _read_file(opened, options, store, block)
            threads.setdefault(file.thread, []).append(file)
            yield block
        for files in threads.values():
            messages = store.messages(*(file.name for file in files))
            yield from to_blocks(_to_chat(files, options), drop_copies(messages), options)


def _read_file(opened: Opened, options: ReadOptions, store: MessageStore, block: Block) -> _File:
    file = _File(opened.name)
    stream, offset = opened.utf8()
    for found in read_items(stream, offset, options.max_line_bytes):
        value, fault = parse_item(found.raw, max(options.max_line_bytes, len(found.raw)))
        if found.kind != "item":
            if isinstance(value, dict):
                mended = mend(value)
                file.is_mended = file.is_mended or mended != value
                file.around.update((k, v) for k, v in mended.items() if k != "messages")
            continue
        fault = found.fault or fault
        if fault is not None or not isinstance(value, dict):
            wrong = fault or Fault("not_object", "the message is no JSON object")
            put_aside(block, found.line, found.offset, found.raw, wrong)
            continue
        mended = mend(value)
        file.is_mended = file.is_mended or mended != value
        said, place = _to_said(mended, found, opened.name)
        if said.sender and said.speaker is None and len(file.senders) < _MOST_SENDERS:
            file.senders[said.sender] = None
        store.add(opened.name, said, place, newest_first=True)
    return file


def mend(value: Any) -> Any:
    """A value with every text in it, keys included, brought from single bytes back to characters."""
    if isinstance(value, str):
        if not _HIGH.search(value):
            return value
        try:
            return value.encode("latin-1").decode("utf-8")
        except UnicodeError:
            return value
    if isinstance(value, list):
        return [mend(item) for item in value]
    return {mend(k): mend(v) for k, v in value.items()} if isinstance(value, dict) else value


def _to_said(value: dict[str, Any], found: Found, file: str) -> tuple[Said, int]:
    sender = value.get("sender_name") or value.get("senderName")
    sender = sender if isinstance(sender, str) else ""
    key = next((k for k in ("content", "text") if isinstance(value.get(k), str)), "")
    stamp = next((k for k in ("timestamp_ms", "timestamp") if from_epoch(value.get(k))), "")
    at = from_epoch(value.get(stamp)) if stamp else None
    is_event = value.get("type") in ("Call", "Subscribe", "Unsubscribe") or "call_duration" in value
    mapped = {"sender_name", "senderName", key, stamp}
    rest = {k: v for k, v in value.items() if k not in mapped and v not in (None, "", [], {})}
    rest = {k: v for k, v in rest.items() if not (v is False and k in _NO_FLAGS)}
    raw = found.raw.decode("utf-8", "replace")
    text = str(value.get(key, "")) or _shared(value.get("share"))
    speaker = "system" if is_event or not sender or _REACTION.fullmatch(text) else None
    said = Said(sender, text, at or "", found.line, found.offset, raw, speaker, None, rest, file)
    number = value.get(stamp) if stamp else 0
    return said, int(float(number)) if isinstance(number, (int, float, str)) else 0


def _shared(share: Any) -> str:
    """What was shared without a word: its text, else its address."""
    found = [share.get(key) for key in ("share_text", "link")] if isinstance(share, dict) else []
    return next((text for text in found if isinstance(text, str) and text), "")


def _to_chat(files: list[_File], options: ReadOptions) -> Chat:
    first = files[0]
    # The newest file stands first and holds the newest messages: the first to write is in the last one.
    senders = [name for file in files for name in file.senders][::-1]
    people = senders or first.people
    sides, guesses = find_sides(people, options, first.title)
    path = first.around.get("thread_path")
    record_id = path if isinstance(path, str) and path else first.title or None
    chat = Chat(NAME, first.name, plain_name(first.thread), NAME, record_id, sides=sides)
    around = {k: v for file in files for k, v in file.around.items()}
    chat.extra = {"thread": {k: v for k, v in around.items() if v not in (None, "", [], {})}}
    chat.findings = [*guesses, *([_MENDED] if any(file.is_mended for file in files) else [])]
    return chat

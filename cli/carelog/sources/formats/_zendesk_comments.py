"""The comments of a Zendesk ticket: messages, and internal notes.

They stand in the ticket (`comments`, as a list or as the page that the API gave), under the names that tools
choose for them, or as events of the ticket's `audits`, where the messages of a chat are (`ChatStartedEvent`, as
a public reader of them has it); or in its `conversation_log`. A chat's transcript is one comment, and is cut
into its lines; where its messages are known, it says nothing new.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any, NamedTuple

from carelog.sources.formats._chat_log import split_chat
from carelog.sources.formats._html_text import html_to_text, loses_something
from carelog.sources.formats._leftovers import Native, Path
from carelog.sources.formats._times import read_time, seconds_between

COMMENTS = ("comments", "ticket_comments", "conversations", "conversation", "thread", "messages", "replies")
_LOGS = (("conversation_log", "events"), ("conversation_log",), ("events",))
# Compared with whatever stands there, be it a list: so these are no sets.
_KINDS = ("Comment", "VoiceComment", "TpeVoiceComment")
_CHATS = ("ChatStartedEvent", "ChatEndedEvent")
_CHAT_KINDS = ("ChatMessage", "ChatFileAttachment")
_MACHINES = frozenset(("system", "trigger"))
_ROLES = ("author_role", "role", "author_type", "actor_type")
_CUSTOMERS = frozenset(("customer", "end-user", "end_user", "enduser", "requester", "user"))
_AGENTS = frozenset(("agent", "admin", "support"))
_TEXTS = ("plain_body", "body", "text", "content", "message", "comment", "message_text")
_SOON = 10.0
"""Within so many seconds of its ticket the first comment is the ticket's own description."""


@dataclass(slots=True)
class People:
    """Who is known: by id, and the requester's id, names and addresses."""

    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    requester: str | None = None
    names: set[str] = field(default_factory=set)

    def role_of(self, key: str) -> str:
        """The role of a person in Zendesk's words, in lower case; empty where it is not known."""
        return str(self.known.get(key, {}).get("role") or "").lower()

    def agents(self) -> set[str]:
        """The names of those who are known to be agents."""
        found = (who.get("name") for key, who in self.known.items() if self.role_of(key) in _AGENTS)
        return {name for name in found if isinstance(name, str)}


class Comment(NamedTuple):
    """Where a comment stands, and what tells its time, its channel and its author."""

    path: Path
    around: Path


def find_comments(native: Native) -> list[Comment]:
    """The comments of a ticket, wherever they are; none where the ticket has only its description."""
    found = _find_logged(native) or _find_listed(native)
    chats = _find_chats(native)
    if chats:
        found = [one for one in found if not _is_transcript(native.look(*one.path, "body"))]
    return chats + found


def _find_listed(native: Native) -> list[Comment]:
    for name in COMMENTS:
        place: Path = (name, name) if isinstance(native.look(name), dict) else (name,)
        found = [Comment(path, path) for path in native.each(*place)]
        if found:
            return found
    return [
        Comment(event, audit)
        for audit in native.each("audits")
        for event in native.each(*audit, "events")
        if native.look(*event, "type") in _KINDS
    ]


def _find_logged(native: Native) -> list[Comment]:
    """The messages of a conversation log, among whose events are others."""
    for place in _LOGS:
        if place[0] not in native.record:
            continue
        events = [path for path in native.each(*place) if isinstance(native.look(*path, "author"), dict)]
        found = [Comment(path, path) for path in events if native.look(*path, "content", "type") is not None]
        if found:
            return found
    return []


def _find_chats(native: Native) -> list[Comment]:
    """The messages of chats, each once: a chat that goes on tells again what was said."""
    found: dict[str, Comment] = {}
    for audit in native.each("audits"):
        for event in native.each(*audit, "events"):
            if native.look(*event, "type") in _CHATS:
                for path in native.each(*event, "value", "history"):
                    if native.look(*path, "type") in _CHAT_KINDS:
                        number = native.look(*path, "message_id")
                        found.setdefault(str(number or path), Comment(path, audit))
    return list(found.values())


def _is_transcript(text: Any) -> bool:
    return isinstance(text, str) and (
        text.startswith(("Conversation with ", "Chat started: ")) or bool(split_chat(text, (), ()))
    )


def read_comments(
    native: Native, comments: list[Comment], people: People, channel: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Public comments as messages in order of time, internal ones as notes; else the description."""
    messages: list[dict[str, Any]] = []
    notes: list[str] = []
    whole: list[str] = []
    for comment in comments:
        text = _text_of(native, comment.path)
        if _is_internal(native, comment.path):
            notes += [text] if text else []
            continue
        whole.append(text)
        messages += _to_messages(native, comment, text, people, notes, channel)
    _take_description(native, messages, whole, people, channel)
    # Exports list the newest first where somebody chose so.
    if all("at" in message for message in messages):
        messages.sort(key=lambda message: message["at"])
    return messages, notes


def _is_internal(native: Native, path: Path) -> bool:
    for place in (path, (*path, "metadata")):
        if native.look(*place, "public") is False or native.look(*place, "is_public") is False:
            return True
    return native.look(*path, "private") is True or native.look(*path, "internal") is True


def _to_messages(
    native: Native, comment: Comment, text: str, people: People, notes: list[str], channel: str
) -> Iterator[dict[str, Any]]:
    path = comment.path
    at = native.time(*path, "created_at") or native.time(*path, "timestamp")
    at = at or native.time(*comment.around, "created_at")
    if channel == "chat" and (lines := split_chat(text, people.names, people.agents())):
        # Lines without a time of their own are later than their comment says: only the first has its time.
        yield {**({"at": at} if at else {}), **lines[0]}
        yield from lines[1:]
        return
    message = {"speaker": _speaker_of(native, comment, people), "text": text, "at": at}
    number = native.name(*path, "id") or native.name(*path, "message_id")
    message = {key: value for key, value in {**message, "message_id": number}.items() if value is not None}
    yield message
    spoken = native.text(*path, "data", "transcription_text")
    if spoken and native.look("via", "source", "rel") == "voicemail":
        yield {**message, "speaker": "customer", "text": spoken}
    elif spoken:
        notes.append(spoken)


def _speaker_of(native: Native, comment: Comment, people: People) -> str:
    path, around = comment
    kind = native.look(*path, "type")
    if kind in ("VoiceComment", "TpeVoiceComment") or native.look(*around, "via", "channel") == "rule":
        # A call's own line, or what an automation wrote in somebody's name.
        return "system"
    author = next(
        (key for name in ("author_id", "actor_id") if (key := native.look(*path, name)) is not None), None
    )
    if native.look(*path, "type") in _CHAT_KINDS:
        # Its numbers are not those of people.
        author = native.look(*path, "actor_type") or author
    author = native.look(*around, "author_id") if author is None else author
    who = native.look(*path, "author")
    if author is None and isinstance(who, dict):
        ids = ("id", "zen:support:user_id", "email", "name")
        author = next((who[key] for key in ids if who.get(key)), None)
        role = str(who.get("role") or who.get("type") or "").lower()
    else:
        author = who if author is None else author
        role = str(next(filter(None, (native.look(*path, name) for name in _ROLES)), "")).lower()
    return _side_of(author, role, people)


def _side_of(author: Any, role: str, people: People) -> str:
    key = str(author)
    if key in ("-1", "0") or role in _MACHINES or (author is None and not role):
        return "system"
    role = role or people.role_of(key) or key.lower()
    if key == people.requester or key in people.names or role in _CUSTOMERS:
        return "customer"
    return "bot" if role == "bot" else "agent"


def _text_of(native: Native, path: Path) -> str:
    """The words of a comment, in its plainest form; the other forms are taken where they say no more."""
    if isinstance(content := native.look(*path, "content"), dict):
        key = "body" if "body" in content else "text"
        said = native.text(*path, "content", key) or ""
        return html_to_text(said).strip() if key == "body" else said
    html = native.look(*path, "html_body")
    found = next((text for name in _TEXTS if (text := native.text(*path, name))), None)
    for name in ("plain_body", "body"):
        other = native.look(*path, name)
        if isinstance(other, str) and found is not None and _words(other) == _words(found):
            native.take(*path, name)
    if isinstance(html, str) and not loses_something(html):
        native.take(*path, "html_body")
    if found is None:
        return html_to_text(html) if isinstance(html, str) else ""
    return unescape(found).replace("\xa0", " ").strip()


def _words(text: str) -> list[str]:
    return unescape(text).split()


def _take_description(
    native: Native, messages: list[dict[str, Any]], whole: list[str], people: People, channel: str
) -> None:
    """The description is the first comment; where it is not among them, it stands before them."""
    description = native.look("description")
    if not isinstance(description, str) or not description.strip():
        return
    text, words = unescape(description).replace("\xa0", " ").strip(), _words(description)
    if any(words == one.split() or (text and text in one) for one in whole):
        native.take("description")
        return
    if channel == "chat" and messages and _is_transcript(description):
        return
    opened, _ = read_time(native.look("created_at"), native.zone)
    if (channel == "phone" and messages) or any(_is_soon(opened, message.get("at")) for message in messages):
        return
    native.take("description")
    if channel == "chat" and not messages and (lines := split_chat(text, people.names, people.agents())):
        messages.extend(lines)
        return
    # Without a requester, whoever submitted the ticket is the one who asks.
    author = None if people.requester is None else native.look("submitter_id") or people.requester
    message = {"speaker": _side_of(author, "" if author else "requester", people), "text": text}
    messages.insert(0, {**message, "at": opened} if opened else message)


def _is_soon(opened: str | None, at: str | None) -> bool:
    gap = seconds_between(opened, at)
    return opened is None or at is None or (gap is not None and gap <= _SOON)

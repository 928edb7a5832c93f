"""Mail: single mails (.eml, the files of a Maildir) and mbox files, Gmail's Takeout among them. One thread is
one interaction, over all files of the run.

Reading goes twice over the mails. First each is looked at for what links it to others, and only that is kept
(`_mail_index`); then thread after thread is read again and parsed, in parallel. So memory does not grow with
the mailbox. A file that can be read only once (standard input, a compressed one) is copied to a private
temporary folder for the time of the run.

Copies of one mail (the same id and the same body, as under several labels) count once. Whose domains are the
company's is said by `--our-domains`; where it is not, `_find_ours` looks at what the mailboxes show.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from carelog.errors import MissingInput
from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._mail import Mail, MailError, digest_of, parse_mail
from carelog.sources.formats._mail_dates import Hint, from_seconds, parse_date
from carelog.sources.formats._mail_headers import Headers, find_addresses, read_headers, split_list
from carelog.sources.formats._mail_index import MailIndex, Stored, open_index
from carelog.sources.formats._mail_robots import is_automatic
from carelog.sources.formats._mail_thread import (
    FREE_MAIL,
    NAME,
    Ours,
    Placed,
    find_id,
    is_draft,
    sort_mails,
    to_extra,
    to_interaction,
)
from carelog.sources.formats._mbox import Piece, looks_like_mbox, read_single, split_mbox, undo_quoting
from carelog.sources.lines import CHUNK_BYTES, file_finding
from carelog.sources.paths import display_name
from carelog.sources.streams import Opened

MOST_MAILS = 2000
MOST_BYTES = 32 * 1024 * 1024
"""A thread of more mails or bytes is cut into several interactions: a mailer that puts everything under one
id would otherwise fill the memory."""
_KEPT_RAW = 1024 * 1024
_HEAD_LINE = re.compile(rb"([!-9;-~]{1,100})[ \t]*:")
_KNOWN = frozenset(
    b"from to cc date subject message-id received return-path delivered-to mime-version reply-to sender "
    b"in-reply-to references x-gm-thrid x-original-to x-mailer".split()
)
_PEOPLE = frozenset(b"from to subject message-id received return-path delivered-to".split())
_MAIL_NAME = re.compile(r"\.(eml|email)(\.(gz|zst))?$|[:;!]2,[A-Za-z]*$", re.IGNORECASE)
_MBOX_NAME = re.compile(r"\.mbo?x(\.(gz|zst))?$", re.IGNORECASE)
_MAILDIR = re.compile(r"[:;!]2,([A-Za-z]*)$")
# A server names the files of a Maildir after the second of their delivery.
_DELIVERED = re.compile(r"(?:^|[/\\])(1\d{9})[._][^/\\]*$")
_SENT = re.compile(
    r"(?<![a-z])sent(?![a-z])|gesendet|envoy|enviad|inviat|verzonden|skickat|отправл|ส่งแล้ว|จดหมายที่ส่ง|"
    r"भेजे|મોકલેલ|naipadala|送信済|已发送|보낸",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"(support|help|helpdesk|info|care|customer\W?(care|service)|service|servic[eo]s?|contact|sales|orders?|"
    r"billing|hello|"
    r"returns?|complaints?|feedback|shop|store|enquir\w+|inquir\w+|no-?reply)([+._-].*)?@",
    re.IGNORECASE,
)


def detect_email(head: bytes, name: str) -> str | None:
    """Whether a file is an mbox or a mail: its first lines are headers, two of them such as mails have."""
    folder, _, file = name.replace("\\", "/").rpartition("/")
    if folder.rpartition("/")[2] == "tmp" and re.match(r"\d{6,}\.", file):
        return None  # what a Maildir has in tmp is not delivered yet
    start = head.lstrip(b"\r\n")
    if looks_like_mbox(head):
        return "it begins with the From line of an mbox"
    names = []
    for line in re.split(rb"\r?\n", start[:16384]):
        found = _HEAD_LINE.match(line)
        if found is None and (not line or line[:1] not in b" \t"):
            break
        if found is not None:
            names.append(found[1].lower())
    known = _KNOWN.intersection(names)
    # Web servers write Date and Content-Type as well: only what they do not say counts here.
    is_mail = len(known) >= 2 or (bool(known & _PEOPLE) and b"content-type" in names)
    is_named = bool(known or b"content-type" in names) and _MAIL_NAME.search(file) is not None
    return "it begins with the headers of a mail" if is_mail or is_named else None


def read_email(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The threads of one input, as `read_emails` gives them for several."""
    return read_emails(iter([opened]), options)


def read_emails(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The threads of all inputs as chunks; `line` and `offset` of a record are those of its first mail."""
    with open_index() as index:
        seen = _Seen()
        for opened in inputs:
            _index_input(opened, options, index, seen)
        ours = _find_ours(seen, options)
        if not ours and index.count and seen.first_file:
            fault = Fault(
                "our_domains", "whose mails are the company's was guessed; say it with --our-domains"
            )
            yield Block(seen.first_file, NAME, findings=[file_finding(seen.first_file, fault, "warning")])
        yield from _to_chunks(index.threads(), ours, options)


@dataclass(slots=True)
class _Seen:
    """Addresses that look like the company's, and how often, from the surest sign to the weakest."""

    sent_from: Counter[str] = field(default_factory=Counter)
    delivered_to: Counter[str] = field(default_factory=Counter)
    roles: Counter[str] = field(default_factory=Counter)
    first_file: str = ""

    def note(self, headers: Headers, file: str) -> None:
        self.first_file = self.first_file or file
        senders = [address for _, address in find_addresses(headers, "from")]
        labels = split_list(headers.text("x-gmail-labels"))
        if any(_SENT.search(label) for label in labels) or _is_sent_folder(file):
            self._count(self.sent_from, senders)
        elif not is_automatic(headers):
            self._count(
                self.delivered_to, (a for _, a in find_addresses(headers, "delivered-to", "x-original-to"))
            )
            receivers = (address for _, address in find_addresses(headers, "to"))
            self._count(self.roles, (a for a in (*senders, *receivers) if _ROLE.match(a)))

    def _count(self, counter: Counter[str], addresses: Iterable[str]) -> None:
        for address in addresses:
            domain = address.rpartition("@")[2]
            key = address if domain in FREE_MAIL else domain
            if key in counter or len(counter) < 10_000:
                counter[key] += 1


def _is_sent_folder(file: str) -> bool:
    """Whether a file is a mailbox of sent mails, or lies in the folder of one (`.Sent/cur/`)."""
    *folders, name = file.replace("\\", "/").split("/")
    bare = (re.sub(r"^[\W_]*(?:INBOX\.)?|\.mbox$", "", folder) for folder in folders[-2:])
    return _SENT.search(name) is not None or any(len(f) <= 30 and _SENT.match(f) for f in bare)


def _find_ours(seen: _Seen, options: ReadOptions) -> Ours:
    """The company's domains: as said, else those that the mailboxes show."""
    if options.our_domains:
        given = frozenset(name.strip().lower().lstrip("@") for name in options.our_domains if name.strip())
        return Ours(frozenset(g for g in given if "@" not in g), frozenset(g for g in given if "@" in g))
    keys = {*seen.sent_from, *seen.delivered_to}
    if not keys and seen.roles:
        most = max(seen.roles.values())
        keys = {min(key for key, count in seen.roles.items() if count == most)}
    return Ours(frozenset(k for k in keys if "@" not in k), frozenset(k for k in keys if "@" in k), True)


def _index_input(opened: Opened, options: ReadOptions, index: MailIndex, seen: _Seen) -> None:
    stream, offset = opened.utf8()
    # Of a mailbox that was cut the first line may be missing; then its name tells.
    is_mbox = looks_like_mbox(opened.head) or _MBOX_NAME.search(opened.name) is not None
    is_mbox = is_mbox and not opened.name.lower().endswith(".eml")
    split = split_mbox if is_mbox else read_single
    path = opened.input.path
    can_reread = path is not None and not (
        opened.input.is_stream or opened.compression or opened.encoding != "utf-8"
    )
    store = os.fsencode(path) if path is not None and can_reread else b""
    for piece in split(stream, offset, options.max_line_bytes):
        headers = read_headers(piece.raw)
        seen.note(headers, opened.name)
        fault = opened.trouble.keyword if piece.is_last and opened.trouble is not None else ""
        index.add(_to_stored(piece, opened.name, store, is_mbox, fault), piece.raw, headers)


def _to_stored(piece: Piece, file: str, store: bytes, is_mbox: bool, fault: str) -> Stored:
    return Stored(
        file, piece.line, piece.offset, piece.length, int(piece.is_cut), store, piece.offset + piece.skip,
        len(piece.raw), int(is_mbox), piece.from_line, fault,
    )  # fmt: skip


def _to_chunks(threads: Iterable[list[Stored]], ours: Ours, options: ReadOptions) -> Iterator[Chunk]:
    """Threads as chunks of about CHUNK_BYTES; all of a chunk begin in the same file."""
    held: list[tuple[int, list[Stored]]] = []
    size = 0
    for thread in threads:
        for number, part in enumerate(_bounded(thread)):
            if held and (size >= CHUNK_BYTES or part[0].file != held[0][1][0].file):
                yield _to_chunk(held, ours, options)
                held, size = [], 0
            held.append((number, part))
            size += sum(mail.size for mail in part)
    if held:
        yield _to_chunk(held, ours, options)


def _bounded(thread: list[Stored]) -> Iterator[list[Stored]]:
    part: list[Stored] = []
    size = 0
    for mail in thread:
        if part and (len(part) >= MOST_MAILS or size + mail.size > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(mail)
        size += mail.size
    yield part


class _Entry(NamedTuple):
    """A mail in a chunk: where it stood, and what is known of it."""

    file: str
    line: int
    offset: int
    length: int
    is_cut: int
    is_mbox: int
    from_line: str
    fault: str


def _to_chunk(parts: list[tuple[int, list[Stored]]], ours: Ours, options: ReadOptions) -> Chunk:
    """The threads' mails, a span each; before them, in the first span, what belongs to which thread (with its
    number where a thread is cut into several).
    """
    first = parts[0][1][0]
    raws = list(_reread(mail for _, thread in parts for mail in thread))
    plan = {
        "domains": sorted(ours.domains),
        "addresses": sorted(ours.addresses),
        "is_guess": ours.is_guess,
        "threads": [[number, [list(_to_entry(mail)) for mail in thread]] for number, thread in parts],
    }
    pieces = [orjson.dumps(plan), *raws]
    spans, place = [], 0
    for piece in pieces:
        spans.append((place, place + len(piece)))
        place += len(piece)
    return Chunk(first.file, NAME, b"".join(pieces), first.line, first.offset, options, spans)


def _to_entry(mail: Stored) -> _Entry:
    from_line = mail.from_line.decode("latin-1")
    return _Entry(
        mail.file, mail.line, mail.offset, mail.length, mail.is_cut, mail.is_mbox, from_line, mail.fault
    )


def _reread(mails: Iterable[Stored]) -> Iterator[bytes]:
    store, file = b"", None
    try:
        for mail in mails:
            if mail.store != store or file is None:
                if file is not None:
                    file.close()
                store = mail.store
                file = open(os.fsdecode(store), "rb")  # noqa: PTH123, SIM115
            file.seek(mail.place)
            yield file.read(mail.size)
    except OSError as error:
        name = display_name(os.fsdecode(store))
        raise MissingInput(f"{name}: {(error.strerror or 'cannot be read').lower()}") from None
    finally:
        if file is not None:
            file.close()


def parse_emails(chunk: Chunk) -> Block:
    """The threads of a chunk as records; a mail that cannot be read is put aside by itself."""
    block = Block(chunk.file, NAME)
    spans = iter(chunk.spans or [])
    start, end = next(spans)
    plan = orjson.loads(chunk.data[start:end])
    ours = Ours(frozenset(plan["domains"]), frozenset(plan["addresses"]), plan["is_guess"])
    for number, thread in plan["threads"]:
        entries = [_Entry(*fields) for fields in thread]
        raws = [chunk.data[start:end] for start, end in (next(spans) for _ in entries)]
        placed = _read_mails(block, entries, raws, chunk.options)
        raw = b"\n".join(raws)[:_KEPT_RAW]
        drafts = [mail for mail in placed if is_draft(mail)]
        sent = [mail for mail in placed if not is_draft(mail)]
        if sent:
            _add_interaction(block, sort_mails(sent), drafts, ours, number, raw)
        elif drafts:
            fault = Fault("draft", "the mail is a draft: it was never sent")
            put_aside(block, drafts[0].line, drafts[0].offset, raw, fault)
    return block


def _read_mails(block: Block, entries: list[_Entry], raws: list[bytes], options: ReadOptions) -> list[Placed]:
    """The mails of a thread, each once; what cannot be read is put aside, what was mended is remarked."""
    placed: list[Placed] = []
    copies: dict[tuple[str, bytes | str], Placed] = {}
    for entry, raw in zip(entries, raws, strict=True):
        if entry.is_mbox:
            raw = undo_quoting(raw)
        digest, body_hash = digest_of(raw, read_headers(raw))
        try:
            mail = _parse(raw, entry, options, digest)
        except MailError as error:
            keyword = entry.fault or "not_mail"
            fault = Fault(keyword, f"the mail cannot be read: {error}")
            put_aside(block, entry.line, entry.offset, raw[:_KEPT_RAW], fault)
            continue
        one = Placed(mail, entry.file, entry.line, entry.offset, _note(entry))
        # Servers that pass a mail on encode it anew: then its words tell that it is the same.
        words = " ".join(mail.text.split())
        same = copies.get((mail.message_id, words)) if words else None
        first = same or copies.setdefault((mail.message_id, body_hash), one)
        if first is one:
            copies[mail.message_id, words] = one
            placed.append(one)
            block.findings += [_remark(entry, fault) for fault in mail.remarks]
        else:
            _note_copy(first, one)
    return placed


def _parse(raw: bytes, entry: _Entry, options: ReadOptions, digest: str) -> Mail:
    if entry.fault:
        raise MailError("the file ends in the middle of it")
    mail = parse_mail(raw, options.zone, digest, _hints(entry, options))
    if entry.is_cut:
        text = f"the mail is {entry.length:,} bytes long; it was read up to the limit (--max-line-bytes)"
        mail.remarks.append(Fault("too_long", text))
    return mail


def _hints(entry: _Entry, options: ReadOptions) -> list[Hint]:
    """What tells when a mail came whose headers do not: its mailbox, else the user."""
    hints: list[Hint] = []
    separated, _ = parse_date(re.sub(r"^From \S+", "", entry.from_line))
    if separated is not None:
        hints.append(("the From line of the mbox", separated))
    delivered = _DELIVERED.search(entry.file)
    if delivered is not None:
        hints.append(("delivery, in the name of the file", from_seconds(int(delivered[1]))))
    if options.start:
        hints.append(("--start", datetime.fromisoformat(options.start)))
    return hints


def _note(entry: _Entry) -> dict[str, Any]:
    note: dict[str, Any] = {}
    flags = _MAILDIR.search(entry.file)
    if flags is not None:
        note["flags"] = flags[1]
    if entry.from_line:
        note["from_line"] = entry.from_line.encode("latin-1").decode("utf-8", "backslashreplace")
    return note


def _note_copy(first: Placed, copy: Placed) -> None:
    """Keep of a copy where it was and under which labels."""
    other = {"parts": copy.mail.parts} if copy.mail.parts != first.mail.parts else {}
    first.note.setdefault("copies", []).append({"file": copy.file, "line": copy.line, **other})
    first.mail.labels.extend(label for label in copy.mail.labels if label not in first.mail.labels)
    first.mail.delivered_to.extend(a for a in copy.mail.delivered_to if a not in first.mail.delivered_to)


def _remark(entry: _Entry, fault: Fault) -> Finding:
    return Finding(
        entry.file, entry.line, fault.pointer, fault.keyword, fault.message, "warning", entry.offset
    )


def _add_interaction(
    block: Block, placed: list[Placed], drafts: list[Placed], ours: Ours, part: int, raw: bytes
) -> None:
    first = placed[0]
    if all(p.mail.at_text is None for p in placed):
        naive = any(p.mail.at is not None for p in placed)
        fault = (
            Fault(
                "no_offset",
                "the time of the mail has no time zone; say which, for example --tz Asia/Bangkok",
                "/started_at",
            )
            if naive
            else Fault(
                "no_date",
                "no header says when the mail was sent (Date, Received); say it, for example "
                "--start 2026-09-14T09:00+07:00",
                "/started_at",
            )
        )
        known = {"interaction_id": find_id([p.mail for p in placed], part)}
        put_aside(block, first.line, first.offset, raw, fault, known)
        return
    value = to_interaction(placed, ours, part)
    if drafts:
        value["extra"]["drafts"] = [{**to_extra(draft), "text": draft.mail.text} for draft in drafts]
    block.findings += [
        Finding(
            p.file, p.line, f"/messages/{n}/at", "no_date", "when this mail was sent is not known", "warning",
            p.offset, value["interaction_id"],
        )
        for n, p in enumerate(placed)
        if p.mail.at_text is None
    ]  # fmt: skip
    block.values.append(value)
    block.lines.append(first.line)
    block.offsets.append(first.offset)
    block.raws.append(raw)

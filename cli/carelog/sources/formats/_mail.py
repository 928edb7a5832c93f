"""One mail: what its headers and its body say, as plain values. Whose mail it is (the customer's, the
company's) is told by the thread it stands in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any

from carelog.sources.blocks import Fault
from carelog.sources.formats._charsets import decode_text
from carelog.sources.formats._html_text import html_to_text
from carelog.sources.formats._mail_dates import Hint, find_time
from carelog.sources.formats._mail_headers import (
    Headers,
    decode_all,
    decode_header,
    find_addresses,
    find_ids,
    find_own_id,
    read_headers,
    split_list,
)
from carelog.sources.formats._mail_robots import is_automatic
from carelog.sources.formats._mail_text import mark_history, unflow

MAPPED = frozenset(("message-id", "date"))
"""Headers that stand whole in a field of the record; all others are kept under `extra` too."""
_SEALED = Fault("encrypted", "the mail is encrypted or sealed; its text cannot be read")
_UNREAD = {
    "application/pgp-encrypted": _SEALED,
    "application/pkcs7-mime": _SEALED,
    "application/x-pkcs7-mime": _SEALED,
    "application/ms-tnef": Fault(
        "not_read", "an attachment is in Outlook's own format (winmail.dat), which is not read"
    ),
}
_NO_WORDS = frozenset(
    f"text/{kind}"
    for kind in (
        "calendar", "css", "csv", "directory", "javascript", "rfc822-headers", "rtf", "vcard",
        "x-amp-html", "x-vcard", "xml", "x-patch", "x-diff",
    )
)  # fmt: skip
_BOUNDARY = re.compile(rb"^--([^\s\"]{1,70})[ \t]*\r?\n(?=Content-)", re.MULTILINE | re.IGNORECASE)
_MOST_PARTS = 500
_MOST_DEPTH = 3


class MailError(Exception):
    """The mail cannot be read at all."""


@dataclass(slots=True)
class Mail:
    """A mail in plain values; addresses are (name, address in lower case).

    `at` is when it was sent (aware, or naive where nothing tells the offset), `at_text` the same as the
    record writes it. `is_automatic` says that no person wrote it. `others` are the headers that have no
    field, `parts` what hangs on it besides its text. `remarks` are what had to be mended or guessed.
    """

    message_id: str
    references: list[str]
    at: datetime | None
    at_text: str | None
    subject: str
    sender: tuple[str, str]
    reply_to: list[tuple[str, str]]
    recipients: list[tuple[str, str]]
    delivered_to: list[str]
    labels: list[str]
    thread: str | None
    is_automatic: bool
    list_domain: str
    text: str
    others: dict[str, Any]
    parts: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[Fault] = field(default_factory=list)


def parse_mail(raw: bytes, zone: str | None, digest: str, hints: Sequence[Hint] = ()) -> Mail:
    """A mail's values. `zone` is the zone of times without offset, `digest` stands in for a missing id,
    `hints` for a missing date.

    Raises MailError where there is nothing to read.
    """
    headers = read_headers(raw)
    if not headers.fields:
        raise MailError("there is no mail header in it")
    remarks: list[Fault] = []
    body = _parse_body(raw, remarks)
    at, at_text = find_time(headers, hints, zone, remarks)
    senders = find_addresses(headers, "from") or find_addresses(headers, "sender", "return-path")
    names = {name.lower() for name, _ in headers.fields}
    return Mail(
        message_id=find_own_id(headers) or digest,
        references=find_ids(headers, "references") or find_ids(headers, "in-reply-to"),
        at=at,
        at_text=at_text,
        subject=_decode(headers, "subject", remarks),
        sender=senders[0] if senders else (_decode(headers, "from", remarks), ""),
        reply_to=find_addresses(headers, "reply-to", "x-original-from"),
        recipients=find_addresses(headers, "to", "cc", "bcc"),
        delivered_to=[a for _, a in find_addresses(headers, "delivered-to", "x-original-to", "envelope-to")],
        labels=[n for h in ("x-gmail-labels", "keywords", "x-keywords") for n in split_list(headers.text(h))],
        thread=headers.text("x-gm-thrid") or None,
        is_automatic=is_automatic(headers),
        list_domain=headers.text("list-id").rstrip("> ").rpartition("<")[2].lower(),
        text=body.text,
        others=decode_all(headers, sorted(names - MAPPED)),
        parts=body.parts,
        remarks=remarks,
    )


def _decode(headers: Headers, name: str, remarks: list[Fault]) -> str:
    raw = next(iter(headers.raw(name)), b"")
    text, remark = decode_header(raw)
    if remark is not None:
        remarks.append(Fault(remark.keyword, f"the header {name.capitalize()}: {remark.message}"))
    return text


@dataclass(slots=True)
class _Body:
    """The text of a mail, and the parts that are no text of it."""

    text: str = ""
    parts: list[dict[str, Any]] = field(default_factory=list)
    forms: dict[int, str] = field(default_factory=dict)

    def add(self, text: str, choice: int = 0, form: str = "") -> None:
        self.text = f"{self.text}\n\n{text}" if self.text.strip() else text
        if choice and text.strip():
            self.forms.setdefault(choice, form)

    def wants(self, choice: int, form: str) -> bool:
        """Whether a part in this form is to be read: of a choice between forms only the first that says
        something.
        """
        return self.forms.get(choice, form) == form


def _parse_body(raw: bytes, remarks: list[Fault], depth: int = 0) -> _Body:
    try:
        message = _with_parts(message_from_bytes(raw, policy=policy.compat32), raw, remarks)
        body = _Body()
        for number, (part, choice) in enumerate(_walk(message)):
            if number >= _MOST_PARTS:
                remarks.append(
                    Fault(
                        "too_many_parts", f"the mail has more than {_MOST_PARTS} parts; the rest is left out"
                    )
                )
                break
            _take_part(part, choice, body, remarks, depth)
        if not body.text.strip():
            # Who passes a mail on without a word says what is in it.
            body.text = next((p["text"] for p in body.parts if p["type"] == "message/rfc822"), body.text)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError) as error:
        raise MailError(f"its parts cannot be told apart ({type(error).__name__})") from None
    return body


def _with_parts(message: Message, raw: bytes, remarks: list[Fault]) -> Message:
    """The mail, or, where its parts do not stand between the lines that it names, one mended."""
    if message.get_content_maintype() != "multipart" or message.is_multipart():
        return message
    found = _BOUNDARY.search(raw)
    if found is None:
        return message
    kind = message.get_content_subtype()
    head = b'Content-Type: multipart/%b; boundary="%b"\n\n' % (kind.encode("ascii", "replace"), found[1])
    remarks.append(Fault("mime_mended", "the parts of the mail stand between other lines than it says"))
    return message_from_bytes(head + raw[found.start() :], policy=policy.compat32)


def _walk(message: Message) -> Iterator[tuple[Message, int]]:
    """The parts that hold something, and for each the number of the choice between several forms of the same
    text to which it belongs; 0 for none.

    Of a mail inside the mail (an attached or bounced one) only that mail as a whole is given.
    """
    waiting, choices = [(message, 0)], 0
    while waiting:
        part, choice = waiting.pop()
        payload: Any = part.get_payload()
        if part.is_multipart() and isinstance(payload, list) and part.get_content_maintype() == "multipart":
            if not choice and part.get_content_subtype() == "alternative":
                choice = choices = choices + 1
            waiting.extend((inner, choice) for inner in reversed(payload) if isinstance(inner, Message))
        else:
            yield part, choice


def _take_part(part: Message, choice: int, body: _Body, remarks: list[Fault], depth: int) -> None:
    kind = part.get_content_type()
    if kind == "message/rfc822":
        inner = _inner_mail(part, depth)
        body.parts.append({"type": kind, **inner})
        return
    name, content = _file_name(part), _content(part)
    form = _form_of(part, kind, content)
    disposition = part.get_content_disposition()
    # Some mailers give the text itself a name; a second text with one is a file.
    is_shown = disposition == "inline" or (disposition is None and (not name or not body.text.strip()))
    if form and is_shown and body.wants(choice, form):
        text = _decode_part(part, content, remarks)
        body.add(mark_history(html_to_text(text)) if form == "html" else _to_plain(part, text), choice, form)
        return
    described = _describe(part, kind, name, content)
    if kind in ("message/delivery-status", "text/rfc822-headers", "text/calendar"):
        described["text"] = _decode_part(part, content, remarks).strip()
    body.parts.append(described)
    if kind in _UNREAD:
        remarks.append(_UNREAD[kind])


def _form_of(part: Message, kind: str, content: bytes) -> str:
    """`plain` or `html` for what is text to be read, else empty."""
    if kind == "text/html":
        return "html"
    # A mail of parts that are not there (no boundary, or none that stands in it) is what it holds: text.
    if part.get_content_maintype() == "multipart" and content:
        return "plain"
    # Of other kinds of text the reader sees the letters (RFC 2046, 4.1.4).
    return "plain" if kind.startswith("text/") and kind not in _NO_WORDS else ""


def _to_plain(part: Message, text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if part.get_content_subtype() in ("enriched", "richtext"):
        text = re.sub(r"<(/?[A-Za-z-]{1,60})>", "", text).replace("<<", "<")
    if str(_parameter(part, "format")).lower() == "flowed":
        text = unflow(text, str(_parameter(part, "delsp")).lower() == "yes")
    return mark_history(text.strip("\n").rstrip())


def _content(part: Message) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, list):
        return b"\n".join(
            inner.as_bytes(policy=policy.compat32) for inner in payload if isinstance(inner, Message)
        )
    _mend_encoding(part)
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _mend_encoding(part: Message) -> None:
    """Bring the name of the transfer encoding into the form that is known: `"base64;` means base64."""
    written = str(part.get("Content-Transfer-Encoding", ""))
    found = re.search(r"base64|quoted-printable|x-uuencode|uuencode", written.lower())
    if found is not None and found[0] != written:
        part.replace_header("Content-Transfer-Encoding", found[0])


def _decode_part(part: Message, content: bytes, remarks: list[Fault]) -> str:
    declared = _parameter(part, "charset")
    if not declared and part.get_content_type() == "text/html":
        found = re.search(
            rb"<meta[^<>]{0,200}charset\s*=\s*[\"']?([\w.:-]{2,40})", content[:4096], re.IGNORECASE
        )
        declared = found[1].decode() if found else ""
    text, remark = decode_text(content, declared)
    if remark is not None:
        remarks.append(remark)
    return text


def _parameter(part: Message, name: str) -> str:
    try:
        value = part.get_param(name, "")
        return collapse_rfc2231_value(value) if isinstance(value, (str, tuple)) else ""
    except (ValueError, LookupError, TypeError, UnicodeError):
        return ""


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename("") or ""
    except (ValueError, LookupError, TypeError, UnicodeError):
        name = "?"
    # Encoded words inside quotes are forbidden and everywhere.
    return decode_header(name.encode("utf-8", "surrogateescape"))[0]


def _describe(part: Message, kind: str, name: str, content: bytes) -> dict[str, Any]:
    described: dict[str, Any] = {"type": kind, "bytes": len(content)}
    if name:
        described["name"] = name
    content_id = part.get("Content-ID")
    if content_id:
        described["content_id"] = str(content_id).strip("<> ")
    described["sha256"] = hashlib.sha256(content).hexdigest()
    return described


def _inner_mail(part: Message, depth: int) -> dict[str, Any]:
    """What an attached mail says, for whoever looks: nobody of this thread wrote it."""
    raw = re.sub(rb"\AFrom [^\r\n]*\r?\n", b"", _content(part).lstrip(b"\r\n"))
    headers = read_headers(raw)
    inner = _parse_body(raw, [], depth + 1) if headers.fields and depth < _MOST_DEPTH else _Body()
    names = sorted({name.lower() for name, _ in headers.fields})
    found = {"bytes": len(raw), "headers": decode_all(headers, names), "text": inner.text}
    return {**found, "parts": inner.parts} if inner.parts else found


def digest_of(
    raw: bytes, headers: Headers, names: Sequence[str] = ("from", "date", "subject")
) -> tuple[str, bytes]:
    """An id for a mail that has none, and the hash of its body by which copies are told.

    Line ends and blanks at the end do not count: mailboxes change them.
    """
    body = raw[headers.size :].replace(b"\r\n", b"\n").rstrip()
    digest = hashlib.sha256(body)
    own = hashlib.sha256(digest.digest() + b"\0".join(headers.text(name).encode() for name in names))
    return f"sha256-{own.hexdigest()[:32]}", digest.digest()[:16]

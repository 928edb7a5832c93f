"""What the parts of a vCon hold: bodies in their encodings, mails in MIME, times in the forms that libraries wrote
before the draft settled on RFC 3339.
"""

from __future__ import annotations

import base64
import binascii
import email
import json
from datetime import datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

from carelog.sources.formats._charsets import decode_text
from carelog.sources.formats._html_text import html_to_text
from carelog.sources.formats._times import from_epoch, to_text

_FROM_URL = str.maketrans("-_", "+/")


def body_of(holder: dict[str, Any]) -> Any:
    """What a dialog, analysis or attachment holds inline; None where it is elsewhere or cannot be read."""
    body, encoding = holder.get("body"), str(holder.get("encoding", "")).lower()
    if not isinstance(body, str):
        return body
    is_coded = encoding in ("base64url", "base64")
    try:
        if is_coded:
            raw = base64.b64decode(body.translate(_FROM_URL) + "=" * (-len(body) % 4))
            body = raw.decode("utf-8")
        is_json = encoding == "json" or "json" in str(holder.get("mediatype", ""))
        return json.loads(body) if is_json else body
    except (ValueError, binascii.Error, RecursionError):
        return None if is_coded else body


def text_of_mail(body: str, mediatype: str) -> str | None:
    """The words in a MIME body (multipart/…) or a whole message (message/…); None if there are none."""
    head = "" if mediatype.startswith("message/") else f"Content-Type: {mediatype}\r\n\r\n"
    try:
        message = email.message_from_bytes((head + body).encode("utf-8", "replace"))
        parts = [part for part in message.walk() if not part.is_multipart()]
        for kind in ("text/plain", "text/html"):
            found = "\n".join(
                t for part in parts if part.get_content_type() == kind and (t := _part_text(part))
            )
            if found:
                return found
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return None


def _part_text(part: Message) -> str:
    if part.get_filename():
        return ""
    raw = part.get_payload(decode=True)
    text, _ = decode_text(raw if isinstance(raw, bytes) else b"", part.get_content_charset())
    return (
        (html_to_text(text) if part.get_content_type() == "text/html" else text).replace("\r\n", "\n").strip()
    )


def time_of(value: Any) -> str | None:
    """A time as RFC 3339 (without an offset if it carries none); None for what is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return from_epoch(value)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return value if len(value) > len("2026-01-01") and 1900 <= moment.year < 3000 else None
    except ValueError:
        pass
    try:
        return to_text(parsedate_to_datetime(value))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def moment_of(value: Any) -> datetime | None:
    """A time as an instant; None where its offset is not known."""
    text = time_of(value)
    moment = datetime.fromisoformat(text) if text is not None else None
    return moment if moment is not None and moment.tzinfo is not None else None

"""The texts of a batch as one column of segments: messages, notes, subject and the short fields, with who speaks and where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from carelog.columns import row_positions

Ints = npt.NDArray[np.int64]

CUSTOMER, AGENT, BOT, SYSTEM, NOTE, SUBJECT, FIELD = range(7)
SIDES = ("customer", "agent", "bot", "system", "note", "subject", "field")
_SPEAKER_SIDES = {"customer": CUSTOMER, "agent": AGENT, "bot": BOT, "system": SYSTEM}

FIELDS = ("messages", "notes", "subject", "category", "queue", "campaign", "tags")
_FIELD_SIDES = {"notes": NOTE, "subject": SUBJECT}

OPENING_MESSAGES = 2
CLOSING_MESSAGES = 3


@dataclass(frozen=True, slots=True)
class Segments:
    """n texts of a batch, ordered by field and row.

    `rows` is the row of the batch, `sides` who speaks (an index into SIDES), `fields` an index into FIELDS, `messages` the
    place of the message in its interaction (-1 for other fields), `opening` and `closing` whether it stands among the first
    two or last three messages (always so outside messages).
    """

    texts: pa.StringArray
    rows: Ints
    sides: Ints
    fields: Ints
    messages: Ints
    opening: npt.NDArray[np.bool_]
    closing: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)


def to_segments(batch: pa.RecordBatch) -> Segments:
    """The segments of a batch in the RECORD layout. What an email quotes, signs or disclaims is blanked, not removed."""
    parts = [_message_segments(batch)]
    for name in ("notes", "subject", "category", "queue", "campaign"):
        column = batch.column(name)
        rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
        parts.append(_plain_segments(column.drop_null(), rows, name))
    tags = batch.column("tags")
    parts.append(_plain_segments(tags.flatten().fill_null(""), row_positions(tags), "tags"))
    return Segments(
        pa.concat_arrays([p.texts for p in parts]),
        *(
            np.concatenate([getattr(p, n) for p in parts])
            for n in ("rows", "sides", "fields", "messages", "opening", "closing")
        ),
    )


def _plain_segments(texts: pa.StringArray, rows: Ints, name: str) -> Segments:
    n = len(rows)
    sides = np.full(n, _FIELD_SIDES.get(name, FIELD), np.int64)
    always = np.ones(n, bool)
    return Segments(texts, rows, sides, np.full(n, FIELDS.index(name)), np.full(n, -1), always, always)


def _message_segments(batch: pa.RecordBatch) -> Segments:
    lists = batch.column("messages")
    flat = lists.flatten()
    rows = row_positions(lists)
    n = len(rows)
    first = np.concatenate([[True], rows[1:] != rows[:-1]]) if n else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    counts = np.diff(np.concatenate([starts, [n]]))
    place = np.arange(n) - np.repeat(starts, counts)
    left = np.repeat(counts, counts) - 1 - place
    speakers = flat.field("speaker")
    sides = (
        pc.index_in(speakers, pa.array(list(_SPEAKER_SIDES))).fill_null(SYSTEM).to_numpy(zero_copy_only=False)
    )
    texts = flat.field("text").fill_null("")
    is_mail = pc.equal(batch.column("channel"), "email").fill_null(False).to_numpy(zero_copy_only=False)
    texts = blank_quoted(texts, is_mail[rows])
    return Segments(
        texts,
        rows,
        sides.astype(np.int64),
        np.zeros(n, np.int64),
        place,
        place < OPENING_MESSAGES,
        left < CLOSING_MESSAGES,
    )


_QUOTE_HINT = (
    r"(?m)^\s?>|(?i)wrote:|^-- ?$|^_{5,}|-----|\n(from|sent|von|จาก): |confidential|लिखा:|લખ્યું:|เขียนว่า|sumulat"
)
_WROTE = ("wrote", "sumulat", "เขียนว่า", "लिखा", "લખ્યું")
_QUOTES = (
    (r"[ \t]?>[^\n]*$", (">",)),
    (
        r"(?:On|Am|Le|Noong|เมื่อ|Sa|Nong)\b[^\n]{5,200}?(?:wrote|sumulat|เขียนว่า|लिखा|લખ્યું)[^\n]{0,20}:\s*$",
        _WROTE,
    ),
    (r"[^\n]{5,160}(?:wrote|เขียนว่า|ने लिखा|એ લખ્યું|sumulat ni[^\n]*):\s*$", _WROTE),
    (r"-{2,}\s*(?:Original Message|Forwarded message|Original na mensahe|ข้อความเดิม)[\s\S]*", ("--",)),
    (r"From: [^\n]+\n(?:Sent|Date|To): [^\n]*(?:\n(?:To|Cc|Subject): [^\n]*)*", ("from: ",)),
    (r"-- ?$[\s\S]*", ("--",)),
    (
        r"[^\n]*(?:this (?:e-?mail|message) (?:and any|is confidential|may contain)|intended (?:only|solely) for the)[\s\S]*",
        ("this e", "this m", "intended"),
    ),
)
"""What begins a line that the writer did not write, each with words (case-folded) of which one must stand in the text.

In order: quoted with `>`; who wrote what follows, twice; what was forwarded; the head of Outlook; signature; disclaimer.
"""


@cache
def _quotes(kinds: tuple[int, ...]) -> re.Pattern[str]:
    """Some of the _QUOTES in one; without those that cannot be there, texts are read twice as fast."""
    return re.compile(f"^(?:{'|'.join(_QUOTES[k][0] for k in kinds)})", re.MULTILINE | re.IGNORECASE)


def _without_quotes(text: str) -> str:
    folded = text.casefold()
    kinds = tuple(k for k, (_, words) in enumerate(_QUOTES) if any(word in folded for word in words))
    return _quotes(kinds).sub(lambda m: _blank(m.group()), text) if kinds else text


def blank_quoted(texts: pa.StringArray, mail: npt.NDArray[np.bool_]) -> pa.StringArray:
    """Texts of emails with what was quoted, the signature block and disclaimers overwritten with as many bytes of space."""
    if not mail.any():
        return texts
    mails = np.flatnonzero(mail)
    hint = pc.match_substring_regex(texts.take(pa.array(mails)), _QUOTE_HINT).fill_null(False)
    chosen = mails[hint.to_numpy(zero_copy_only=False)]
    if not len(chosen):
        return texts
    values = texts.take(pa.array(chosen)).to_pylist()  # few: emails with a quote
    mended = [_without_quotes(value) for value in values]
    mask = np.zeros(len(texts), bool)
    mask[chosen] = True
    return pc.replace_with_mask(texts, pa.array(mask), pa.array(mended, pa.string()))


def _blank(text: str) -> str:
    # One no-break space for each character keeps every offset counted in characters as it was.
    return "".join("\n" if c == "\n" else " " for c in text)

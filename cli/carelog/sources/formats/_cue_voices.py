"""Who speaks in a cue of a transcript: in `<v Name>`, in the cue's name (Webex), before a colon or in brackets
at the beginning of a line, after `>>`; or in the JSON that Teams' interface writes into a cue.

What stands before a colon may be a name or the beginning of a sentence. A cue alone does not tell; so a piece
keeps its label as it was written, and `believe` says which of all labels of a file are names.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>\n]{1,200})>", re.IGNORECASE)
_TAG = re.compile(r"</?(?:[a-zA-Z][^<>\n]{0,200}|\d[\d:.]{3,20})?>|\{\\[^{}\n]{1,40}\}")
_IN_CUE_NAME = re.compile(r'\d+\s+"([^"\n]{0,200})"(?:\s+\(\d*\))?')
_MARK = r"(?:>{1,3}\s*|[-\u2013\u2014]\s+)?"
_BEFORE_COLON = re.compile(
    rf"({_MARK}([^\W_][^:：<>\[\]\n]{{0,60}}?|\+\d[\d *-]{{3,20}})\s?(?::(?:\s+|$)|：\s*))"
)
_IN_BRACKETS = re.compile(rf"({_MARK}(?:\[([^\[\]\n]{{1,60}})\]|\(([^()\n]{{1,60}})\))\s?[:：]\s*)")
_ROLE = r"(?:speaker|spk|voice|channel|agent|customer|caller|client|operator)[ _-]?\d{0,4}"
_SPEAKER = re.compile(rf"({_MARK}(?:\[({_ROLE})\]|\(({_ROLE})\))\s+)", re.I)
_ALONE = re.compile(r"(\(([^\W\d_a-z][^()\n]{1,60})\)\s*)")
_CHANGE = re.compile(r"(>{2,3}\s*)")
_IN_LINE = re.compile(r"(?<=[\w.!?,]) +(>{2,3} ?)(?=\S)")
_SENTENCE = re.compile(r"[.!?;,…](?:\s|$)")
_TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|Jr|Sr|St|[^\W\d_a-z])\.")
CHANGE = ">>"
"""The label of a piece of which is only said that somebody else begins to speak."""


class Spoken(NamedTuple):
    """A piece of a cue: `voice` is known to be a name, `label` may be one; `prefix` is the label as it stood.

    `is_first` is true where the piece begins its cue; `fields` is what the cue says of itself besides.
    """

    text: str
    voice: str = ""
    label: str = ""
    prefix: str = ""
    is_first: bool = True
    fields: dict[str, Any] | None = None


def plain(text: str) -> str:
    """The text without tags and character references."""
    return html.unescape(_TAG.sub("", text)).replace("\u200b", "").strip()


def split_voices(text: str, name: str) -> Iterator[Spoken]:
    """The pieces of a cue with the text and the name (identifier) that are given."""
    known = _read_json(text)
    if known is not None:
        yield known
        return
    in_name = _IN_CUE_NAME.fullmatch(name.strip())
    voice = in_name[1].strip() if in_name is not None else ""
    parts = _VOICE.split(text)
    if plain(parts[0]):
        yield from [Spoken(plain(parts[0]), voice)] if voice else _split_labels(plain(parts[0]))
    for tagged, spoken in zip(parts[1::2], parts[2::2], strict=True):
        if plain(spoken):
            yield Spoken(plain(spoken), html.unescape(tagged).strip())


def _read_json(text: str) -> Spoken | None:
    """The piece in a cue that is an object with speakerName and spokenText (Teams' metadataContent)."""
    if not text.lstrip().startswith("{") or '"spokenText"' not in text:
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    said, voice = found.pop("spokenText", None), found.pop("speakerName", None)
    if not isinstance(said, str):
        return None
    return Spoken(said.strip(), voice.strip() if isinstance(voice, str) else "", fields=found)


def _split_labels(text: str) -> Iterator[Spoken]:
    """Lines that begin with a label begin a piece; others go on with the one above."""
    held: Spoken | None = None
    for line in _IN_LINE.sub(r"\n\1", text).split("\n"):
        prefix, label = _label_of(line)
        if held is None or prefix:
            if held is not None:
                yield held
            held = Spoken(line[len(prefix) :], "", label, prefix, held is None)
        else:
            held = held._replace(text=f"{held.text}\n{line}" if held.text else line)
    if held is not None:
        yield held


def _label_of(line: str) -> tuple[str, str]:
    """What stands before the words, and the name in it; empty texts where there is none."""
    for pattern in (_IN_BRACKETS, _SPEAKER, _BEFORE_COLON):
        found = pattern.match(line)
        if found is not None:
            return found[1], next(group for group in found.groups()[1:] if group).strip()
    alone = _ALONE.fullmatch(line)
    if alone is not None:
        return alone[1], alone[2].strip()
    change = _CHANGE.match(line)
    return (change[1], CHANGE) if change is not None else ("", "")


def believe(counts: dict[str, int], inner: dict[str, int], cues: int) -> list[str]:
    """Which of the labels that begin cues (how often each) are names; none where too few cues have one.

    Where names stand only at a change of speaker they are fewer, but come again. A label that stands only at
    later lines of cues (`inner`) is one if it looks like those that begin them, or comes again.
    """
    named = sum(counts.values())
    is_dense = named >= 2 and named * 3 >= cues
    is_repeated = named * 10 >= cues and len(counts) * 2 <= named and named >= 4
    if not (is_dense or is_repeated or 0 < named == cues):
        # Who is called by a role twice and answered by another is no sentence.
        told = [label for label in {**counts, **inner} if re.fullmatch(_ROLE, label, re.I)]
        return told if len(told) > 1 and named > 2 else []
    names = [label for label, count in counts.items() if count > 1 or _looks_like_name(label)]
    shapes = {re.sub(r"\d+", "0", name) for name in names}
    later = [
        label
        for label, count in inner.items()
        if label not in counts and (count > 1 or re.sub(r"\d+", "0", label) in shapes or _is_full_name(label))
    ]
    return names + later


def _looks_like_name(label: str) -> bool:
    is_short = len(label.split()) <= 5 and _SENTENCE.search(_TITLE.sub("", label)) is None
    return is_short and (not label[:1].islower() or re.fullmatch(_ROLE, label) is not None)


def _is_full_name(label: str) -> bool:
    return _looks_like_name(label) and len(label.split()) > 1 and label.istitle()

"""Who said what, out of the transcripts that vendors put into a vCon: none of them looks like another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from carelog.sources.formats._times import to_text
from carelog.sources.formats._vcon_body import moment_of

_MOST = 100_000
_NAMED = re.compile(r"(?:\[[\d:.]{4,12}\]\s*)?\**([^\W_][^:*\n]{0,40})\**:\**\s+(\S.*)")
_TEXT = ("text", "transcript", "content", "message", "body", "utterance", "caption")
_SPEAKER = (
    "speaker", "speaker_label", "role", "participant", "party", "parties", "channel", "name", "from",
)  # fmt: skip
_START = ("start", "start_time", "startTime", "offset", "begin")
_LISTS = ("utterances", "segments", "turns", "messages", "entries", "transcript", "monologues", "paragraphs")


class Utterance(NamedTuple):
    """What one voice said; `speaker` as the transcript names it ("" if it does not), `start` in seconds; `at` is
    the time of day and `party` the place among the parties where the transcript tells these.
    """

    speaker: str
    text: str
    start: float | None = None
    at: str = ""
    party: int | None = None


def find_utterances(body: Any, depth: int = 0) -> list[Utterance]:
    """The utterances in a transcript: a text, turns, or words by speaker; the finest there is."""
    if isinstance(body, str):
        return _from_lines(body) or ([Utterance("", body.strip())] if body.strip() else [])
    if depth > 6:
        return []
    if isinstance(body, list):
        turns = [u for item in body[:_MOST] if (u := _turn(item)) is not None]
        return turns or [u for item in body[:100] for u in find_utterances(item, depth + 1)]
    if not isinstance(body, dict):
        return []
    for key in _LISTS:
        if isinstance(body.get(key), list) and (found := find_utterances(body[key], depth + 1)):
            return found
    if isinstance(body.get("words"), list) and (found := list(_from_words(body["words"]))):
        return found
    for key in ("results", "channels", "alternatives", "result", "transcript", "response", "paragraphs"):
        if isinstance(body.get(key), (dict, list)):
            inner = body[key][:1] if key == "alternatives" and isinstance(body[key], list) else body[key]
            if found := find_utterances(inner, depth + 1):
                return found
    turn = _turn(body)
    return [turn] if turn is not None else []


def _turn(item: Any) -> Utterance | None:
    if not isinstance(item, dict):
        return None
    text = next((item[k] for k in _TEXT if isinstance(item.get(k), str) and item[k].strip()), None)
    if text is None or (isinstance(item.get("words"), list) and "speaker" in str(item["words"][:1])):
        return None
    party = next((item[k] for k in ("party", "parties") if type(item.get(k)) is int), None)
    return Utterance(_speaker(item), text.strip(), _start(item), _time(item), party)


def _speaker(item: dict[str, Any]) -> str:
    for key in _SPEAKER:
        found = item.get(key)
        if isinstance(found, (str, int)) and not isinstance(found, bool) and str(found).strip():
            return str(found).strip()
        if isinstance(found, dict) and isinstance(found.get("name"), str):
            return str(found["name"])
    return ""


def _start(item: dict[str, Any]) -> float | None:
    for key in _START:
        found = item.get(key)
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            return float(found)
    return None


def _time(item: dict[str, Any]) -> str:
    for key in ("start", "start_time", "timestamp", "at"):
        moment = moment_of(item.get(key)) if isinstance(item.get(key), str) else None
        if moment is not None:
            return to_text(moment)
    return ""


def _from_lines(text: str) -> list[Utterance]:
    """The turns of a text in which (nearly) every line names who speaks."""
    lines = [line.strip() for line in text.splitlines() if line.strip()][:_MOST]
    named = [_NAMED.fullmatch(line) for line in lines]
    if len(lines) < 2 or sum(found is not None for found in named) * 3 < len(lines) * 2:
        return []
    turns: list[Utterance] = []
    for line, found in zip(lines, named, strict=True):
        if found is not None:
            turns.append(Utterance(found[1].strip(), found[2].strip()))
        elif turns:
            turns[-1] = turns[-1]._replace(text=f"{turns[-1].text}\n{line}")
        else:
            turns.append(Utterance("", line))
    return turns


def _from_words(words: list[Any]) -> Iterator[Utterance]:
    """Words that each name their speaker, joined to turns."""
    held: list[str] = []
    speaker, start = "", None
    for word in words[:_MOST]:
        if not isinstance(word, dict):
            continue
        text = word.get("punctuated_word") or word.get("word") or word.get("text")
        if not isinstance(text, str):
            continue
        voice = _speaker(word)
        if held and voice != speaker:
            yield Utterance(speaker, " ".join(held), start)
            held = []
        if not held:
            speaker, start = voice, _start(word)
        held.append(text)
    if held:
        yield Utterance(speaker, " ".join(held), start)

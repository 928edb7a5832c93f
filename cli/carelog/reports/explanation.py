"""An explanation as text: labels, evidence marked in its context, what weighed how much, and the near
misses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any
from unicodedata import category, east_asian_width

from carelog.classification.evidence import MODEL_RULE
from carelog.classification.explaining import closest_misses
from carelog.findings import visible
from carelog.labels import CARE_ACTIVITIES, STAGES

MARKS = ("«", "»")
COLOURED_MARKS = ("\x1b[1;33m", "\x1b[0m")
CONTEXT = 60
"""So many characters of a message are shown to each side of the evidence."""
LEAST_ROOM = 30
"""With fewer columns left for the words of evidence, the rule's name moves to the next line."""
NEAR_MISSES = 5


def to_explanation_text(
    value: Mapping[str, Any],
    labels: Sequence[str] = (),
    marks: tuple[str, str] = MARKS,
    width: int = 80,
) -> str:
    """The explanation for a person; with `labels` only those, given or not. Lines of evidence are cut to
    `width` columns.
    """
    lines = [
        f"{visible(value['interaction_id'])}: {value['channel']}, {value['started_at']}, "
        f"{visible(value['labels']['language'] or 'language unknown')}, "
        f"rulebook {visible(value['rulebook']['name'])} ({value['rulebook']['hash']})",
        "",
        *_label_lines(value["labels"], value.get("corrections", ())),
    ]
    explained = value["explained"]
    given = labels or [name for name, one in explained.items() if one["given"]]
    for name in given:
        lines += ["", *_explained_lines(name, explained[name], value["texts"], marks, width)]
    if not labels:
        lines += _near_lines(explained)
    return "\n".join(lines) + "\n"


def _label_lines(labels: Mapping[str, Any], corrections: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The labels as they stand, those that people corrected with what they were."""
    now = {**labels, **{one["label"]: one["value"] for one in corrections}}
    was = {**labels, **{one["label"]: one["was"] for one in corrections}}
    for name in labels:
        if name.startswith("stage_") or name in ("language", "not_assessable_reason"):
            continue
        yield f"  {name:<24}{_with_original(_shown(now[name]), _shown(was[name]))}"
    yield f"  {'stages':<24}{_with_original(_shown_stages(now), _shown_stages(was))}"


def _with_original(now: str, was: str) -> str:
    return now if now == was else f"{now} (corrected; was {was})"


def _shown_stages(labels: Mapping[str, Any]) -> str:
    if labels["stage_score"] is None:
        return "not assessable"
    names = [stage for stage in STAGES if labels.get(f"stage_{stage}") is True]
    return ", ".join(names) or "–"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        inner = [f"{v.get('aspect')} {v.get('polarity')}" if isinstance(v, dict) else str(v) for v in value]
        return visible(", ".join(inner)) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else visible(str(value))


def _explained_lines(
    name: str,
    one: Mapping[str, Any],
    texts: Sequence[Mapping[str, Any]],
    marks: tuple[str, str],
    width: int,
) -> Iterator[str]:
    yield f"{name}: {'given' if one['given'] else 'not given'}{_margin(one)}{_although_below(name, one)}"
    for entry in one["evidence"]:
        yield from _evidence_lines(entry, texts, marks, width)
    if one.get("parts"):
        yield "  what weighed most (log-odds)"
        for part in one["parts"]:
            yield f"    {part['value']:+7.2f}  {part['kind']} {visible(part['name'])}"
        rest = one["parts_left_out"]
        if rest["count"]:
            yield f"    {rest['value']:+7.2f}  {rest['count']} more"
    if not one["given"]:
        yield f"  {_nearest(one.get('nearest'))}"


def _evidence_lines(
    entry: Mapping[str, Any], texts: Sequence[Mapping[str, Any]], marks: tuple[str, str], width: int
) -> Iterator[str]:
    """Where, the words in their context, and the rule: this on a line of its own where it leaves too little
    room for the words.
    """
    place, rule = f"  {_place(entry, texts)}  ", f"[{visible(entry['rule'])}]"
    room = width - display_width(place)
    beside = room - display_width(rule) - 2
    if beside >= LEAST_ROOM:
        yield f"{place}{_context(entry, texts, marks, beside)}  {rule}"
    else:
        yield f"{place}{_context(entry, texts, marks, room)}"
        yield f"    {rule}"


def _margin(one: Mapping[str, Any]) -> str:
    if "score" not in one:
        return "" if one["given"] else " (only rules decide it)"
    against = one["rival"] or "its threshold"
    side = "above" if one["margin"] > 0 else "below"
    return f", {one['score']:+.2f}, {side} {against} by {abs(one['margin']):.2f}"


def _although_below(name: str, one: Mapping[str, Any]) -> str:
    """Why an activity is given that missed its threshold: its orientation needs one of its side."""
    if not (name.startswith("activity.") and one["given"] and one["margin"] <= 0):
        return ""
    side = "care" if name.removeprefix("activity.") in CARE_ACTIVITIES else "service"
    return f": given as the strongest activity of {side}, which the orientation asks for"


def _place(entry: Mapping[str, Any], texts: Sequence[Mapping[str, Any]]) -> str:
    text = _text_of(entry, texts)
    if entry["message"] is None:
        return str(entry["field"])
    return f"message {entry['message'] + 1}" + (f", {text['side']}:" if text else ":")


def _text_of(entry: Mapping[str, Any], texts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    same = (t for t in texts if t["field"] == entry["field"] and t["message"] == entry["message"])
    return next(same, None)


def _context(
    entry: Mapping[str, Any], texts: Sequence[Mapping[str, Any]], marks: tuple[str, str], room: int
) -> str:
    """The evidence marked between what stands around it, in at most `room` columns."""
    text = _text_of(entry, texts)
    if text is None or entry["start"] is None:
        if entry["rule"] == MODEL_RULE:
            return "many words together"
        return "the field decides" if entry["message"] is None else "the message as a whole"
    words, start, end = text["text"], entry["start"], entry["end"]
    # Marks that colour take no room; «» take a column each.
    room -= sum(map(len, MARKS)) if marks == MARKS else 0
    span = _cut_middle(_plain(words[start:end]), room)
    before, after = _plain(words[max(start - CONTEXT, 0) : start]), _plain(words[end : end + CONTEXT])
    left = max(room - display_width(span), 0)
    # What one side leaves free, the other may take.
    for_after = max(left // 2, left - _asked(before, start > CONTEXT))
    shown_after = _cut_end(after, for_after, len(words) > end + CONTEXT)
    shown_before = _cut_start(before, left - display_width(shown_after), start > CONTEXT)
    return f"{shown_before}{marks[0]}{span}{marks[1]}{shown_after}"


def _asked(text: str, is_cut: bool) -> int:
    return display_width(text) + is_cut


def _cut_end(text: str, room: int, is_cut: bool) -> str:
    """As much of the start of a text as has room, with … where more would follow."""
    if _asked(text, is_cut) <= room:
        return text + "…" * is_cut
    return _first_of(text, room - 1) + "…" if room > 0 else ""


def _cut_start(text: str, room: int, is_cut: bool) -> str:
    """As much of the end of a text as has room, with … where more would come before."""
    if _asked(text, is_cut) <= room:
        return "…" * is_cut + text
    return "…" + _last_of(text, room - 1) if room > 0 else ""


def _cut_middle(text: str, room: int) -> str:
    """A text with its middle cut out so that it has room."""
    if display_width(text) <= room:
        return text
    head = _first_of(text, (room - 1) // 2)
    return f"{head}…{_last_of(text, room - 1 - display_width(head))}"


def _first_of(text: str, room: int) -> str:
    """The longest start of a text that takes at most so many columns."""
    for at, width in enumerate(accumulate(map(_columns, text))):
        if width > room:
            return text[:at]
    return text


def _last_of(text: str, room: int) -> str:
    """The longest end of a text that takes at most so many columns, no mark without its letter."""
    end = _first_of(text[::-1], room)[::-1]
    if len(end) == len(text):
        return text
    letter = next((at for at, character in enumerate(end) if _columns(character)), len(end))
    return end[letter:]


def display_width(text: str) -> int:
    """How many columns a text takes in a terminal: marks above and below letters take none, wide ones two."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _plain(text: str) -> str:
    return visible(text.replace("\r", " ").replace("\n", " ").replace("\t", " "))


def _nearest(nearest: Mapping[str, Any] | None) -> str:
    if nearest is None:
        return "no rule speaks for it"
    if nearest["rule"] is None:
        return "no rule is near: nothing of their phrases is in the text"
    if not nearest["failed"]:
        words = visible(nearest["words"])
        return f"nearest rule {nearest['rule']}: it matched ({words!r}), but other things weighed more"
    return f"nearest rule {nearest['rule']}: " + visible("; ".join(nearest["failed"]))


def _near_lines(explained: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    missed = closest_misses(explained, NEAR_MISSES)
    lines = ["", "Not given, the nearest first (--label NAME shows one closely)"] if missed else []
    for name in missed:
        one = explained[name]
        lines += [f"{name}{_margin(one)}", f"  {_nearest(one.get('nearest'))}"]
    return lines

"""A first mapping file, made by looking at the beginning of a table or of JSON records; a person finishes it.

Columns are matched by their names (English, and what common systems call things), then held against their
values: a column that is named like a time but holds none is not one. No value of a customer is written into
the file, only what is a word of the system's own (few different short values).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from carelog.errors import UnusableInput
from carelog.sources.blocks import MAX_LINE_BYTES, Chunk, ReadOptions
from carelog.sources.formats import FORMATS, detect_formats
from carelog.sources.formats._mapping import Rule
from carelog.sources.formats._mapping_values import UnclearError, plain, to_decimal, to_seconds, to_time
from carelog.sources.formats.delimited import parse_cells, read_table
from carelog.sources.inferring_names import KNOWN_WORDS, NO_ANSWERS, PATTERNS, SCORE_WORDS
from carelog.sources.pieces import parse_json
from carelog.sources.reading import hint_for
from carelog.sources.streams import Opened
from carelog.sources.structure import DELIMITERS, detect_structure

MOST_RECORDS = 500


@dataclass(slots=True)
class Seen:
    """What was seen of a file: its columns (or places) in order, some values of each, and its layout."""

    columns: list[str] = field(default_factory=list)
    values: dict[str, list[Any]] = field(default_factory=dict)
    records: int = 0
    layout: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, name: str, value: Any) -> None:
        """Take note of one value."""
        if name not in self.values:
            self.columns.append(name)
            self.values[name] = []
        if plain(value) is not None:
            self.values[name].append(plain(value))


def infer_mapping(opened: Opened, name: str) -> str:
    """The text of a mapping file for an input. UnusableInput if it is neither a table nor JSON objects."""
    hint = hint_for(opened.head)
    if hint is not None:
        raise UnusableInput(f"{opened.name} cannot be read with a mapping", hint)
    structure = (detect_structure(opened.head, opened.name) or ("csv", ""))[0]
    if structure == "parquet":
        raise UnusableInput(f"{opened.name} is Parquet: mappings are for CSV and JSON")
    seen = _see_json(opened) if structure in ("json", "jsonl") else _see_table(opened)
    if not seen.records:
        raise UnusableInput(f"{opened.name} holds no records to look at", "mappings are for CSV and JSON")
    claims = detect_formats(opened.head, opened.name)
    known = [key for key in claims if not FORMATS[key].is_general]
    lines = [f"# carelog reads this file as `{key}` without a mapping: {claims[key]}." for key in known]
    return "".join(f"{line}\n" for line in (*lines, *_to_lines(seen, name)))


def _see_table(opened: Opened) -> Seen:
    seen = Seen()
    first = opened.head.lstrip(b"\r\n").split(b"\n", 1)[0].decode("utf-8", "replace")
    outside = re.sub(r'"[^"]*"', "", first)
    delimiter = max("".join(DELIMITERS.values()), key=outside.count)
    if delimiter not in outside:
        raise UnusableInput(f"{opened.name}: its first line is no header of a table")
    if delimiter not in ",\t":
        seen.layout["delimiter"] = delimiter
    for part in read_table(opened, ReadOptions(), "csv", delimiter=delimiter):
        if not isinstance(part, Chunk):
            continue
        for name in part.columns:
            seen.add(name, None)
        for start, end in part.spans or []:
            cells, fault = parse_cells(part.data[start:end].rstrip(b"\r\n"), part, None)
            if fault is None and cells:
                seen.records += 1
                for name, cell in zip(part.columns, cells, strict=True):
                    seen.add(name, cell)
            if seen.records >= MOST_RECORDS:
                return seen
    return seen


def _see_json(opened: Opened) -> Seen:
    seen = Seen()
    stream, _ = opened.utf8()
    text = stream.read(MAX_LINE_BYTES)
    for record in _records_in(text, seen):
        seen.records += 1
        _see_leaves(record, "", seen, 0)
        if seen.records >= MOST_RECORDS:
            break
    return seen


def _records_in(text: bytes, seen: Seen) -> Iterator[dict[str, Any]]:
    value, fault = parse_json(text, MAX_LINE_BYTES)
    if fault is not None:
        values = [
            v
            for line in text.split(b"\n")
            if line.strip()
            for v, f in [parse_json(line, MAX_LINE_BYTES)]
            if f is None
        ]
    else:
        values = value if isinstance(value, list) else [value]
    if len(values) == 1 and isinstance(values[0], dict):
        path, inner = _longest_list(values[0], "", 0)
        # A page around its records, and not a record with a list of messages in it.
        if inner and not any(isinstance(v, str) for v in values[0].values()):
            seen.layout["records"] = path
            values = inner
    yield from (v for v in values if isinstance(v, dict))


def _longest_list(value: dict[str, Any], path: str, depth: int) -> tuple[str, list[Any]]:
    best: tuple[str, list[Any]] = ("", [])
    for key, inner in value.items():
        place = f"{path}.{key}".strip(".")
        if isinstance(inner, list) and inner and isinstance(inner[0], dict) and len(inner) > len(best[1]):
            best = (place, inner)
        elif isinstance(inner, dict) and depth < 3:
            deeper = _longest_list(inner, place, depth + 1)
            best = deeper if len(deeper[1]) > len(best[1]) else best
    return best


def _see_leaves(value: Any, path: str, seen: Seen, depth: int) -> None:
    if isinstance(value, dict) and depth < 6:
        for key, inner in value.items():
            _see_leaves(inner, f"{path}.{key}".strip("."), seen, depth + 1)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        if len(seen.lists.setdefault(path, [])) < MOST_RECORDS:
            seen.lists[path] += [item for item in value if isinstance(item, dict)]
    elif path:
        seen.add(path, value)


def match_columns(columns: Sequence[str], values: dict[str, list[Any]]) -> dict[str, str]:
    """The column of each field, each column once; the fields in the order in which they are looked for."""
    found: dict[str, str] = {}
    for target, pattern in PATTERNS:
        fitting = [
            column
            for column in columns
            if column not in found.values()
            and any(re.fullmatch(pattern, words) for words in _names_of(column, target))
            and _fits(target, values[column])
        ]
        if fitting:
            # The one that is filled most often; of those an exact "ticket id" before a bare "id". A length of
            # time whose unit is known is surer than one that is there more often.
            found[target] = max(
                fitting, key=lambda c: (_has_unit(target, c), len(values[c]), _sureness(target, c))
            )
    _find_start(columns, values, found)
    return found


def _sureness(target: str, column: str) -> int:
    words = _words(column)
    if target == "customer_id":
        return 2 if re.search(r"\bid$", words) else 1 if "mail" in words else 0
    if target == "interaction_id":
        return 2 if re.search(r"\w id$", words) else int(words == "id")
    return int(len(words) > 3)


def _has_unit(target: str, column: str) -> bool:
    words = _words(column)
    return target.endswith("_seconds") and bool(_UNITS.search(words)) and "business" not in words


_UNITS = re.compile(r"\b(s|secs?|seconds|ms|millis|milliseconds|mins?|minutes|h|hrs?|hours)\b")


def _find_start(columns: Sequence[str], values: dict[str, list[Any]], found: dict[str, str]) -> None:
    """Where no column is named like a number or a beginning: the first unique id, the first that holds times."""
    free = [column for column in columns if column not in found.values() and values[column]]
    if "interaction_id" not in found:
        ids = [c for c in free if re.search(r"\bid$", _words(c)) and _fits("interaction_id", values[c])]
        # A number that some rows share is one all the same where it is called so: exports repeat records.
        named = [c for c in free if re.fullmatch(PATTERNS[0][1], _words(c)) and not _is_shared(values[c])]
        found.update({"interaction_id": (ids or named)[0]} if ids or named else {})
    if "started_at" not in found:
        # A moment that is called the first response is the earliest that such a file knows.
        lengths = {found.get(target) for target in ("first_response_seconds", "resolution_seconds")}
        times = [c for c in columns if values[c] and (c in free or c in lengths) and "birth" not in _words(c)]
        times = [c for c in times if all(map(_is_moment, values[c][:100]))][:1]
        for target in [key for key, column in found.items() if column in times]:
            del found[target]
        found.update({"started_at": times[0]} if times else {})


def _is_shared(values: Sequence[Any]) -> bool:
    return len({str(v) for v in values}) <= len(values) / 2


def _is_moment(value: Any) -> bool:
    """Whether a value is a day with a time of that day."""
    return isinstance(value, str) and re.search(r"\d:\d\d", value) is not None and _is_time(value)


def _names_of(column: str, target: str) -> list[str]:
    """The names under which a column is looked for: in JSON with the key above, and alone."""
    above, _, last = column.rpartition(".")
    if not above:
        return [_words(column)]
    whole = _words(f"{above.rpartition('.')[2]} {last}")
    # The id of something inside a record is not the record's, nor an agent's address the customer's.
    is_of_other = target == "customer_id" and _OURS.search(_words(above.rpartition(".")[2]))
    return [whole] if target == "interaction_id" or is_of_other else [whole, _words(last)]


_OURS = re.compile(r"\b(assignee|agent|owner|operator|responder|employee|staff|teammate|admin|seller|rep)\b")


def _words(name: str) -> str:
    """A column's name as words: `createdAt`, `created_at` and `Created At` are alike."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"^(?:hs|hubspot)_", "", name))
    return re.sub(r"[^\w]+|_", " ", spaced).strip().casefold()


def _fits(target: str, values: list[Any]) -> bool:
    sample = values[:100]
    if target in ("started_at", "ended_at"):
        return not sample or sum(_is_time(v) for v in sample) > len(sample) / 2
    if target.endswith("_seconds"):
        # What is called a length of time may be the moment when it ended.
        is_end = target in ("first_response_seconds", "resolution_seconds")
        fits = sum(_is_length(v) or (is_end and _is_moment(v)) for v in sample)
        return not sample or fits > len(sample) / 2
    if target == "order.amount":
        return not sample or sum(_is_number(v) for v in sample) > len(sample) / 2
    if target == "interaction_id":
        return len({str(v) for v in values}) > len(values) * 0.9
    if target in KNOWN_WORDS:
        return len({str(v) for v in values}) <= 20
    return not any(isinstance(v, (dict, list)) for v in sample) or target == "tags"


def _is_time(value: Any) -> bool:
    return any(_reads_as_time(value, order) for order in ("dmy", "mdy"))


def _reads_as_time(value: Any, order: str) -> bool:
    try:
        return to_time(value, Rule("started_at", "time", order=order))[0] is not None
    except UnclearError:
        return False


_LENGTH = re.compile(r"[\d.,:]+ ?[a-z]{0,8}|\d+ ?d(ays?)?[ ,]*[\d:]+", re.IGNORECASE)


def _is_length(value: Any) -> bool:
    text = str(value).strip()
    # A clock of the day is no length of time, nor is a moment.
    if not _LENGTH.fullmatch(text) or re.search(r"\d ?[ap]\.?m", text, re.IGNORECASE):
        return False
    try:
        return to_seconds(value, "") is not None
    except UnclearError:
        return False


def _is_number(value: Any) -> bool:
    try:
        to_decimal(value)
    except UnclearError:
        return False
    return True


def _to_lines(seen: Seen, name: str) -> Iterator[str]:
    found = match_columns(seen.columns, seen.values)
    text = found.pop("text", None)
    yield "# A first mapping, made by looking at the file; finish it and use it with --mapping."
    yield "# What is marked with ??? could not be told. What is not named here is kept under `extra`."
    yield f"name = {_quoted(re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-') or 'mapped')}"
    if seen.layout:
        yield from ("", "[layout]", *(f"{key} = {_quoted(value)}" for key, value in seen.layout.items()))
    yield from _time_lines(found, seen)
    yield from _constant_lines(found, seen)
    yield from ("", "[fields]")
    clock = _clock_beside(found, seen)
    yield from _field_lines(found, seen, clock)
    yield from _message_lines(text, seen)
    used = {*found.values(), text, clock}
    rest = [column for column in seen.columns if column not in used]
    if rest:
        yield from ("", "# Kept under `extra`:", *(f"#   {_quoted(column)}" for column in rest))


def _clock_beside(found: dict[str, str], seen: Seen) -> str | None:
    """The column with the time of the day, where the beginning's column holds days only."""
    start = found.get("started_at")
    if start is None or any(":" in str(value) for value in seen.values[start]):
        return None
    free = [c for c in seen.columns if c not in found.values() and seen.values[c] and "time" in _words(c)]
    return next(
        (c for c in free if all(_CLOCK_OF_DAY.fullmatch(str(v).strip()) for v in seen.values[c])), None
    )


_CLOCK_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2})?( ?[ap]\.?m\.?)?", re.IGNORECASE)


def _time_lines(found: dict[str, str], seen: Seen) -> Iterator[str]:
    texts = [v for f in ("started_at", "ended_at") if f in found for v in seen.values[found[f]]]
    yield from ("", "[times]")
    if texts and all(_has_offset(v) for v in texts):
        yield "# Times carry their offset."
    else:
        yield '# zone = "Asia/Kolkata"   # ??? the zone of times without an offset (or say --tz)'
    if any(re.match(r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d", str(v)) for v in texts):
        orders = [o for o in ("dmy", "mdy") if all(_reads_as_time(v, o) for v in texts)]
        if len(orders) == 1:
            yield f"order = {_quoted(orders[0])}"
        else:
            yield '# order = "dmy"   # ??? dmy or mdy: the dates seen can be read both ways'


def _has_offset(value: Any) -> bool:
    try:
        text = to_time(value, Rule("started_at", "time", order="dmy"))[0]
    except UnclearError:
        return True  # what is no time at all says nothing about zones
    return text is None or bool(re.search(r"(Z|[+-]\d\d:\d\d)$", text))


def _constant_lines(found: dict[str, str], seen: Seen) -> Iterator[str]:
    constants = []
    if "channel" not in found:
        phone = {"talk_seconds", "wait_seconds"} & set(found)
        guess = (
            "phone" if phone else "chat" if seen.lists else "in_store" if "order.amount" in found else "email"
        )
        constants.append(f"channel = {_quoted(guess)}   # ??? phone, email, chat or in_store")
    if "satisfaction.score" in found:
        scale = _scale_of(seen.values[found["satisfaction.score"]])
        constants.append(
            f'"satisfaction.scale" = {_quoted(scale)}   # ??? csat_5, nps_10, ces_7, thumbs or percent'
        )
    if "order.amount" in found and "order.currency" not in found:
        constants.append('# "order.currency" = "INR"   # ??? ISO 4217')
    if constants:
        yield from ("", "[constants]", *constants)


def _scale_of(values: Sequence[Any]) -> str:
    numbers = [float(to_decimal(v)) for v in values if _is_number(v)]
    if not numbers:
        return _scale_of_words(_few_words(values))
    most = max(numbers, default=5)
    if most > 10:
        return "percent"
    return "nps_10" if most > 7 or 0 in numbers else "ces_7" if most > 5 else "csat_5"


def _field_lines(found: dict[str, str], seen: Seen, clock: str | None) -> Iterator[str]:
    for needed in ("interaction_id", "started_at"):
        if needed not in found:
            yield f'# {needed} = "..."   # ??? no column looks like it, and it is needed'
    for target, column in found.items():
        key = _quoted(target) if "." in target else target
        values = seen.values[column]
        if target == "satisfaction.score" and not any(map(_is_number, values)):
            yield _score_line(key, column, values)
        elif target == "interaction_id" and not _fits(target, values):
            yield f"{key} = {_quoted(column)}   # ??? several rows have the same"
        elif target == "started_at" and clock is not None:
            yield f"{key} = {{ join = [{_quoted(column)}, {_quoted(clock)}] }}"
        elif target in ("first_response_seconds", "resolution_seconds") and _is_moment(
            next(iter(values), None)
        ):
            yield f"{key} = {{ between = [{_quoted(found.get('started_at', '???'))}, {_quoted(column)}] }}"
        else:
            yield f"{key} = {_rule_text(target, column, values)}"


def _score_line(key: str, column: str, values: Iterable[Any]) -> str:
    """The rule for answers in words; a comment where not all of them are known."""
    words = _few_words(values)
    absent = [word for word in words if word.casefold() in NO_ANSWERS]
    known = SCORE_WORDS[_scale_of_words(words)]
    pairs = [(w, known.get(w.casefold())) for w in words if w not in absent]
    told = ", ".join(f"{_quoted(word)} = {score or 0}" for word, score in pairs)
    rule = f"from = {_quoted(column)}, values = {{ {told} }}"
    if absent:
        rule += f", absent = [{', '.join(map(_quoted, absent))}]"
    if all(score is not None for _, score in pairs):
        return f"{key} = {{ {rule} }}"
    return f"# {key} = {{ {rule} }}   # ??? which score each word is"


def _scale_of_words(words: Iterable[str]) -> str:
    known = {word.casefold() for word in words} - NO_ANSWERS
    return "thumbs" if known and known <= SCORE_WORDS["thumbs"].keys() else "csat_5"


def _few_words(values: Iterable[Any]) -> list[str]:
    return sorted({str(v).strip() for v in values if len(str(v)) <= 30})[:20]


def _rule_text(target: str, column: str, values: list[Any]) -> str:
    if target in KNOWN_WORDS:
        known = KNOWN_WORDS[target]
        words = _few_words(values)
        pairs = [f"{_quoted(w)} = {_quoted(_meaning(w, known) or _nothing(target))}" for w in words]
        doubt = "   # ???" if any(w.casefold() not in known for w in words) else ""
        return f"{{ from = {_quoted(column)}, values = {{ {', '.join(pairs)} }} }}{doubt}"
    if target.endswith("_seconds"):
        unit = _unit_of(column, values)
        doubt = "   # ??? or hm" if unit == "hms" and not any(str(v).count(":") == 2 for v in values) else ""
        return f"{{ from = {_quoted(column)}, unit = {_quoted(unit)} }}{doubt}"
    if target == "tags" and not any(isinstance(v, list) for v in values):
        split = Counter(mark for v in values for mark in ";,|" if mark in str(v)).most_common(1)
        return f"{{ from = {_quoted(column)}, split = {_quoted(split[0][0] if split else ',')} }}"
    if target in ("notes", "subject") and any(re.search(r"</?(p|br|div)\b", str(v)) for v in values):
        return f"{{ from = {_quoted(column)}, html = true }}"
    return _quoted(column)


def _meaning(word: str, known: dict[str, str]) -> str | None:
    """What a word means, or the longest known one in it (`Phone call (incoming)`)."""
    text = word.casefold()
    inside = [key for key in known if len(key) > 2 and re.search(rf"(?<!\w){re.escape(key)}(?!\w)", text)]
    return known.get(text) or known.get(max(inside, key=len, default=""))


def _nothing(target: str) -> str:
    return {"channel": "email", "direction": "unknown", "status": "unknown"}[target]


def _unit_of(column: str, values: list[Any]) -> str:
    if any(":" in str(v) for v in values):
        return (
            "hms"
            if any(str(v).count(":") == 2 for v in values)
            else "hm"
            if "hr" in column.casefold()
            else "hms"
        )
    words = _words(column)
    if column.endswith("hs_call_duration") or re.search(r"\b(ms|milliseconds|millis)\b", words):
        return "ms"
    if re.search(r"\b(min|mins|minutes)\b", words):
        return "min"
    return "h" if re.search(r"\b(h|hr|hrs|hours)\b", words) else "s"


def _message_lines(text: str | None, seen: Seen) -> Iterator[str]:
    if text is not None:
        yield from ("", "[[messages]]", 'speaker = "customer"   # ???', _text_rule(text, seen.values[text]))
    for path, items in seen.lists.items():
        inner = Seen()
        for item in items[:MOST_RECORDS]:
            _see_leaves(item, "", inner, 0)
        found = match_columns(inner.columns, inner.values)
        body = found.get("text") or found.get("notes")
        if body is None:
            continue
        yield from ("", "[[messages]]", f"each = {_quoted(path)}", _text_rule(body, inner.values[body]))
        who = next(
            (c for c in inner.columns if re.search(r"(role|author|sender|speaker|from|type)", c.casefold())),
            None,
        )
        words = sorted({str(v) for v in inner.values.get(who or "", []) if len(str(v)) <= 30})[:10]
        way = next(
            (c for c in inner.columns if _WAY.fullmatch(_words(c)) and _are_booleans(inner.values[c])), None
        )
        if way is not None:
            yes, no = ("agent", "customer") if "out" in _words(way) else ("customer", "agent")
            rule = f'from = {_quoted(way)}, values = {{ "true" = "{yes}", "false" = "{no}" }}'
            yield f"speaker = {{ {rule} }}"
        elif who is not None and words:
            pairs = ", ".join(f"{_quoted(w)} = {_quoted(_speaker_of(w))}" for w in words)
            rule = f'from = {_quoted(who)}, values = {{ {pairs} }}, otherwise = "agent"'
            yield f"speaker = {{ {rule} }}   # ???"
        else:
            yield 'speaker = "customer"   # ???'
        if "started_at" in found:
            yield f"at = {_quoted(found['started_at'])}"


def _text_rule(column: str, values: Iterable[Any]) -> str:
    html = any(re.search(r"</?(p|br|div)\b", str(v)) for v in values)
    return "text = " + (f"{{ from = {_quoted(column)}, html = true }}" if html else _quoted(column))


_WAY = re.compile(r"(is )?(incoming|inbound|outgoing|outbound)|(is )?from (customer|contact|user|visitor)")


def _are_booleans(values: Iterable[Any]) -> bool:
    found = list(values)
    return bool(found) and all(isinstance(value, bool) for value in found)


def _speaker_of(word: str) -> str:
    text = word.casefold()
    if re.search(r"customer|user|visitor|client|contact|requester|lead|buyer|guest", text):
        return "customer"
    return "bot" if "bot" in text or "auto" in text else "system" if "system" in text else "agent"


def _quoted(text: str) -> str:
    """A text as TOML writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'

"""Answers to surveys: the CSV (or TSV) exports of Qualtrics and SurveyMonkey, with all their header rows.

An answer is no interaction: it is joined to one (`carelog.sources.surveys`, `--surveys F --on KEY`). Read by
itself it becomes a record that lacks a channel, which `--channel` can say.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.cells import from_cell
from carelog.sources.clocks import load_zone
from carelog.sources.filling import add_record, put_aside
from carelog.sources.formats._mapping import Rule
from carelog.sources.formats._mapping_values import UnclearError, plain, to_time
from carelog.sources.formats._survey_scores import find_score, guess_scales
from carelog.sources.formats.delimited import parse_cells, read_table
from carelog.sources.lines import file_finding
from carelog.sources.streams import Opened
from carelog.sources.structure import DELIMITERS

QUALTRICS, SURVEYMONKEY = "qualtrics", "surveymonkey"
_QUALTRICS_MARKS = (
    {"responseid", "recordeddate"},
    {"responseid", "startdate", "finished"},
    {"responseid", "v8"},
    # Without the number of the answer, as anonymous exports are.
    {"startdate", "enddate", "recordeddate"},
    {"startdate", "enddate", "finished", "progress"},
)
_SURVEYMONKEY_MARKS = {"respondent id", "collector id"}
_REAL = frozenset({"0", "ip address", "16", "offline", "17", "imported", "4", "", "anonymous"})
_FIELDS = {
    "id": ("responseid", "respondent id", "id", "response id"),
    "start": ("startdate", "start date", "date created", "created at", "timestamp", "date"),
    "end": ("enddate", "end date", "recordeddate"),
    "customer": ("externalreference", "external data reference", "recipientemail", "email address", "email"),
    "language": ("userlanguage", "q language", "language"),
    "reference": ("externalreference", "external data reference", "custom data 1", "custom data"),
    "status": ("status", "response type"),
    "finished": ("finished", "progress"),
}
_UNJOINED = Fault(
    "survey_alone",
    "answers to a survey belong to interactions: read those, with --surveys and this file and --on"
    " interaction_id=COLUMN (the column that holds their number); to read the answers by themselves, say"
    " --channel phone (or email, chat)",
)
_OWN = re.compile(
    r"(responseid|responseset|name|externaldatareference|recipient.*|.*ipaddress|.*ip address|status|start ?date|"
    r"end ?date|finished|recordeddate|progress|duration.*|location.*|distributionchannel|userlanguage|q language|"
    r"respondent id|collector id|date (created|modified)|(email|e-mail) address|first name|last name|custom data.*|"
    r"external.*reference|id|.*[ _]id|v\d{1,2})"
)
"""Columns of the systems themselves, which hold no answer."""
_LEAST_WORDS = 3


@dataclass(slots=True)
class Columns:
    """The columns of a survey: `names` as the first row has them (choices put after their question), `texts`
    the questions, `free` those that hold free text, `zone` that of all times, `scales` of the columns with a
    score. `has_ids` says that a row of import ids told what each column is.
    """

    names: tuple[str, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)
    zone: str | None = None
    scales: dict[str, str] = field(default_factory=dict)
    has_ids: bool = False

    def find(self, what: str) -> str | None:
        """The column that holds the id, the start, …"""
        wanted = _FIELDS[what]
        return min(
            (n for n in self.names if key_of(n) in wanted),
            key=lambda n: wanted.index(key_of(n)),
            default=None,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its cells by column, where it stood, and why it is none (then `fault`)."""

    cells: dict[str, str]
    columns: Columns
    line: int
    offset: int
    raw: bytes
    fault: Fault | None = None


def key_of(name: str) -> str:
    """A column's name as it is compared."""
    return re.sub(r"[\s_]+", " ", name.strip("\ufeff \t\r\n")).casefold()


def detect_qualtrics(head: bytes, name: str) -> str | None:
    """Whether a table is a survey of Qualtrics: by its columns, or by its row of import ids."""
    names = {key_of(cell) for cell in _first_cells(head)}
    if len(names) < 2 or "interaction id" in names:
        return None
    if b'""ImportId"":' in head or b'{"ImportId":' in head:
        return "it has Qualtrics' row of import ids"
    for marks in _QUALTRICS_MARKS:
        if marks <= names:
            return f"its header names {', '.join(sorted(marks))}"
    return None


def detect_surveymonkey(head: bytes, name: str) -> str | None:
    """Whether a table is a survey of SurveyMonkey, by its columns."""
    names = {key_of(cell) for cell in _first_cells(head)}
    if names >= _SURVEYMONKEY_MARKS:
        return "its header names Respondent ID and Collector ID"
    return None


def _first_cells(head: bytes) -> list[str]:
    if head[:1] in (b"{", b"[", b"<", b"\0"):
        return []
    line = head.lstrip(b"\r\n").split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
    try:
        return next(csv.reader([line], delimiter=_delimiter(line)), [])
    except csv.Error:
        return []


def _delimiter(line: str) -> str:
    outside = re.sub(r'"[^"]*"', "", line)
    return max("".join(DELIMITERS.values()), key=outside.count)


def read_answers(opened: Opened, options: ReadOptions) -> Iterator[Answer]:
    """The answers of a survey of any of the layouts, in order; header rows are told by what they hold."""
    first = opened.head.lstrip(b"\r\n").split(b"\n", 1)[0].decode("utf-8", "replace")
    columns: Columns | None = None
    waiting: list[Answer] = []
    for part in read_table(opened, options, "csv", delimiter=_delimiter(first)):
        if not isinstance(part, Chunk):
            for reject in part.rejects:
                found = reject.findings[0]
                lost = Fault(found.keyword, found.message)
                yield Answer({}, Columns(), reject.line or 0, reject.byte_offset or 0, b"", lost)
            continue
        if columns is None:
            columns = Columns(part.columns)
        for index, (start, end) in enumerate(part.spans or []):
            raw = part.data[start:end].rstrip(b"\r\n")
            cells, fault = parse_cells(raw, part, part.faults.get(index))
            line, offset = part.first_line + index, part.first_offset + start
            if fault is None and (not cells or (line <= 4 and _take_header(columns, cells, line))):
                continue
            values: dict[str, str] = (
                {} if fault else dict(zip(columns.names, map(from_cell, cells), strict=True))
            )
            waiting.append(Answer(values, columns, line, offset, raw, fault))
        # The scales are guessed from the answers of the first chunk.
        rows = [answer.cells for answer in waiting]
        columns.scales = columns.scales or guess_scales(columns.names, columns.texts, rows)
        if not columns.has_ids:
            columns.free |= set(_guess_free(columns, rows))
        yield from waiting
        waiting = []


def _take_header(columns: Columns, cells: list[str], line: int) -> bool:
    """Whether a row is one more row of the header; what it says goes to the columns."""
    if any('"ImportId"' in cell for cell in cells):
        columns.has_ids = True
        for name, cell in zip(columns.names, cells, strict=True):
            _take_import_id(columns, name, cell)
        return True
    if line > 3:
        return False
    id_place = next((n for n, name in enumerate(columns.names) if key_of(name) in _FIELDS["id"]), None)
    if id_place is None:
        return False
    if not cells[id_place].strip():
        _take_choices(columns, cells)
        return True
    is_question = line == 2 and not re.fullmatch(r"(R_\w+|\d+)", cells[id_place].strip())
    if is_question:
        columns.texts.update(zip(columns.names, cells, strict=True))
    return is_question


def _take_import_id(columns: Columns, name: str, cell: str) -> None:
    try:
        value = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return
    if not isinstance(value, dict):
        return
    if str(value.get("ImportId", "")).endswith("_TEXT"):
        columns.free.add(name)
    zone = value.get("timeZone")
    if isinstance(zone, str) and columns.zone is None:
        zone = "UTC" if zone == "Z" else zone
        try:
            load_zone(zone)
        except (KeyError, ValueError, OSError):
            return
        columns.zone = zone


def _guess_free(columns: Columns, rows: list[dict[str, str]]) -> Iterator[str]:
    """The columns whose cells are sentences, nearly each its own: people wrote them."""
    for name in columns.names:
        cells = [text for row in rows if (text := row.get(name, "").strip())]
        if not cells or name in columns.scales or " | " in name or _OWN.fullmatch(key_of(name)):
            continue
        long = sum(len(re.findall(r"\w+", text)) >= _LEAST_WORDS or len(text) > 40 for text in cells)
        if 2 * long > len(cells) and len(set(cells)) > 0.8 * len(cells):
            yield name


def _take_choices(columns: Columns, cells: list[str]) -> None:
    """SurveyMonkey's second row: the choices of a question stand in the columns after it."""
    names, question = [], ""
    for name, cell in zip(columns.names, cells, strict=True):
        question = question if re.fullmatch(r"column_\d+", name) else name
        choice = cell.strip()
        is_own = question == name and choice in ("", "Response", "Open-Ended Response")
        full = question if is_own else f"{question} | {choice or name}"
        names.append(full if full not in names else f"{full} ({name})")
        columns.texts[names[-1]] = question
        if choice.startswith(("Open-Ended", "Other (")):
            columns.free.add(names[-1])
    columns.names = tuple(names)


def read_survey(format_name: str, opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The answers of a survey as records."""
    finding = file_finding(opened.name, _UNJOINED, "warning")
    yield Block(opened.name, format_name, findings=[finding])
    block = Block(opened.name, format_name)
    for answer in read_answers(opened, options):
        fault = answer.fault or check_real(answer)
        if fault is not None:
            put_aside(block, answer.line, answer.offset, answer.raw, fault)
        else:
            value = to_record(answer, format_name, options)
            value["source"] |= {"file": opened.name, "line": answer.line}
            add_record(block, value, answer.line, answer.offset, answer.raw, options.zone)
        if block.read >= 1000:
            yield block
            block = Block(opened.name, format_name)
    yield block


def check_real(answer: Answer) -> Fault | None:
    """Why an answer is no customer's: a preview, a test, spam."""
    name = answer.columns.find("status")
    status = answer.cells.get(name or "", "").strip().casefold()
    if "respondent id" in map(key_of, answer.columns.names) or status in _REAL or not status:
        return None
    if status.isdecimal() or any(word in status for word in ("preview", "test", "spam")):
        return Fault("not_an_answer", "this is a preview, a test or spam, not a customer's answer")
    return None


def to_record(answer: Answer, format_name: str, options: ReadOptions) -> dict[str, Any]:
    """An answer as a record (without a channel); cells without a home go under `extra`."""
    columns = answer.columns
    value: dict[str, Any] = {}
    used: set[str] = set()
    for what, field_name in (("id", "interaction_id"), ("start", "started_at"), ("end", "ended_at"),
                             ("customer", "customer_id"), ("language", "language")):  # fmt: skip
        name = columns.find(what)
        cell = None if name is None else plain(answer.cells.get(name, ""))
        if name is None or cell is None:
            continue
        found = _as_time(cell, format_name, columns, options) if what in ("start", "end") else cell
        if what == "language":
            found = found.lower() if re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,4})?", found) else None
        if found is not None:
            used.add(name)
            value[field_name] = found.replace("_", "-") if what == "language" else found
    if "interaction_id" not in value:
        value["interaction_id"] = f"{format_name}-{hashlib.sha256(answer.raw).hexdigest()[:20]}"
    finished = answer.cells.get(columns.find("finished") or "", "").strip().casefold()
    if finished in ("true", "1", "100", "yes", "wahr", "vrai"):
        value["status"] = "completed"
    score, name = find_score(answer.cells, columns.scales)
    if score is not None:
        value["satisfaction"] = score
    messages = [
        answer.cells[n] for n in columns.names if n in columns.free and answer.cells.get(n, "").strip()
    ]
    if messages:
        value["messages"] = [{"speaker": "customer", "text": text} for text in messages]
    value["extra"] = to_leaves(answer, used)
    value["source"] = {"system": format_name, "format": format_name}
    value["source"]["record_id"] = value["interaction_id"]
    return value


def to_leaves(answer: Answer, used: set[str]) -> dict[str, Any]:
    """The cells of an answer that say something, and the questions they answer."""
    cells = {n: c for n, c in answer.cells.items() if c.strip() and n not in used}
    texts = {n: t for n in cells if (t := answer.columns.texts.get(n, "").strip()) and key_of(t) != key_of(n)}
    return {**cells, **({"questions": texts} if texts else {})}


def _as_time(cell: str, format_name: str, columns: Columns, options: ReadOptions) -> str:
    order = options.date_order or ("mdy" if format_name == SURVEYMONKEY else "")
    try:
        return to_time(cell, Rule("started_at", "time", zone=columns.zone, order=order))[0] or cell
    except UnclearError:
        return cell


def with_scales(answer: Answer, scales: dict[str, str]) -> Answer:
    """An answer whose scores stand in the columns that the user named."""
    return replace(answer, columns=replace(answer.columns, scales=scales))

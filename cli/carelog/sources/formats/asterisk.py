"""Call records of Asterisk and FreePBX: `Master.csv` (either order of columns, no header), the FreePBX report
(with header), tables of the CDR database with header or without, JSON, and the reports of panels built on Asterisk
(`_cdr_columns` knows their columns).

A call leaves one row for each leg (transfer, ring-all, queue attempt); rows of one `linkedid` (else
`uniqueid`) are one interaction. No direction is written: it is told from the context, the dialled number, the
devices and the lengths of the numbers. Times are those of the server's clock without offset; `--tz` says the zone.
Without it, the offset is what lies between the local time and the epoch in `uniqueid`, if that is one.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.clocks import with_offset
from carelog.sources.filling import put_aside
from carelog.sources.formats._cdr_columns import UNIQUE_ID, columns_of_row, is_cdr, result_of, to_names
from carelog.sources.formats._documents import first_keys, read_records, take_apart
from carelog.sources.formats._legs import (
    Gathering,
    Leg,
    add_interaction,
    once_each,
    open_gathering,
    parse_groups,
    to_chunks,
)
from carelog.sources.formats._table_rows import (
    Row,
    columns_of,
    read_rows,
    split_row,
    to_name,
    to_seconds,
)
from carelog.sources.lines import read_lines, reject_long
from carelog.sources.streams import Opened

NAME = "asterisk_cdr"
WRAPPERS = ("data", "rows", "records", "cdr", "cdrs", "result", "results")
_INBOUND = re.compile(
    r"^from-(trunk|pstn|did|sip-external|dahdi|zaptel|analog|gsm|gateway|external|outside|provider|carrier|isdn)"
    r"|ext-did|incoming|inbound|^(?!to|out).*(pstn|trunk|[-_]in)$",
    re.IGNORECASE,
)
_OUTBOUND = re.compile(r"(outbound|outgoing|macro-dialout)", re.IGNORECASE)
_LABEL = frozenset(["s", "t", "i", "h"])
_EXTENSION = re.compile(r"\+?\d{1,6}")
_CHANNEL = re.compile(r"[A-Za-z0-9]+/([^/@]+?)(?:@[^-]*)?(?:-[0-9a-f]+)?(?:;\d)?$")


def detect_asterisk(head: bytes, name: str) -> str | None:
    """By the columns of its header, or by where the three timestamps stand."""
    if head.lstrip()[:1] in (b"{", b"["):
        is_one = is_cdr(first_keys(head, WRAPPERS)[0])
        return "its objects hold the fields of Asterisk call records" if is_one else None
    if is_cdr(columns_of(head)):
        return "its header names columns of Asterisk call records"
    lines = [line for line in head.split(b"\n")[:20] if line.strip()]
    if len(head) >= 64 * 1024 or len(lines) > 1:
        lines = lines[:-1] if not head.endswith(b"\n") and len(lines) == 20 else lines
    orders = [_columns_of_line(line) for line in lines]
    told = sum(order is not None for order in orders)
    return "three times stand in its rows where Asterisk writes them" if 2 * told > len(orders) else None


def _columns_of_line(line: bytes) -> list[str] | None:
    try:
        text = line.decode("utf-8", "replace").strip("\r\n\0").replace('\\"', '""')
        return columns_of_row(next(csv.reader([text], delimiter=_delimiter_of(line)), []))
    except csv.Error:
        return None


def _delimiter_of(line: bytes) -> str:
    return max(",;\t|", key=lambda mark: line.count(mark.encode()))


def read_asterisk(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The calls of one input, as `read_asterisks` gives them for several."""
    return read_asterisks(iter([opened]), options)


def read_asterisks(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The calls of all inputs; a call whose legs lie in two files (rotated logs) is one."""
    with open_gathering() as gathering:
        for opened in inputs:
            yield from _gather(opened, options, gathering)
        yield from to_chunks(gathering, NAME, options)


def _gather(opened: Opened, options: ReadOptions, gathering: Gathering) -> Iterator[Block]:
    for row in _read_legs(opened, options):
        if isinstance(row, Block):
            yield row
            continue
        # Databases write NULL where nothing is; as an id it would join all calls to one.
        leg = {n: value for n, value in to_names(row.cells).items() if value not in (None, "NULL", "\\N")}
        if not (leg.get("start") or leg.get("calldate")):
            block = Block(opened.name, NAME)
            put_aside(block, row.line, row.offset, row.raw, _NOT_CDR)
            yield block
            continue
        place = Leg(opened.name, row.line, row.offset, row.raw, orjson.dumps(leg))
        gathering.add(leg.get("linkedid") or leg.get("uniqueid") or _hash(leg), place)


_NOT_CDR = Fault("not_cdr", "the row is no call record: the times do not stand where they should")


def _read_legs(opened: Opened, options: ReadOptions) -> Iterator[Row | Block]:
    if opened.head.lstrip()[:1] in (b"{", b"["):
        for part in take_apart(read_records(opened, options, NAME, WRAPPERS), WRAPPERS):
            if isinstance(part, Block):
                yield part
                continue
            piece, _ = part
            cells = {k: str(v) for k, v in piece.value.items() if v not in (None, "")}
            yield Row(piece.line, piece.offset, piece.raw, cells)
    elif is_cdr(columns_of(opened.head)):
        yield from read_rows(opened, options, NAME)
    else:
        yield from _read_bare(opened, options)


def _read_bare(opened: Opened, options: ReadOptions) -> Iterator[Row | Block]:
    """Rows without a header, each by itself: Asterisk writes one a line."""
    stream, offset = opened.utf8()
    delimiter = _delimiter_of(opened.head.lstrip().split(b"\n", 1)[0])
    for lines in read_lines(stream, offset, options.max_line_bytes):
        if lines.length is not None:
            yield reject_long(opened.name, NAME, lines, options.max_line_bytes)
            continue
        place = lines.first_offset
        for number, raw in enumerate(lines.data.split(b"\n"), lines.first_line):
            bare = raw.strip(b"\r\0 ")
            if bare:
                yield from _bare_row(opened.name, number, place, bare, delimiter)
            place += len(raw) + 1


def _bare_row(file: str, line: int, offset: int, raw: bytes, delimiter: str) -> Iterator[Row | Block]:
    block = Block(file, NAME)
    cells = split_row(block, line, offset, raw, delimiter)
    columns = columns_of_row(cells) if cells else None
    if columns is None and b'\\"' in raw:
        # Databases guard a quote in a name with a backslash where Asterisk doubles it.
        cells = split_row(block, line, offset, raw.replace(b'\\"', b'""'), delimiter)
        columns = columns_of_row(cells) if cells else None
    if cells is None or columns is None:
        put_aside(block, line, offset, raw, _NOT_CDR)
    else:
        yield Row(line, offset, raw, {c: v for c, v in zip(columns, cells, strict=False) if v})
    if block.rejects or block.findings:
        yield block


def _hash(leg: dict[str, str]) -> str:
    # Without any id of the system the row itself is the only thing that stays the same from run to run.
    return hashlib.sha256(orjson.dumps(leg, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


def parse_asterisk(chunk: Chunk) -> Block:
    """The calls of a chunk as records."""
    block = Block(chunk.file, NAME)
    for part, legs in parse_groups(chunk)[1]:
        _add_call(block, once_each(legs), part, chunk.options.zone)
    return block


def _add_call(block: Block, legs: Sequence[Leg], part: int, zone: str | None) -> None:
    rows = [leg.load() for leg in legs]
    rows.sort(key=lambda row: (row.get("start") or row.get("calldate", ""), _sequence(row)))
    remarks: list[Fault] = []
    offset = _offset_of_call(rows) if zone is None else None
    spans = [_span(row, zone, offset, remarks) for row in rows]
    first, key = rows[0], rows[0].get("linkedid") or rows[0].get("uniqueid") or _hash(rows[0])
    direction = _direction(rows)
    status, answered = _status(rows, direction)
    began = spans[0][0]
    value: dict[str, Any] = {
        "interaction_id": key[:900] + (f"#{part + 1}" if part else ""),
        "channel": "phone",
        "started_at": began and began[0],
        "ended_at": _latest(spans) if began and began[1] is not None else None,
        "direction": direction,
        "status": status,
        "customer_id": _customer(first, direction),
        "customer_kind": "internal" if direction == "internal" else None,
        "agent_id": _agent(answered or first, direction, status),
        "queue": next((q for q in map(_queue, rows) if q), None),
        "tags": list(dict.fromkeys(row["accountcode"] for row in rows if row.get("accountcode"))),
        "wait_seconds": _wait(rows, spans, answered, status) if direction != "outbound" else None,
        "talk_seconds": _talk(rows, spans, status),
        "extra": {"legs": rows},
    }
    add_interaction(block, legs, "asterisk", value, remarks[:1], zone)


Moment = tuple[str, datetime | None]
Span = tuple[Moment | None, float | None, float | None]
"""The start (as text, and as an instant if its offset is known), seconds of the whole leg, and of talk."""


def _sequence(row: dict[str, Any]) -> int:
    text = row.get("sequence", "")
    return int(text) if text.isdecimal() and len(text) < 18 else 0


def _offset_of_call(rows: Sequence[dict[str, Any]]) -> int | None:
    """The offset that the id of any leg tells: those of legs that begin late do not tell theirs."""
    for row in rows:
        local = _read_start(row)[0]
        for name in ("uniqueid", "linkedid"):
            offset = None if local is None else _offset_by_id(local, row.get(name, ""))
            if offset is not None:
                return offset
    return None


def _read_start(row: dict[str, Any]) -> tuple[datetime | None, int | None]:
    """The local time at which a leg began, and its offset in minutes where one is written."""
    text = row.get("start") or row.get("calldate", "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None, None
    if len(text) <= len("2026-01-01"):
        return None, None
    offset = moment.utcoffset()
    return moment.replace(tzinfo=None), None if offset is None else round(offset.total_seconds() / 60)


def _span(row: dict[str, Any], zone: str | None, known: int | None, remarks: list[Fault]) -> Span:
    local, own = _read_start(row)
    duration, billed = to_seconds(row.get("duration")), to_seconds(row.get("billsec"))
    if local is None or not 1900 <= local.year < 3000:
        return None, duration, billed
    written, remark = (
        (_written(local, own), None) if own is not None else _place_clock(local, row, zone, known)
    )
    if remark is not None:
        remarks.append(remark)
    moment = datetime.fromisoformat(written)
    return (written, moment if moment.tzinfo else None), duration, billed


def _place_clock(
    local: datetime, row: dict[str, Any], zone: str | None, known: int | None
) -> tuple[str, Fault | None]:
    """The local time with its offset: that of its id, else that of the call; where none is known, without."""
    offset = _offset_by_id(local, row.get("uniqueid", ""))
    if zone is None:
        offset = known if offset is None else offset
        return (_written(local, offset), None) if offset is not None else (local.isoformat(), None)
    text, remark = with_offset(local, zone)
    if offset is None:
        return text, remark
    by_id = _written(local, offset)
    if remark is not None and remark.keyword == "clock_fold":
        # The id tells which of the two times it was.
        later = local.replace(tzinfo=datetime.fromisoformat(text).tzinfo) - datetime.fromisoformat(by_id)
        return (by_id, None) if later in (timedelta(0), -timedelta(hours=1)) else (text, remark)
    if remark is None and by_id != text:
        doubt = f"uniqueid says an offset of {_minutes_text(offset)} from UTC, --tz another; --tz was taken"
        return text, Fault("offset_doubtful", doubt, "/started_at")
    return text, remark


def _offset_by_id(local: datetime, unique: str) -> int | None:
    """Minutes from UTC, by the epoch in a uniqueid; None if that does not fit any offset."""
    found = UNIQUE_ID.fullmatch(unique)
    if found is None:
        return None
    seconds = local.replace(tzinfo=UTC).timestamp() - int(found[1])
    minutes = round(seconds / 900) * 15
    # The id is made when the channel is, at most moments before the record starts.
    return minutes if -720 <= minutes <= 840 and abs(seconds - minutes * 60) <= 60 else None


def _written(local: datetime, minutes: int) -> str:
    return local.isoformat() + ("Z" if minutes == 0 else _minutes_text(minutes))


def _minutes_text(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _latest(spans: Sequence[Span]) -> str | None:
    ends = [m[1] + timedelta(seconds=d) for m, d, _ in spans if m and m[1] and d is not None]
    return max(ends).isoformat().replace("+00:00", "Z") if ends else None


def _direction(rows: Sequence[dict[str, Any]]) -> str:
    first = rows[0]
    told = {row.get("calltype", "").lower() for row in rows} & {"inbound", "outbound", "internal"}
    if len(told) == 1:
        return str(told.pop())
    if any(row.get("did") for row in rows) or any(_INBOUND.search(row.get("dcontext", "")) for row in rows):
        return "inbound"
    src, dst = first.get("src", ""), first.get("dst", "")
    is_inside, is_far = _is_inside(src, first), _is_number(dst)
    if (is_inside and is_far) or _OUTBOUND.search(first.get("dcontext", "")):
        return "outbound"
    if is_inside and (dst in _LABEL or _EXTENSION.fullmatch(dst)):
        return "internal"
    if _is_number(src) and not is_far:
        return "inbound"
    return "unknown"


def _is_inside(src: str, row: dict[str, Any]) -> bool:
    """Whether the caller is a phone of the house: a short number, or the name of the device itself."""
    is_named = src and not _is_number(src) and _extension(row.get("channel", "")) == src
    return bool(is_named) or _EXTENSION.fullmatch(src) is not None


def _is_number(text: str) -> bool:
    digits = re.sub(r"[\s()+.-]", "", text)
    return len(digits) > 6 and digits.isdigit()


def _status(rows: Sequence[dict[str, Any]], direction: str) -> tuple[str, dict[str, Any] | None]:
    """How the call ended, and the leg in which a person answered, if any."""
    answered = [r for r in rows if result_of(r) == "ANSWERED"]
    spoken = [r for r in answered if r.get("dstchannel") and not _is_voicemail(r)]
    if spoken:
        return "completed", spoken[-1]
    if any(map(_is_voicemail, answered)):
        return "voicemail", None
    if any(map(_queue, rows)):
        return "abandoned", None
    if answered and not any(row.get("dstchannel") for row in rows):
        return "completed", None
    # Where the dialplan answers and then rings people in vain, nobody was reached.
    found = {result_of(row) for row in rows}
    if found & {"NO ANSWER", "BUSY", "CANCEL"}:
        return ("abandoned" if found == {"CANCEL"} and direction == "inbound" else "missed"), None
    return ("failed" if found & {"FAILED", "CONGESTION"} else "unknown"), None


def _is_voicemail(row: dict[str, Any]) -> bool:
    is_box = re.fullmatch(r"vm[a-z]?\d+", row.get("dst", "")) is not None
    return is_box or row.get("lastapp", "").lower() in ("voicemail", "minivmrecord")


def _queue(row: dict[str, Any]) -> str | None:
    if row.get("lastapp", "").lower() != "queue":
        return None
    return to_name(re.split(r"[,|]", row.get("lastdata", ""))[0])


def _customer(first: dict[str, Any], direction: str) -> str | None:
    found = to_name(first.get("dst" if direction == "outbound" else "src"))
    if found is None and direction != "outbound":
        number = re.search(r"<([^<>]*)>", first.get("clid", ""))
        found = to_name(number[1]) if number else None
    return None if (found or "").lower() in _NO_CALLER or found in _LABEL else found


_NO_CALLER = frozenset({"anonymous", "restricted", "unavailable", "private", "asterisk"})


def _agent(row: dict[str, Any], direction: str, status: str) -> str | None:
    """The extension that spoke: the called one of a call that came in, else the calling one."""
    if direction == "outbound":
        return to_name(row.get("src")) or _extension(row.get("channel", ""))
    return _extension(row.get("dstchannel", "")) if status == "completed" else None


def _extension(channel: str) -> str | None:
    found = _CHANNEL.match(channel)
    return to_name(found[1]) if found else None


def _wait(
    rows: Sequence[dict[str, Any]], spans: Sequence[Span], answered: dict[str, Any] | None, status: str
) -> float | None:
    """Seconds until a person answered; of a call given up, until it ended."""
    start = spans[0][0]
    if start is None:
        return None
    if answered is None:
        lengths = [d for _, d, _ in spans if d is not None]
        return max(lengths) if status in ("abandoned", "missed") and lengths else None
    spoken = [n for n, r in enumerate(rows) if r.get("dstchannel") and result_of(r) == "ANSWERED"]
    moment, duration, billed = spans[spoken[0]] if spoken else spans[0]
    if moment is None or duration is None or billed is None or duration < billed:
        return None
    begun = datetime.fromisoformat(moment[0]) - datetime.fromisoformat(start[0])
    return max(0, int(begun.total_seconds())) + duration - billed


def _talk(rows: Sequence[dict[str, Any]], spans: Sequence[Span], status: str) -> float | None:
    """Seconds in which somebody spoke: of legs that overlap (a consultation) each second once."""
    if status != "completed":
        return None if status == "voicemail" else 0 if any(b is not None for _, _, b in spans) else None
    pieces = []
    for row, (moment, duration, billed) in zip(rows, spans, strict=True):
        if result_of(row) == "ANSWERED" and moment and billed is not None:
            end = datetime.fromisoformat(moment[0]) + timedelta(seconds=duration or billed)
            pieces.append((end - timedelta(seconds=billed), end))
    total, reached = timedelta(), None
    for begin, end in sorted(pieces):
        begin = begin if reached is None else max(begin, reached)
        total += max(end - begin, timedelta())
        reached = end if reached is None else max(end, reached)
    seconds = total.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds

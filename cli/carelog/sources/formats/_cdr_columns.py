"""The columns of Asterisk's call records, which no two systems write alike: by their names, with those that the
panels built on Asterisk give them, and without a header by where the times and the result stand.

Orders: cdr/cdr_csv.c, cdr_custom.conf.sample and the database modules of Asterisk, the tables and the report of
FreePBX; names: the manager event Cdr of Asterisk, the reports of Issabel, Grandstream and Yeastar.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from carelog.sources.formats._table_rows import fold_name

_CDR_CSV = [
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start",
    "answer", "end", "duration", "billsec", "disposition", "amaflags",
]  # fmt: skip
_NEW_COLUMNS = ["peeraccount", "linkedid", "sequence"]
_CDR_CUSTOM = [
    "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield",
    "sequence", "linkedid", "peeraccount",
]  # fmt: skip
_DATABASE = [
    "calldate", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "duration",
    "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield", "did", "recordingfile",
    "cnum", "cnam", "outbound_cnum", "outbound_cnam", "dst_cnam", "linkedid", "peeraccount", "sequence",
]  # fmt: skip
_NAMES = {
    "source": "src", "callernumber": "src", "destination": "dst", "calleenumber": "dst",
    "destinationcontext": "dcontext", "context": "dcontext", "callerid": "clid", "sourcechannel": "channel",
    "srcchannel": "channel", "destinationchannel": "dstchannel", "destchannel": "dstchannel",
    "lastapplication": "lastapp", "starttime": "start", "answertime": "answer", "endtime": "end",
    "datetime": "calldate", "date": "calldate", "calltime": "duration", "billableseconds": "billsec",
    "billable": "billsec", "talktime": "billsec", "status": "disposition", "callstatus": "disposition",
    "recordfile": "recordingfile", "didnumber": "did",
}  # fmt: skip
_TELLING = frozenset({"channel", "dstchannel", "dcontext", "lastapp"})
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_SECONDS = re.compile(r"\d{1,7}(\.\d+)?")
UNIQUE_ID = re.compile(r"(?:.*-)?(\d{9,10})\.\d+")
_RESULTS = {
    "ANSWERED": "ANSWERED", "ANSWER": "ANSWERED", "NOANSWER": "NO ANSWER", "BUSY": "BUSY",
    "FAILED": "FAILED", "CONGESTION": "CONGESTION", "CANCEL": "CANCEL", "CANCELED": "CANCEL",
    "CANCELLED": "CANCEL", "CHANUNAVAIL": "FAILED", "UNKNOWN": "UNKNOWN",
    # As bits, as databases hold them that were told to write numbers.
    "1": "FAILED", "2": "BUSY", "4": "NO ANSWER", "8": "ANSWERED", "16": "CONGESTION",
}  # fmt: skip


def result_of(row: dict[str, Any]) -> str:
    """How a leg ended, in Asterisk's words; "" if that is none of them."""
    return _RESULTS.get(re.sub(r"[\s_-]", "", str(row.get("disposition", ""))).upper(), "")


def is_cdr(columns: Iterable[str]) -> bool:
    """Whether these are the names of the columns (or keys) of call records."""
    folded = {fold_name(name) for name in columns}
    if {"disposition", "billsec", "dcontext"} <= folded and folded & {"calldate", "start"}:
        return True
    known = {_NAMES.get(name, name) for name in folded}
    has_call = {"src", "dst", "disposition"} <= known and known & {"duration", "billsec"}
    return bool(has_call and known & {"calldate", "start"} and len(known & _TELLING) > 1)


def to_names(cells: dict[str, Any]) -> dict[str, Any]:
    """The cells under the names that Asterisk gives them; a name that two of them have stays with the first."""
    folded = {fold_name(name): value for name, value in cells.items()}
    named: dict[str, Any] = {}
    for name, value in folded.items():
        known = _NAMES.get(name, name)
        named[name if known in named or (known != name and known in folded) else known] = value
    if "billsec" not in named:
        # Reports with one duration give that of the conversation.
        named["billsec"] = named.get("duration")
    return named


def columns_of_row(cells: Sequence[str]) -> list[str] | None:
    """The names of the columns of a row without header; None if it is no call record."""
    for start, order in ((9, _CDR_CSV), (8, _CDR_CUSTOM), (9, ["id", *_CDR_CUSTOM])):
        if not _has_times(cells, start) or not result_of({"disposition": cells[start + 5]}):
            continue
        if order is not _CDR_CSV:
            return _wide(order, len(cells))
        is_numbered = cells[0].isdigit() and "<" in cells[1] and "<" not in cells[4]
        if not is_numbered:
            return _cdr_csv_columns(cells)
    is_row = len(cells) > 11 and _TIME.fullmatch(cells[0]) and all(map(_SECONDS.fullmatch, cells[9:11]))
    if is_row and result_of({"disposition": cells[11]}):
        return _wide(_DATABASE, len(cells))
    return None


def _has_times(cells: Sequence[str], start: int) -> bool:
    """Whether start, answer (or nothing) and end stand there, with durations and a result behind them."""
    times = cells[start : start + 3]
    if len(cells) < start + 6 or not (_TIME.fullmatch(times[0]) and _TIME.fullmatch(times[2])):
        return False
    return not times[1] or _TIME.fullmatch(times[1]) is not None


def _cdr_csv_columns(cells: Sequence[str]) -> list[str]:
    rest = len(cells) - len(_CDR_CSV)
    optional = {
        0: [], 1: ["uniqueid"] if UNIQUE_ID.fullmatch(cells[16]) else ["userfield"],
        2: ["uniqueid", "userfield"],
        3: _NEW_COLUMNS,
        4: [("uniqueid" if UNIQUE_ID.fullmatch(cells[16]) else "userfield"), *_NEW_COLUMNS],
    } if 0 < rest < 5 else {0: []}  # fmt: skip
    return _wide([*_CDR_CSV, *optional.get(rest, ["uniqueid", "userfield", *_NEW_COLUMNS])], len(cells))


def _wide(order: Sequence[str], width: int) -> list[str]:
    return [*order[:width], *(f"column_{n}" for n in range(len(order) + 1, width + 1))]

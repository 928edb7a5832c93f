"""Which of the general structures an input has: told by its beginning, else by its name."""

from __future__ import annotations

import csv
import re

PARQUET_MAGIC = b"PAR1"
DELIMITERS = {"csv": ",;|", "tsv": "\t"}
COMPRESSION = re.compile(r"\.(gz|zst|zstd|gzip)$", re.IGNORECASE)
"""The ending of a name that says how the file is compressed."""
_BY_NAME = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
}
_LOOKED_AT = 20


def plain_suffix(name: str) -> str:
    """The ending of a name, in lower case, without that of a compression: `.csv` of `a.CSV.gz`."""
    stem = COMPRESSION.sub("", name)
    dot = stem.rfind(".")
    return stem[dot:].lower() if dot >= 0 else ""


def detect_structure(head: bytes, name: str) -> tuple[str, str] | None:
    """The structure (`jsonl`, `json`, `csv`, `tsv`, `parquet`) and what tells it; None if nothing does."""
    if head.startswith(PARQUET_MAGIC):
        return "parquet", "it begins as Parquet files do"
    suffix = plain_suffix(name)
    first = head.lstrip()[:1]
    if first in (b"{", b"["):
        return _which_json(head, suffix)
    if _has_lines_of_objects(head):
        return "jsonl", "its lines are JSON objects"
    for structure in ("csv", "tsv"):
        if "interaction_id" in header_of(head, structure):
            return structure, "its first row names the column interaction_id"
    if suffix in _BY_NAME and b"\0" not in head.split(b"\n", 1)[0]:
        return _BY_NAME[suffix], f"its name ends in {suffix}"
    return None


def _which_json(head: bytes, suffix: str) -> tuple[str, str]:
    lines_by_name = _BY_NAME.get(suffix) == "jsonl"
    if head.lstrip().startswith(b"["):
        if lines_by_name:
            return "jsonl", f"its name ends in {suffix}"
        return "json", "it begins with the [ of a JSON array"
    if _has_lines_of_objects(head):
        return "jsonl", "its lines are JSON objects"
    if lines_by_name:
        return "jsonl", f"its name ends in {suffix}"
    return "json", "it begins with the { of a JSON object over several lines"


def _has_lines_of_objects(head: bytes) -> bool:
    """Whether at least half of the first lines look like JSON objects; one broken line decides nothing."""
    lines = [line.strip() for line in head.split(b"\n")]
    # The last line may be cut by the end of the head; alone, it is all there is to judge by.
    whole = [line for line in (lines[:-1] or lines) if line][:_LOOKED_AT]
    objects = sum(line.startswith(b"{") and line.endswith(b"}") for line in whole)
    # A lone bracket begins a document that is spread over lines, whatever its later lines look like.
    return objects > 0 and 2 * objects >= len(whole) and whole[0] not in (b"{", b"[")


def header_of(head: bytes, structure: str) -> list[str]:
    """The names in the first line of a table, as far as they can be told."""
    line = head.lstrip(b"\r\n").split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
    try:
        return [
            cell.strip() for cell in next(csv.reader([line], delimiter=delimiter_of(line, structure)), [])
        ]
    except csv.Error:
        return []


def delimiter_of(line: str, structure: str) -> str:
    """What stands between the cells: the candidate that is most frequent in the header outside quotes."""
    outside = re.sub(r'"[^"]*"', "", line)
    return max(DELIMITERS[structure], key=outside.count)

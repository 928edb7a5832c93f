"""Findings as SARIF 2.1.0 (OASIS), which code scanning tools read."""

from __future__ import annotations

import json
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import quote

from carelog import __version__
from carelog.findings import Finding, visible
from carelog.validation import Tally

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def to_sarif(tally: Tally) -> str:
    """One run: a rule for each keyword, a result for each listed finding, the counts as properties of the
    run.
    """
    listed = tally.listed()
    keywords = sorted({finding.keyword for finding in listed})
    run = {
        "tool": {
            "driver": {"name": "carelog", "version": __version__, "rules": [_rule(k) for k in keywords]}
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, keywords.index(finding.keyword)) for finding in listed],
        "properties": {
            "records": tally.records,
            "accepted": tally.accepted,
            "rejected": tally.rejected,
            "truncated": tally.truncated,
        },
    }
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _rule(keyword: str) -> dict[str, Any]:
    return {"id": keyword, "shortDescription": {"text": keyword.replace("_", " ")}}


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": to_uri(finding.file)}}
    if finding.line is not None:
        place["region"] = {"startLine": finding.line}
    result: dict[str, Any] = {
        "ruleId": finding.keyword,
        "ruleIndex": rule_index,
        "level": finding.severity,
        "message": {"text": to_message(finding.message)},
        "locations": [
            {
                "physicalLocation": place,
                "logicalLocations": [{"fullyQualifiedName": visible(finding.pointer), "kind": "member"}],
            }
        ],
    }
    if finding.byte_offset is not None:
        result["properties"] = {"byteOffset": finding.byte_offset}
    return result


def to_message(text: str) -> str:
    """A sentence as SARIF's plain text: nothing in it can be taken for a placeholder or for a link (3.11)."""
    return visible(text).replace("{", "{{").replace("}", "}}").replace("](", "] (")


def to_uri(file: str) -> str:
    """A file name as a URI reference: relative names stay relative, what is special is escaped."""
    drive = PureWindowsPath(file).drive
    name = PureWindowsPath(file).as_posix() if drive else file
    # A colon in the first part of a relative reference would make it look like a scheme.
    escaped = quote(name.encode("utf-8", "backslashreplace"), safe="/:" if drive else "/")
    if drive:
        return f"file:///{escaped}"
    return f"file://{escaped}" if PurePosixPath(file).is_absolute() else escaped

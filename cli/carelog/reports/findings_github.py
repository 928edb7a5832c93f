"""Findings as workflow commands, which GitHub Actions shows beside the changed files."""

from __future__ import annotations

from carelog.findings import Finding, visible
from carelog.validation import Tally


def to_github(tally: Tally) -> str:
    """One `::error` or `::warning` a line, then a `::notice` with the counts."""
    lines = [_command(finding) for finding in tally.listed()]
    counts = f"{tally.records} read = {tally.accepted} accepted + {tally.rejected} rejected"
    left = tally.errors + tally.warnings - len(lines)
    counts += f", {left} more findings not listed" if left else ""
    return "\n".join([*lines, f"::notice title=carelog validate::{counts}"]) + "\n"


def _command(finding: Finding) -> str:
    properties = {"title": f"{finding.keyword} {finding.pointer}".rstrip()}
    if finding.file != "-":
        properties = {"file": finding.file, **properties}
    if finding.line is not None:
        properties["line"] = str(finding.line)
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{finding.severity} {written}::{_message(finding.message)}"


def _message(text: str) -> str:
    # The runner undoes exactly these escapes; everything else that is not printable was made visible.
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")

"""What validation found in all of its inputs: exact counts, and as much of the list as was asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from carelog.findings import Finding, Severity
from carelog.validation.records import Validated

MOST_KINDS = 1000
"""So many kinds of finding are told apart; the pointers of later ones are cut to their first part, then to
nothing.
"""

_INDEX = re.compile(r"/[0-9]+(?=/|$)")


@dataclass(slots=True)
class FileTally:
    """The counts of one input: `records` = `accepted` + `rejected`."""

    file: str
    format: str
    records: int = 0
    accepted: int = 0
    rejected: int = 0
    errors: int = 0
    warnings: int = 0
    blank_lines: int = 0


@dataclass(slots=True)
class KindTally:
    """How often one kind of finding occurred, and the first such finding. In `pointer` a `*` stands for any
    index.
    """

    pointer: str
    keyword: str
    severity: Severity
    count: int
    first: Finding


@dataclass(slots=True)
class Tally:
    """Counts what `add` is given, in the order of the inputs, and keeps the first `max_errors` findings.

    Errors are kept before warnings. Memory is bounded by `max_errors`, the number of inputs and MOST_KINDS.
    """

    max_errors: int
    files: dict[str, FileTally] = field(default_factory=dict)
    kinds: dict[tuple[str, str], KindTally] = field(default_factory=dict)
    _errors: list[Finding] = field(default_factory=list)
    _warnings: list[Finding] = field(default_factory=list)

    def add(self, validated: Validated) -> None:
        """Count one validated block."""
        counts = self.open_file(validated.file, validated.format)
        counts.records += validated.read
        counts.accepted += validated.accepted.num_rows
        counts.rejected += validated.rejected
        counts.blank_lines += validated.blank_lines
        for reject in validated.rejects:
            for finding in reject.findings:
                self.add_finding(finding)
        for finding in validated.findings:
            self.add_finding(finding)

    def open_file(self, file: str, format: str) -> FileTally:
        """The counts of an input; so that one without any record is listed too."""
        return self.files.setdefault(file, FileTally(file, format))

    def add_finding(self, finding: Finding) -> None:
        """Count one finding, of a record or of a file."""
        counts = self.open_file(finding.file, "")
        kept = self._errors if finding.severity == "error" else self._warnings
        if finding.severity == "error":
            counts.errors += 1
        else:
            counts.warnings += 1
        if len(kept) < self.max_errors:
            kept.append(finding)
        self._count_kind(finding)

    def _count_kind(self, finding: Finding) -> None:
        pointer = _INDEX.sub("/*", finding.pointer)
        key = (pointer, finding.keyword)
        for shorter in ("/" + pointer.split("/", 2)[1] if pointer else "", ""):
            if key in self.kinds or len(self.kinds) < MOST_KINDS:
                break
            key = (shorter if key[0] != shorter else "", finding.keyword)
        kind = self.kinds.setdefault(key, KindTally(*key, finding.severity, 0, finding))
        kind.count += 1

    @property
    def records(self) -> int:
        """How many records were read."""
        return sum(f.records for f in self.files.values())

    @property
    def accepted(self) -> int:
        """How many records were accepted."""
        return sum(f.accepted for f in self.files.values())

    @property
    def rejected(self) -> int:
        """How many records were put aside."""
        return sum(f.rejected for f in self.files.values())

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(f.errors for f in self.files.values())

    @property
    def warnings(self) -> int:
        """How many findings are warnings."""
        return sum(f.warnings for f in self.files.values())

    @property
    def truncated(self) -> bool:
        """Whether there are more findings than `listed`."""
        return self.errors + self.warnings > len(self.listed())

    def listed(self) -> list[Finding]:
        """The findings to list, at most `max_errors`: by input, then by line, errors of a line before its
        warnings.
        """
        chosen = [*self._errors, *self._warnings][: self.max_errors]
        order = {file: number for number, file in enumerate(self.files)}
        return sorted(chosen, key=lambda f: (order[f.file], f.line or 0, f.severity))

    def by_frequency(self) -> list[KindTally]:
        """The kinds of finding, the most frequent first; equals by pointer and keyword."""
        return sorted(self.kinds.values(), key=lambda k: (-k.count, k.pointer, k.keyword))

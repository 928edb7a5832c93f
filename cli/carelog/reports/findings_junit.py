"""Findings as JUnit XML, which CI servers show as tests: a suite for each input, a case for each finding."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from carelog.findings import Finding, visible
from carelog.validation import FileTally, Tally


def to_junit(tally: Tally) -> str:
    """JUnit XML. A suite's first case is the input as a whole; errors are failures, warnings pass and say so
    in system-out.
    """
    listed = tally.listed()
    root = ET.Element("testsuites", name="carelog validate")
    for counts in tally.files.values():
        root.append(_suite(counts, [f for f in listed if f.file == counts.file]))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(counts: FileTally, findings: list[Finding]) -> ET.Element:
    cases = [_whole(counts), *(_case(finding) for finding in findings)]
    failures = sum(case.find("failure") is not None for case in cases)
    suite = ET.Element("testsuite", name=visible(counts.file), tests=str(len(cases)))
    suite.set("failures", str(failures))
    suite.set("errors", "0")
    suite.set("skipped", "0")
    properties = ET.SubElement(suite, "properties")
    for name in ("records", "accepted", "rejected", "warnings"):
        ET.SubElement(properties, "property", name=name, value=str(getattr(counts, name)))
    suite.extend(cases)
    return suite


def _whole(counts: FileTally) -> ET.Element:
    case = ET.Element("testcase", classname=visible(counts.file), name="every record is accepted")
    if counts.errors:
        text = f"{counts.records} read = {counts.accepted} accepted + {counts.rejected} rejected"
        ET.SubElement(case, "failure", type="rejected", message=text)
    return case


def _case(finding: Finding) -> ET.Element:
    where = f"line {finding.line}" if finding.line is not None else "the file"
    name = " ".join(part for part in (where, visible(finding.pointer), finding.keyword) if part)
    case = ET.Element("testcase", classname=visible(finding.file), name=name)
    message = visible(finding.message)
    if finding.severity == "warning":
        ET.SubElement(case, "system-out").text = f"warning: {message}"
        return case
    failure = ET.SubElement(case, "failure", type=finding.keyword, message=message)
    failure.text = f"{visible(finding.file)}:{finding.line or ''} {message}"
    return case

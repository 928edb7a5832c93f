"""Text from a log stays text in every format: markup, formulas, terminal escapes, characters that turn the
direction.
"""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from command_line import labelled, run, write_lines

NASTY = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "formula": "=cmd()|' /C calc'!A0",
    "plus": "+1+1",
    "at": "@SUM(1)",
    "escape": "\x1b[31mred\x1b]0;title\x07",
    "override": "abc\u202egpj.exe",
    "template": "{{ 7 * 7 }} {% raw %} ${7*7}",
    "table": "a|b\n| c | d |",
    "link": "[x](javascript:alert(1)) ![y](http://evil.example/z.png) http://evil.example",
    "entity": "&lt;b&gt; </style></table>--><!--",
    "null": "a\x00b\x85c\u2028d",
    "rich": "[bold red]not markup[/] :smile:",
    "format": "{name} %s %(x)s",
}
FREE = ("agent_id", "team", "store_id", "queue", "campaign", "category", "customer_id", "language")
FORMATS = ("html", "md", "json", "csv", "txt", "xlsx")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("hostile")
    rows = [_row(i, text) for i, text in enumerate(text for text in NASTY.values() for _ in range(6))]
    file = write_lines(folder / "in.jsonl", rows)
    reject = {
        "file": NASTY["script"],
        "line": 1,
        "errors": [{"pointer": NASTY["attribute"], "keyword": NASTY["escape"]}],
    }
    rejects = write_lines(folder / "rejects.jsonl", [reject])
    (folder / "c.toml").write_text(f"report.title = {json.dumps('<b>Title</b> =1+1')}\n")
    targets = {e: folder / f"out.{e}" for e in FORMATS}
    arguments = [part for t in targets.values() for part in ("-o", t)]
    result = run(
        "summarize", file, "--rejects", rejects, "--by", ",".join(FREE), "--top", "complaints",
        "--config", folder / "c.toml",
        "--fail-if", f"care_share:team={NASTY['script']} < 0", *arguments,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.stderr
    return targets


def _row(number: int, text: str) -> dict[str, Any]:
    evidence = [{"label": text, "rule": text, "field": text, "message": 0, "start": 0, "end": 99}]
    return labelled(
        number,
        **dict.fromkeys(FREE, text),
        interaction_id=f"{text}{number}",
        activities=["complaint"],
        evidence=evidence,
        messages=[{"speaker": "customer", "text": text}],
        rulebook={"name": text, "version": text, "hash": text},
        source={"system": text, "format": "x", "file": text, "line": 1, "record_id": text},
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_nothing_becomes_markup_in_the_page(outputs: dict[str, Path]) -> None:
    parser = Tags()
    text = outputs["html"].read_text("utf-8")
    parser.feed(text)
    names = [tag for tag, _ in parser.found]
    assert names.count("script") == 1
    assert names.count("style") == 1
    assert not {"img", "b", "iframe", "object", "embed", "link", "base", "form"} & set(names)
    assert not any(
        name.startswith("on") or name == "style" for _, attributes in parser.found for name in attributes
    )
    assert "alert(1)" in text
    assert "7 * 7" in text


def test_the_page_runs_nothing_in_a_browser(browser: Any, outputs: dict[str, Path]) -> None:
    browser.get(outputs["html"].as_uri())
    assert browser.get_log("browser") == []
    assert (
        browser.execute_script(
            "return document.querySelectorAll('main script, main img, main iframe').length"
        )
        == 0
    )


@pytest.mark.parametrize("ending", ["html", "md", "json", "csv", "txt"])
def test_no_character_that_acts_on_a_terminal_or_turns_the_direction_is_left(
    outputs: dict[str, Path], ending: str
) -> None:
    text = outputs[ending].read_text("utf-8")
    assert (
        re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)
        == []
    )


def test_json_keeps_what_was_said_exactly(outputs: dict[str, Path]) -> None:
    document = json.loads(outputs["json"].read_text("utf-8"))
    assert {g["key"] for g in document["groups"]["queue"]} == set(NASTY.values())


def test_no_cell_of_the_csv_begins_a_formula(outputs: dict[str, Path]) -> None:
    with outputs["csv"].open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    keys = {r["key"] for r in rows}
    assert not any(key.startswith(("=", "+", "-", "@", "\t", "\r")) for key in keys)
    assert "'" + NASTY["formula"] in keys


def test_no_cell_of_the_workbook_is_a_formula(outputs: dict[str, Path]) -> None:
    book = openpyxl.load_workbook(outputs["xlsx"])
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert len(cells) > 500
    assert all(cell.data_type != "f" for cell in cells)
    assert any(str(cell.value).startswith("=cmd()") for cell in cells)


def test_markdown_escapes_what_would_be_markup(outputs: dict[str, Path]) -> None:
    text = outputs["md"].read_text("utf-8")
    assert not re.search(r"(?<!\\)<(?!/?sub>)", text)
    assert not re.search(r"(?<!\\)[\]\[]", text)
    assert "http://" not in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in tables]
    assert len(tables) > 50
    assert all(w >= 3 for w in widths)


def test_the_terminal_shows_brackets_and_colons_as_they_are(outputs: dict[str, Path]) -> None:
    text = outputs["txt"].read_text("utf-8")
    assert "[bold red]" in text.replace("\n", "")
    assert ":smile:" in text
    assert "\\x1b" in text

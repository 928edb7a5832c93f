"""`--rulebook mine.toml` end to end: a company's own words add, override, disable and map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.commands.logs import call
from tests.commands.shop import chat, read_lines, shop_log, write_lines

pytestmark = pytest.mark.usefixtures("small_rulebooks")

HEAD = '[rulebook]\nname = "{name}"\nversion = "1"\nlanguage = "en"\n'
RULE = """
[[rule]]
id = "{id}"
label = "{label}"
phrases = ["{phrase}"]
weight = {weight}
match = ["{phrase}", "well, {phrase}!"]
no_match = ["x"]
"""


def rule(identity: str, label: str, phrase: str, weight: float = 1) -> str:
    return RULE.format(id=identity, label=label, phrase=phrase, weight=weight)


def labelled(tmp_path: Path, log: Path, *books: str) -> dict[str, dict[str, Any]]:
    """The log labelled under those rulebooks, by id."""
    arguments: list[str | Path] = []
    for number, text in enumerate(books):
        file = tmp_path / f"book-{number}.toml"
        file.write_text(HEAD.format(name=f"book-{number}") + text, "utf-8")
        arguments += ["--rulebook", file]
    out = tmp_path / "out.jsonl"
    result = call("classify", log, *arguments, "-o", out)
    assert result.exit_code == 0, result.stderr
    return {value["interaction_id"]: value for value in read_lines(out)}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return shop_log(tmp_path / "log.jsonl")


def test_a_rule_of_ones_own_adds(tmp_path: Path, log: Path) -> None:
    value = labelled(tmp_path, log, rule("lux.broke", "activity.technical", "lamp broke"))["fault"]
    assert value["activities"] == ["complaint", "technical"]
    assert value["rulebook"]["name"] == "carelog+book-0"
    entry = next(e for e in value["evidence"] if e["rule"] == "lux.broke")
    assert "This is the third time the lamp broke!"[entry["start"] : entry["end"]] == "lamp broke"


def test_the_same_id_overrides_and_the_later_rulebook_wins(tmp_path: Path, log: Path) -> None:
    first = rule("en.lampcare.repeat", "activity.technical", "third time")
    second = rule("en.lampcare.repeat", "activity.order", "third time")
    assert labelled(tmp_path, log, first)["fault"]["activities"] == ["technical"]
    assert labelled(tmp_path, log, first, second)["fault"]["activities"] == ["order"]
    assert labelled(tmp_path, log, second, first)["fault"]["activities"] == ["technical"]


def test_disabled_rules_do_not_count(tmp_path: Path, log: Path) -> None:
    value = labelled(tmp_path, log, '[[disable]]\nid = "en.lampcare.repeat"\n')["fault"]
    assert value["activities"] == []
    assert value["orientation"] == "none"


def test_a_negative_weight_speaks_against_the_label(tmp_path: Path, log: Path) -> None:
    against = rule("lux.joke", "activity.complaint", "the lamp broke", -1)
    assert labelled(tmp_path, log, against)["fault"]["activities"] == []


def test_an_offset_moves_a_label_everywhere(tmp_path: Path, log: Path) -> None:
    plain = labelled(tmp_path, log)
    moved = labelled(tmp_path, log, '[offset]\n"loyalty" = 5\n')
    assert {v["loyalty"] for v in plain.values()} == {False}
    assert {v["loyalty"] for v in moved.values()} == {True}
    assert plain["fault"]["rulebook"]["hash"] != moved["fault"]["rulebook"]["hash"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", " Lamp Broken "),
        ("tags", ["vip", "LAMP BROKEN"]),
        ("queue", "lamp broken"),
        ("campaign", "Lamp broken"),
    ],
)
def test_values_of_the_companys_own_fields_are_mapped(tmp_path: Path, field: str, value: Any) -> None:
    fields = {field: value}
    log = write_lines(
        tmp_path / "log.jsonl",
        [chat("a", ["customer: hi", "agent: hi"], **fields), chat("b", ["customer: hi"])],
    )
    found = labelled(tmp_path, log, f'[map.{field}]\n"Lamp broken" = "activity.technical"\n')
    assert found["a"]["activities"] == ["technical"]
    assert found["a"]["orientation"] == "service"
    assert {e["rule"] for e in found["a"]["evidence"] if e["label"] == "activity.technical"} == {
        "structure.mapped_value"
    }
    assert found["b"]["activities"] == []


def test_a_later_map_of_the_same_value_wins(tmp_path: Path) -> None:
    log = write_lines(tmp_path / "log.jsonl", [chat("a", ["customer: hi"], category="x")])
    books = [f'[map.category]\n"x" = "activity.{a}"\n' for a in ("order", "sale")]
    assert labelled(tmp_path, log, *books)["a"]["activities"] == ["sale"]


def test_nothing_of_ones_own_changes_nothing(tmp_path: Path, log: Path) -> None:
    plain, same = labelled(tmp_path, log), labelled(tmp_path, log, "")
    drop = {"rulebook"}
    assert [{k: v for k, v in value.items() if k not in drop} for value in same.values()] == [
        {k: v for k, v in value.items() if k not in drop} for value in plain.values()
    ]

"""`carelog tune` as a company with labels of its own calls it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.commands.logs import call, names_in
from tests.commands.shop import chat, read_lines, write_lines

pytestmark = pytest.mark.usefixtures("small_rulebooks")


def company(tmp_path: Path, learnable: bool) -> tuple[Path, Path]:
    """120 chats in which a shop says "refund" of returns only, and labels as it understands them; or labels
    by chance.
    """
    records, golds = [], []
    for n in range(120):
        says = [
            "customer: perfect, the refund came",
            "customer: what a shame, again and again",
            "customer: ok",
        ][n % 3]
        records.append(chat(f"c{n}", [says, "agent: fine"]))
        wanted: dict[str, Any] = {
            "orientation": ["service", "service", "service"][n % 3],
            "activities": [["return"], ["technical"], ["question"]][n % 3],
            "satisfaction": ["satisfied", "dissatisfied", "unknown"][n % 3],
            "outcome": "resolved",
        }
        golds.append({"id": f"c{n}", **(wanted if learnable else {"loyalty": n * 7919 % 13 < 6})})
    return write_lines(tmp_path / "log.jsonl", records), write_lines(tmp_path / "gold.jsonl", golds)


def test_a_sure_gain_is_written_as_a_rulebook_that_classify_takes(tmp_path: Path) -> None:
    log, gold = company(tmp_path, learnable=True)
    out = tmp_path / "ours.toml"
    result = call("tune", log, "--gold", gold, "-o", out, "--name", "shop", "--format", "json")
    assert (result.exit_code, result.stderr) == (0, "tune: read 120 = accepted 120 + rejected 0\n")
    value = json.loads(result.stdout)
    low, high = value["gain"]["interval"]
    assert 0 < low <= value["gain"]["gain"] <= high
    assert value["figures"]["after"]["outcome.accuracy"] > value["figures"]["before"]["outcome.accuracy"]
    book = tomllib.loads(out.read_text("utf-8"))
    assert book["rulebook"]["name"] == "shop"
    assert book["offset"]["outcome.resolved"] > 0
    assert call("rules", "test", "--rulebook", out, "--own").exit_code == 0
    labelled = tmp_path / "labelled.jsonl"
    assert call("classify", log, "--rulebook", out, "-o", labelled).exit_code == 0
    assert {v["outcome"] for v in read_lines(labelled)} == {"resolved"}
    assert {v["rulebook"]["name"] for v in read_lines(labelled)} == {"carelog+shop"}


def test_what_was_learned_is_what_classification_does(tmp_path: Path) -> None:
    log, gold = company(tmp_path, learnable=True)
    out = tmp_path / "ours.toml"
    assert call("tune", log, "--gold", gold, "-o", out).exit_code == 0
    before = json.loads(call("evaluate", log, "--gold", gold, "--format", "json").stdout)
    after = json.loads(call("evaluate", log, "--gold", gold, "--rulebook", out, "--format", "json").stdout)
    name = "outcome.accuracy"
    assert after["overall"]["figures"][name] > before["overall"]["figures"][name]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    log, gold = company(tmp_path, learnable=True)
    runs = []
    for name in ("a.toml", "b.toml"):
        assert call("tune", log, "--gold", gold, "-o", tmp_path / name, "--seed", "7").exit_code == 0
        runs.append((tmp_path / name).read_bytes())
    assert runs[0] == runs[1]


def test_without_a_gain_nothing_is_written_and_the_old_rulebook_stays(tmp_path: Path) -> None:
    log, gold = company(tmp_path, learnable=False)
    out = tmp_path / "ours.toml"
    out.write_text("# mine\n", "utf-8")
    result = call("tune", log, "--gold", gold, "-o", out)
    assert result.exit_code == 1
    assert "nothing was written" in result.stdout
    assert out.read_text("utf-8") == "# mine\n"
    assert names_in(tmp_path) == ["gold.jsonl", "log.jsonl", "ours.toml"]


def test_too_few_labels_are_told(tmp_path: Path) -> None:
    log, _ = company(tmp_path, learnable=True)
    gold = write_lines(tmp_path / "few.jsonl", [{"id": "c1", "loyalty": True}])
    result = call("tune", log, "--gold", gold, "-o", tmp_path / "ours.toml")
    assert (result.exit_code, result.stdout) == (65, "")
    assert "gold labels of 1 interaction were found; 30 are the least" in result.stderr
    assert "ours.toml" not in names_in(tmp_path)


@pytest.mark.parametrize(
    "options", [["-o", "ours.json"], ["-o", "ours.toml", "--name", 'x"\n'], ["-o", "x/y.toml"]]
)
def test_names_that_cannot_be_are_told_before_the_work(
    tmp_path: Path, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log, gold = company(tmp_path, learnable=True)
    monkeypatch.chdir(tmp_path)
    result = call("tune", log, "--gold", gold, *options)
    assert result.exit_code == (73 if options[-1] == "x/y.toml" else 2)
    assert (result.stdout, names_in(tmp_path)) == ("", ["gold.jsonl", "log.jsonl"])

"""carelog.toml: what is in force, from where, and what is said when it is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import labelled, run, run_json, write_lines

from carelog.settings import SETTINGS, default_settings


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "user"))
    (tmp_path / "user" / "carelog").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)


def show() -> dict[str, dict[str, object]]:
    result = run("config", "show", "--format", "json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, dict[str, object]] = json.loads(result.stdout)
    return found


def test_every_setting_is_shown_with_its_value_origin_and_meaning() -> None:
    shown = show()
    assert shown.keys() == SETTINGS.keys()
    assert all(entry["origin"] == "default" and entry["meaning"] for entry in shown.values())


def test_the_text_of_config_show_is_a_config(tmp_path: Path) -> None:
    text = run("config", "show").stdout
    (tmp_path / "again.toml").write_text(text, "utf-8")
    again = run("config", "show", "--config", "again.toml", "--format", "json")
    assert {k: v["value"] for k, v in json.loads(again.stdout).items()} == dict(default_settings().values)


def test_the_folder_wins_over_the_user_and_each_value_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "user/carelog/carelog.toml").write_text("[summary]\nmin_group = 7\n[cost]\nphone = 2.5\n")
    (tmp_path / "carelog.toml").write_text("summary.min_group = 9\n")
    shown = show()
    assert shown["summary.min_group"] == {**shown["summary.min_group"], "value": 9, "origin": "carelog.toml"}
    assert shown["cost.phone"]["value"] == 2.5
    assert str(shown["cost.phone"]["origin"]).endswith("carelog/carelog.toml")


def test_config_replaces_both(tmp_path: Path) -> None:
    (tmp_path / "carelog.toml").write_text("summary.min_group = 9\n")
    (tmp_path / "other.toml").write_text("cost.phone = 1\n")
    result = json.loads(run("config", "show", "--config", "other.toml", "--format", "json").stdout)
    assert (result["summary.min_group"]["value"], result["cost.phone"]["value"]) == (5, 1)


def test_the_command_line_wins_over_the_config(tmp_path: Path) -> None:
    (tmp_path / "carelog.toml").write_text("summary.min_group = 9\nreport.title = 'From the file'\n")
    file = write_lines(tmp_path / "a.jsonl", [labelled(1)])
    assert run_json(file, "--min-group", "2")["settings"]["summary.min_group"] == 2
    assert "From the file" in run("summarize", file).stdout
    assert "From the file" not in run("summarize", file, "--title", "Mine").stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("summary.min_grop = 3", "did you mean summary.min_group?"),
        ("summary.min_group = 0", "summary.min_group must be a whole number from 1"),
        ("summary.min_group = true", "must be a whole number"),
        ("summary.min_group = 2.5", "must be a whole number"),
        ("service_level.formula = 'best'", "must be one of"),
        ("business_hours.mon = '18:00-09:00'", "HH:MM-HH:MM"),
        ("business_hours.mon = '9-18'", "HH:MM-HH:MM"),
        ("cost.currency = 'rupees'", "ISO 4217"),
        ("period.tz = 'Nowhere/City'", "must be a zone"),
        ("report.sections = []", "must be a list of"),
        ("report.lang = 'de'", "must be one of en, hi"),
        ("= 3", "is not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_config_is_exit_2_naming_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "carelog.toml").write_text(text + "\n")
    result = run("config", "show")
    assert result.exit_code == 2
    assert "carelog.toml" in result.stderr
    assert words in result.stderr

"""`carelog schema` as a user meets it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from click.testing import CliRunner, Result
from referencing import Registry
from tests.validation.records import record

from carelog.app import main
from carelog.resources import load_schema, schema_names
from carelog.validation import soundness

NAMES = ["chat", "email", "in_store", "interaction", "labelled", "phone", "rejects", "rulebook", "summary"]


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["schema", *arguments], input=stdin)


def write(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_list_names_every_schema() -> None:
    result = run("list")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [entry["name"] for entry in json.loads(result.stdout)] == NAMES


def test_list_as_text_is_one_line_for_each() -> None:
    result = run("list", "--format", "text")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_show_writes_the_schema(name: str) -> None:
    result = run("show", name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == load_schema(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_schema_needs_nothing_beside_it(name: str) -> None:
    result = run("show", name, "--bundled")
    schema = json.loads(result.stdout)
    alone = jsonschema.Draft202012Validator(schema, registry=Registry())
    assert [e.message for example in schema["examples"] for e in alone.iter_errors(example)] == []
    assert not alone.is_valid({"channel": "fax"})
    assert list(jsonschema_rs.Draft202012Validator(schema, offline=True).iter_errors({"channel": "fax"}))


@pytest.mark.parametrize(
    "arguments", [["show", "nope"], ["check", "--name", "nope"], ["check", "--name", "../x"]]
)
def test_an_unknown_name_is_wrong_usage_and_the_names_are_told(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no schema" in result.stderr
    assert "chat, email" in result.stderr


def test_the_shipped_schemas_are_sound() -> None:
    result = run("check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "schemas": [{"name": name, "sound": True, "problems": []} for name in schema_names()]
    }


def test_a_schema_that_is_not_sound_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = copy.deepcopy(load_schema("rejects"))
    del broken["properties"]["line"]["title"]
    broken["properties"]["raw"]["examples"] = [7]
    broken["properties"]["file"]["$ref"] = "#/$defs/nowhere"
    monkeypatch.setattr(soundness, "load_schema", lambda name: broken)
    result = run("check", "--name", "rejects", "--format", "text")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "rejects: not sound",
        "  the root refers to something that is not there",
        "  /properties/file refers to something that is not there",
        "  /properties/line has no title",
        "  /properties/raw has an example that is not valid",
    ]


def test_valid_instances_are_counted(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", json.dumps(record()) + "\n\n" + json.dumps(record("chat")) + "\n")
    result = run("check", file)
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {"checked": 2, "valid": 2, "errors": []}


def test_every_fault_is_told_with_its_place(tmp_path: Path) -> None:
    lines = [record(), record("chat", status="x"), "no object"]
    text = "\n".join(json.dumps(v) for v in lines) + '\n{"a": NaN}\n'
    result = run("check", write(tmp_path / "a.jsonl", text))
    report = json.loads(result.stdout)
    assert (result.exit_code, report["checked"], report["valid"]) == (1, 4, 1)
    told = [(e["line"], e["schema"], e["pointer"], e["keyword"]) for e in report["errors"]]
    assert told == [(2, "chat", "/status", "enum"), (3, "interaction", "", "type"), (4, None, "", "nan")]


@pytest.mark.parametrize("name", ["rejects", "labelled", "summary", "rulebook", "in_store"])
def test_the_schema_is_guessed_from_the_fields(name: str, tmp_path: Path) -> None:
    example: Any = load_schema(name)["examples"][0]
    assert run("check", write(tmp_path / "a.json", json.dumps(example, indent=2))).exit_code == 0
    member = {"rejects": "line", "labelled": "orientation", "summary": "counts", "rulebook": "rule"}
    spoilt = {**example, member.get(name, "notes"): ["?"]}
    result = run("check", write(tmp_path / "b.json", json.dumps(spoilt)))
    assert result.exit_code == 1
    assert {e["schema"] for e in json.loads(result.stdout)["errors"]} == {name}


def test_a_rulebook_is_read_as_toml(tmp_path: Path) -> None:
    sound = '[rulebook]\nname = "acme"\nversion = "1"\n[[disable]]\nid = "en.x"\n'
    assert run("check", write(tmp_path / "a.toml", sound)).exit_code == 0
    result = run("check", "--format", "text", write(tmp_path / "b.toml", sound.replace('"1"', "1")))
    assert result.exit_code == 1
    assert "rulebook: `rulebook.version` is a number; it must be text [type]" in result.stdout
    broken = run("check", "--format", "text", write(tmp_path / "c.toml", "[rulebook\n"))
    assert broken.exit_code == 1
    assert "[not_toml]" in broken.stdout


def test_standard_input_is_checked() -> None:
    result = run("check", "-", "--name", "phone", "--format", "text", stdin=json.dumps(record()))
    assert (result.exit_code, result.stdout) == (0, "1 checked = 1 valid + 0 invalid\n")


def test_nothing_to_check_is_unusable_input(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("check", str(tmp_path / "empty"))
    assert (result.exit_code, result.stdout) == (65, "")
    assert "nothing to check" in result.stderr


def test_a_missing_file_is_66() -> None:
    result = run("check", "nowhere.json")
    assert (result.exit_code, result.stdout) == (66, "")
    assert "nowhere.json" in result.stderr


def test_faults_hold_no_words_of_customers_and_no_escapes(tmp_path: Path) -> None:
    value = {**record("chat"), "subject": ["\x1b[31msecret 4111"], "status": "\x1b[31m"}
    result = run("check", write(tmp_path / "a.json", json.dumps(value)), "--format", "text")
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
    assert "4111" not in result.stdout

"""`carelog validate` as a user calls it: exit codes, both streams, and the files that are there after it."""

from __future__ import annotations

import io
import json
import os
import pty
import stat
import subprocess
from pathlib import Path

import pytest
from tests.commands.logs import PROGRAM, call, findings_of, line, lines, names_in, start

from carelog.commands.notices import wants_color


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text(lines(1, 2, 3), "utf-8")
    return path


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Eight sound records, two invalid ones, one of the sound ones with a warning."""
    path = tmp_path / "mixed.jsonl"
    path.write_text(lines(*range(7)) + line(8, surprise=1) + line(9, started_at="soon") + "oops\n", "utf-8")
    return path


def test_sound_records_are_exit_0_and_every_stream_has_its_own(log: Path) -> None:
    result = call("validate", log)
    assert result.exit_code == 0
    assert " ".join(result.stdout.split()) == f"{log}: 3 read = 3 accepted + 0 rejected"
    assert result.stderr == "validate: read 3 = accepted 3 + rejected 0\n"
    assert names_in(log.parent) == ["log.jsonl"]


def test_the_halves_are_written_and_sum_up(mixed: Path) -> None:
    good, bad = mixed.with_name("good.csv"), mixed.with_name("bad.jsonl")
    result = call("validate", mixed, "--accepted", good, "--rejects", bad, "--format", "json")
    report = json.loads(result.stdout)
    assert (report["records"], report["accepted"], report["rejected"]) == (10, 8, 2)
    assert len(bad.read_text("utf-8").splitlines()) == 2
    rejected = [json.loads(text) for text in bad.read_text("utf-8").splitlines()]
    assert [set(r) for r in rejected] == [
        {"file", "line", "byte_offset", "interaction_id", "errors", "raw"}
    ] * 2
    assert [(r["line"], r["interaction_id"], r["raw"][:2]) for r in rejected] == [
        (9, "chat-9", '{"'),
        (10, None, "oo"),
    ]
    again = call("validate", good, "--format", "json")
    assert (again.exit_code, json.loads(again.stdout)["accepted"]) == (0, 8)


def test_what_was_accepted_is_accepted_again_and_unchanged(mixed: Path) -> None:
    first = mixed.with_name("1.jsonl")
    call("validate", mixed, "--accepted", first)
    for suffix in (".csv", ".parquet", ".tsv", ".csv.gz", ".jsonl.zst"):
        second, third = mixed.with_name("2" + suffix), mixed.with_name("3.jsonl")
        assert call("validate", first, "--accepted", second).exit_code == 0
        assert call("validate", second, "--accepted", third).exit_code == 0
        assert third.read_bytes() == first.read_bytes()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 1),
        (["--max-invalid", "1"], 1),
        (["--max-invalid", "2"], 0),
        (["--max-invalid", "19.9%"], 1),
        (["--max-invalid", "20%"], 0),
        (["--fail-on", "never"], 0),
        (["--max-invalid", "100%", "--fail-on", "warning"], 1),
    ],
)
def test_what_makes_exit_1_can_be_said(mixed: Path, options: list[str], code: int) -> None:
    result = call("validate", mixed, *options)
    assert result.exit_code == code
    assert result.stderr == "validate: read 10 = accepted 8 + rejected 2\n"


def test_the_list_is_cut_and_the_counts_are_not(mixed: Path) -> None:
    result = call("validate", mixed, "--max-errors", "1", "--format", "json")
    report = json.loads(result.stdout)
    assert (len(report["errors"]), report["truncated"], report["rejected"]) == (1, True, 2)
    assert sum(kind["count"] for kind in report["error_counts"]) == 3


@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif", "github"])
def test_a_report_to_a_file_is_the_one_to_the_screen(mixed: Path, form: str) -> None:
    screen = call("validate", mixed, "--format", form)
    path = mixed.with_name("report")
    filed = call("validate", mixed, "--format", form, "-o", path)
    assert (filed.stdout, path.read_text("utf-8")) == ("", screen.stdout)
    assert filed.exit_code == screen.exit_code == 1


def test_nothing_read_is_exit_65(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "blank.jsonl").write_text("\n\n\n")
    for named in (tmp_path / "empty.jsonl", tmp_path / "blank.jsonl", tmp_path):
        result = call("validate", named, "--fail-on", "never")
        assert result.exit_code == 65
        assert "validate: read 0 = accepted 0 + rejected 0\n" in result.stderr
        assert "no records were found" in result.stderr


def test_an_empty_standard_input_is_exit_65(log: Path) -> None:
    assert call("validate", "-", stdin=b"").exit_code == 65
    assert call("validate", log, "-", stdin=b"").exit_code == 0


def test_an_empty_folder_is_exit_65(tmp_path: Path) -> None:
    assert call("validate", tmp_path).exit_code == 65


def test_nothing_but_rejects_is_exit_65_and_they_are_written(tmp_path: Path) -> None:
    path, rejects = tmp_path / "log.jsonl", tmp_path / "bad.jsonl"
    path.write_text('{"a":1}\n')
    result = call("validate", path, "--rejects", rejects, "--max-invalid", "100%")
    assert result.exit_code == 65
    assert "validate: read 1 = accepted 0 + rejected 1\n" in result.stderr
    assert len(rejects.read_text().splitlines()) == 1


def test_a_file_of_no_known_format_is_exit_65_and_the_hint_helps(tmp_path: Path, log: Path) -> None:
    prose, workbook = tmp_path / "prose.txt", tmp_path / "calls.xlsx"
    prose.write_text("Dear all, nothing to see here.\n")
    workbook.write_bytes(b"PK\x03\x04" + b"\0" * 100)
    result = call("validate", prose, log)
    assert (result.exit_code, result.stdout) == (65, "")
    assert result.stderr.startswith(f"carelog: error: {prose} is of no known format\n")
    assert "--from" in result.stderr
    assert "save the sheet as CSV" in call("validate", workbook).stderr
    going = call("validate", prose, log, "--keep-going")
    assert going.exit_code == 65
    assert "read 3 = accepted 3 + rejected 0" in going.stderr


def test_files_of_no_known_format_in_a_folder_are_skipped_and_said(tmp_path: Path, log: Path) -> None:
    (tmp_path / "README.md").write_text("# About\n")
    (tmp_path / ".hidden.jsonl").write_text("oops\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "log.jsonl").write_text("oops\n")
    result = call("validate", tmp_path)
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        f"validate: skipped 1 of no known format: {tmp_path}/README.md",
        "validate: read 3 = accepted 3 + rejected 0",
    ]
    assert call("validate", tmp_path, "--quiet").stderr == "validate: read 3 = accepted 3 + rejected 0\n"


def test_a_missing_input_is_exit_66_before_anything_is_written(tmp_path: Path, log: Path) -> None:
    good = tmp_path / "good.jsonl"
    result = call("validate", tmp_path / "nowhere.jsonl", log, "--accepted", good)
    assert (result.exit_code, result.stdout) == (66, "")
    assert result.stderr == f"carelog: error: {tmp_path}/nowhere.jsonl: no such file or folder\n"
    assert names_in(tmp_path) == ["log.jsonl"]


def test_with_keep_going_the_others_are_read_and_it_is_exit_66(tmp_path: Path, log: Path) -> None:
    good = tmp_path / "good.jsonl"
    result = call("validate", tmp_path / "nowhere.jsonl", log, "--accepted", good, "--keep-going")
    assert result.exit_code == 66
    assert "nowhere.jsonl: no such file" in result.stderr
    assert "read 3 = accepted 3 + rejected 0" in result.stderr
    assert len(good.read_text("utf-8").splitlines()) == 3


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_an_input_that_may_not_be_read_is_exit_66(log: Path) -> None:
    log.chmod(0)
    assert call("validate", log).exit_code == 66


def test_globs_and_folders_name_files_and_each_is_read_once(tmp_path: Path, log: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "deep.jsonl").write_text(lines(7), "utf-8")
    for named in ([tmp_path], [tmp_path / "**"], [tmp_path, log, tmp_path / "b"], [f"{tmp_path}/*"]):
        result = call("validate", *named)
        assert (result.exit_code, result.stderr) == (0, "validate: read 4 = accepted 4 + rejected 0\n")
    assert call("validate", tmp_path / "*.csv").exit_code == 66
    odd = tmp_path / "odd[1].jsonl"
    odd.write_text(lines(9), "utf-8")
    assert "read 1 " in call("validate", odd).stderr


def test_the_order_of_the_arguments_changes_nothing(tmp_path: Path, log: Path) -> None:
    other = tmp_path / "a.jsonl"
    other.write_text(lines(8), "utf-8")
    outputs = [tmp_path / "1.jsonl", tmp_path / "2.jsonl"]
    call("validate", log, other, "--accepted", outputs[0])
    call("validate", other, log, "--accepted", outputs[1])
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_an_output_that_cannot_be_written_is_exit_73_before_the_work(tmp_path: Path, log: Path) -> None:
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "no" / "good.jsonl", tmp_path / "folder.jsonl" / "x.jsonl", log / "x.jsonl"):
        result = call("validate", log, "--accepted", target, "--rejects", tmp_path / "bad.jsonl")
        assert (result.exit_code, result.stdout) == (73, "")
        assert result.stderr.startswith(f"carelog: error: {target}: ")
    assert call("validate", log, "-o", tmp_path / "folder").exit_code == 73
    assert names_in(tmp_path) == ["folder", "log.jsonl"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("option", ["-o", "--rejects"])
def test_a_full_disk_is_exit_73(tmp_path: Path, mixed: Path, option: str) -> None:
    link = tmp_path / "full.jsonl"
    link.symlink_to("/dev/full")
    result = call("validate", mixed, option, link)
    assert result.exit_code == 73
    assert "no space left" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--accepted", "log.jsonl"],
        ["-o", "./log.jsonl"],
        ["--accepted", "x.jsonl", "--rejects", "x.jsonl"],
        ["--accepted", "-"],
        ["--accepted", "good.xlsx"],
        ["--accepted", "good.parquet.gz"],
        ["--rejects", "bad.csv"],
        ["--max-invalid", "many"],
        ["--max-invalid", "101%"],
        ["--tz", "Mars/Olympus"],
        ["--tz", "../../etc/passwd"],
        ["--from", "zip"],
        ["--channel", "telepathy"],
        ["--max-line-bytes", "0"],
        ["--jobs", "0"],
        ["--config", "nowhere.toml"],
    ],
)
def test_wrong_usage_is_exit_2_and_changes_no_file(
    log: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(log.parent)
    before = log.read_bytes()
    result = call("validate", "log.jsonl", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr
    assert names_in(log.parent) == ["log.jsonl"]
    assert log.read_bytes() == before


def test_no_path_is_exit_2() -> None:
    assert call("validate").exit_code == 2


def test_an_old_output_is_replaced_whole_and_keeps_its_permissions(tmp_path: Path, log: Path) -> None:
    old, link = tmp_path / "old.jsonl", tmp_path / "link.jsonl"
    old.write_text("old")
    old.chmod(0o640)
    link.symlink_to(old)
    assert call("validate", log, "--accepted", link).exit_code == 0
    assert link.is_symlink()
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert len(old.read_text("utf-8").splitlines()) == 3


def test_a_new_output_has_the_permissions_of_any_new_file(tmp_path: Path, log: Path) -> None:
    (tmp_path / "any").touch()
    call("validate", log, "-o", tmp_path / "report.txt")
    assert (tmp_path / "report.txt").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_duplicate_ids_of_one_input_are_rejected_and_found(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(lines(1, 2, 1), "utf-8")
    result = call("validate", path, "--format", "json")
    assert (result.exit_code, findings_of(result)) == (1, [(str(path), 3, "duplicate_id")])


def test_the_channel_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(line(1, channel=None), "utf-8")
    assert call("validate", path).exit_code == 65
    assert call("validate", path, "--channel", "chat").exit_code == 0


def test_the_format_can_be_forced(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(lines(1, 2), "utf-8")
    result = call("validate", path, "--from", "json", "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)["files"][0]["format"]) == (0, "json")


def test_notices_can_be_json(mixed: Path) -> None:
    result = call("validate", mixed, "--log-format", "json")
    (notice,) = map(json.loads, result.stderr.splitlines())
    assert (notice["level"], notice["read"], notice["accepted"], notice["rejected"]) == ("info", 10, 8, 2)


def test_jobs_change_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(16_000):
            file.write(line(number % 15_990, notes="a" * 1000) if number % 777 else "oops\n")
    written = []
    for jobs in ("1", "3"):
        names = [tmp_path / f"{jobs}.{suffix}" for suffix in ("parquet", "jsonl", "json")]
        good, bad, report = names
        arguments = ["--accepted", good, "--rejects", bad, "--format", "json", "-o", report, "--jobs", jobs]
        assert call("validate", path, *arguments).exit_code == 1
        written.append([name.read_bytes() for name in names])
    assert written[0] == written[1]


def test_a_reader_that_goes_away_is_no_failure(mixed: Path) -> None:
    process = start("validate", mixed, "--format", "json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait() in (0, 1)
    assert b"Traceback" not in told


def test_an_error_message_holds_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    result = call("validate", tmp_path / "no\x1b[31mwhere")
    assert result.exit_code == 66
    assert "\x1b" not in result.stderr


def seen_on_a_terminal(*arguments: str | Path) -> str:
    """What a run writes to standard error when that is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            seen += os.read(ours, 4096)
        except OSError:
            break
    os.close(ours)
    assert process.wait() == 0
    return seen.decode()


def test_progress_is_shown_on_a_terminal_only(log: Path) -> None:
    assert "B/s" in seen_on_a_terminal("validate", log)
    for option in ("--no-progress", "--quiet"):
        told = seen_on_a_terminal("validate", log, option)
        assert told.split("\r\n") == ["validate: read 3 = accepted 3 + rejected 0", ""]
    assert "B/s" not in call("validate", log).stderr


@pytest.mark.parametrize(
    ("options", "environment", "is_colored"),
    [
        ([], {}, True),
        ([], {"NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {}, False),
    ],
)
def test_color_is_for_terminals_that_want_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    environment: dict[str, str],
    is_colored: bool,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    choice = options[1] if options else "auto"
    assert wants_color(choice, stream) is is_colored
    (tmp_path / "empty.jsonl").touch()
    assert "\x1b" not in call("validate", tmp_path / "empty.jsonl").stderr

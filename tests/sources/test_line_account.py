"""CSV files of LINE's Official Account Manager."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.commands.logs import call
from tests.sources.chat_family import EXAMPLES, claimed_elsewhere, mutated, read_damaged, words_lost
from tests.sources.goldens import check_golden, read_files

from carelog.sources.formats import detect_formats

HERE = Path(__file__).parent / "line_account"
FIRST, SECOND = "20260909_20260916_nok.csv", "20260914_20260920_nok.csv"


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", [FIRST, SECOND, "."])
def test_fixture_reads_as_reviewed(name: str) -> None:
    found = read_files(*([FIRST, SECOND] if name == "." else [name]))
    assert found.formats == {"line_account"}
    check_golden("both" if name == "." else name, found)


def test_no_word_of_a_chat_is_lost() -> None:
    assert words_lost(Path(FIRST), read_files(FIRST).values, "User Account _x000D_") == []


def test_overlapping_exports_count_each_message_once() -> None:
    values = read_files(FIRST, SECOND).values
    assert [len(v["messages"]) for v in values] == [6, 3]
    assert [v["interaction_id"] for v in values] == [v["interaction_id"] for v in read_files(FIRST).values]


def test_zone_of_the_file_is_kept_and_automatic_answers_are_a_bot() -> None:
    value = read_files(FIRST, zone="America/New_York").values[0]
    assert value["started_at"] == "2026-09-14T09:12:05+07:00"
    assert [m["speaker"] for m in value["messages"]] == [
        "customer", "bot", "agent", "customer", "customer", "system"
    ]  # fmt: skip
    assert value["first_response_seconds"] == 215


def test_guards_and_line_ends_of_spreadsheets_are_undone() -> None:
    messages = read_files(FIRST).values[0]["messages"]
    assert messages[1]["text"] == 'ขอบคุณที่ทักมาค่ะ\nแอดมินจะรีบตอบ "เร็วที่สุด"'
    assert messages[2]["text"] == "ได้ค่ะ รับวันไหนดีคะ"


def test_broken_rows_cost_only_themselves() -> None:
    found = read_files(SECOND)
    assert sorted(found.rejects) == ["bad_time", "too_few_cells", "unclosed_quote"]
    assert found.values[-1]["messages"][-1]["text"] == "ยินดีค่ะ"


def test_file_without_zone_needs_tz(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(Path(FIRST).read_text().replace("+07:00", "?"))
    assert set(read_files(path, from_format="line_account").rejects) == {"no_offset"}
    found = read_files(path, from_format="line_account", zone="Asia/Bangkok")
    assert found.values[0]["started_at"] == "2026-09-14T09:12:05+07:00"


def test_commands_read_an_export_by_name_and_from_a_pipe() -> None:
    good = call("validate", FIRST, "--format", "json")
    assert (good.exit_code, json.loads(good.stdout)["accepted"]) == (0, 2)
    piped = call("validate", "-", "--format", "json", stdin=Path(FIRST).read_bytes())
    assert (piped.exit_code, json.loads(piped.stdout)["accepted"]) == (0, 2)
    bad = call("validate", SECOND)
    assert (bad.exit_code, "not closed" in bad.stdout.replace("and not closed", "")) == (1, False)


def test_files_of_other_formats_are_not_claimed() -> None:
    assert claimed_elsewhere("line_account", ("line_account", "line_oa_csv")) == []
    assert "line_account" not in detect_formats(b"User,a,b,c,d\n", "x.csv")


RAWS = [(HERE / name).read_bytes() for name in (FIRST, SECOND)]


@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=mutated(RAWS, [b'"', b"User,a,2026/09/14,09:12:05,", b",", b"'+25:99"]))
def test_damaged_chats_never_stop_the_reader(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    read_damaged(raw, tmp_path_factory.getbasetemp() / "fuzzed", "line_account")


def test_quotation_marks_inside_of_a_text_open_nothing(tmp_path: Path) -> None:
    path = tmp_path / "chat.csv"
    path.write_text(
        "Account name,Shop\nTime zone,'+07:00\nDownloaded,2026/09/15 14:34\nType,Name,Date,Time,Text\n"
        'User,Nok,2026/09/14,09:12:05,a 5" screen please\n'
        'Account,Ann,2026/09/14,09:13:05,"this ""one"",\nor two"\n'
        "User,Nok,2026/09/14,09:14:05,the first\n"
    )
    found = read_files(path)
    assert [m["text"] for m in found.values[0]["messages"]] == [
        'a 5" screen please', 'this "one",\nor two', "the first"
    ]  # fmt: skip
    assert found.rejects == []


def test_export_without_messages_is_known_and_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "chat.csv"
    path.write_text(
        "アカウント名,店\nタイムゾーン,'+09:00\nダウンロード日時,2026/09/15 14:34\n種別,名前,日付,時刻,内容\n",
        encoding="utf-8",
    )
    found = read_files(path)
    assert (found.formats, found.values, found.rejects) == ({"line_account"}, [], [])


def test_export_that_a_spreadsheet_saved_again_is_read(tmp_path: Path) -> None:
    path = tmp_path / "chat.csv"
    text = (
        "アカウント名,みせ,,,\r\nタイムゾーン,'+09:00,,,\r\nダウンロード日時,2026/9/15 14:34,,,\r\n"
        "送信者タイプ,送信者名,送信日,送信時刻,内容\r\nUser,なおこ,2026/9/14,9:12:00,まだですか\r\n"
    )
    path.write_bytes(text.encode("cp932"))
    found = read_files(path)
    (value,) = found.values
    assert (value["started_at"], value["messages"][0]["text"]) == ("2026-09-14T09:12:00+09:00", "まだですか")
    assert (found.rejects, found.findings) == ([], [("warning", "charset_guessed")])

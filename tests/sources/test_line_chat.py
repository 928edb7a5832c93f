"""Chats saved in the LINE app: with tabs and with spaces, in several languages and calendars."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.commands.logs import call
from tests.sources.chat_family import EXAMPLES, claimed_elsewhere, mutated, read_damaged, words_lost
from tests.sources.goldens import check_golden, read_files

from carelog.sources.formats import detect_formats

HERE = Path(__file__).parent / "line_chat"
FIXTURES = sorted(p.name for p in HERE.glob("*.txt"))


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", FIXTURES)
def test_fixture_reads_as_reviewed(name: str) -> None:
    found = read_files(name, zone="Asia/Bangkok")
    assert found.formats == {"line_chat"}
    check_golden(name, found)


@pytest.mark.parametrize("name", FIXTURES)
def test_no_word_of_a_chat_is_lost(name: str) -> None:
    written = (
        "LINE Chat history with ประวัติการแชทกับ AM PM Monday Wednesday Mon Tue 月 午前 午後 田中とのトーク履歴"
    )
    assert words_lost(Path(name), read_files(name, zone="Asia/Bangkok").values, written) == []


def test_buddhist_years_quoted_lines_and_pasted_tabs_are_read() -> None:
    first, second = read_files("tabs_thai.txt", zone="Asia/Bangkok").values
    assert first["started_at"] == "2026-09-14T09:12:00+07:00"
    assert first["messages"][1]["text"] == 'ได้ค่ะ "ทุกวัน"\nวันไหนดีคะ\n09:16 น. ก็ได้'
    assert [m["speaker"] for m in first["messages"][-2:]] == ["system", "system"]
    assert second["messages"][1]["text"] == "ขอบคุณค่ะ\tราคา\t350"


def test_names_between_spaces_are_told_by_frequency() -> None:
    first, second = read_files("spaces.txt", zone="Asia/Bangkok").values
    assert (first["customer_id"], first["agent_id"]) == ("Nok Jaidee", "Baan Khanom Shop")
    assert first["messages"][4]["speaker"] == "system"
    assert first["messages"][2]["text"].endswith("any time\n2026/09/14")
    assert second["started_at"].startswith("2026-09-16")


def test_names_between_spaces_are_those_that_the_user_says() -> None:
    first, _ = read_files("spaces.txt", zone="Asia/Bangkok", agents=("Nok Jaidee",)).values
    assert first["direction"] == "outbound"


def test_files_of_windows_are_read(tmp_path: Path) -> None:
    text = Path("tabs_thai.txt").read_text(encoding="utf-8-sig")
    expected = read_files("tabs_thai.txt", zone="Asia/Bangkok").values
    for encoding in ("utf-16", "cp874"):
        path = tmp_path / "x.txt"
        path.write_bytes(text.encode(encoding))
        found = read_files(path, zone="Asia/Bangkok")
        assert [v["messages"] for v in found.values] == [v["messages"] for v in expected]


@pytest.mark.parametrize(
    "date",
    [
        "2026/09/14(月)",
        "2026/9/14周一",
        "Mon, 14/09/2026",
        "จ. 14/9/2569",
        "2026.09.14 วันจันทร์",
        "2026年9月14日(月)",
    ],
)
def test_dates_of_all_languages_are_read(tmp_path: Path, date: str) -> None:
    path = tmp_path / "x.txt"
    path.write_text(f"[LINE] Chat history with Nok\n\n{date}\n午後7:04\tNok\thi\n")
    (value,) = read_files(path, zone="UTC").values
    assert value["started_at"] == "2026-09-14T19:04:00Z"


def test_time_without_zone_is_put_aside_with_the_way_out() -> None:
    found = call("validate", "english.txt")
    assert found.exit_code == 65
    assert "--tz" in found.stdout and "anybody" not in found.stdout + found.stderr


def test_commands_read_a_chat_by_name_and_from_a_pipe() -> None:
    for arguments, raw in ((["english.txt"], None), (["-"], Path("english.txt").read_bytes())):
        done = call("validate", *arguments, "--tz", "Asia/Bangkok", "--format", "json", stdin=raw)
        assert (done.exit_code, json.loads(done.stdout)["accepted"]) == (0, 1)


def test_files_of_other_formats_are_not_claimed() -> None:
    assert claimed_elsewhere("line_chat", ("line_chat", "line_txt")) == []
    assert detect_formats(b"2026/09/14\n10:00 start\n10:05 stop\n", "x.txt") == {}


RAWS = [(HERE / name).read_bytes() for name in FIXTURES]
PIECES = [b"09:12\t", b"\t", b'"', b"2026/09/14(\xe6\x9c\x88)\n", b"99:99 x", b"[LINE] "]


@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=mutated(RAWS, PIECES))
def test_damaged_chats_never_stop_the_reader(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    read_damaged(raw, tmp_path_factory.getbasetemp() / "fuzzed", "line_chat")


@pytest.mark.parametrize(
    ("header", "date", "clock"),
    [
        ("[LINE] Chat history with Ana Lim\nSaved on: 02/05/2026, 10:30", "Mon, 02/02/2026", "10:30AM"),
        ("[LINE] Chat history with Ana Lim\nSaved on: 2026/02/05 10:30", "2026/02/02(Mon)", "10:30"),
        ("[LINE] 與Ana Lim的聊天\n儲存日期： 2026/02/05 10:30", "2026/02/02（一）", "上午10:30"),
        ("[LINE] 与Ana Lim的聊天记录\n保存日期: 2026/02/05 10:30", "2026/2/2周一", "10:30"),
        ("[LINE] Ana Lim님과의 대화\n저장한 날짜 : 2026/02/05 10:30", "2026.02.02 월요일", "오전 10:30"),
        ('[LINE] ประวัติการแชทในกลุ่ม "Ana Lim"\nบันทึกเมื่อ 5/2/2569 10:30 น.', "จ. 2/2/2569", "10:30 น."),
        (
            "[LINE] Riwayat obrolan dengan Ana Lim\nDisimpan pada: 05/02/2026 10.30",
            "Sen, 02/02/2026",
            "10.30",
        ),
        ("[LINE] Ana Limとのトーク履歴\n保存日時：2026/02/05 10:30", "2026年2月2日(月)", "10:30"),
    ],
)
def test_phones_of_many_languages_are_read(tmp_path: Path, header: str, date: str, clock: str) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(f"{header}\n\n{date}\n{clock}\tAna Lim\thi\n{clock}\tShop\tok\n", encoding="utf-8")
    found = read_files(path, zone="UTC")
    (value,) = found.values
    assert (value["started_at"], value["customer_id"], found.rejects) == (
        "2026-02-02T10:30:00Z",
        "Ana Lim",
        [],
    )
    assert value["source"]["record_id"] == "Ana Lim"
    assert value["extra"]["saved"] == header.split("\n")[1]


@pytest.mark.parametrize(
    ("date", "day"), [("Fri, 01/02/2026", "2026-01-02"), ("Sun, 01/02/2026", "2026-02-01")]
)
def test_day_of_the_week_tells_day_from_month(tmp_path: Path, date: str, day: str) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(f"[LINE] Chat history with Ana\n\n{date}\n10:30\tAna\thi\n")
    assert read_files(path, zone="UTC").values[0]["started_at"][:10] == day


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("I joined the group yesterday", "customer"),
        ("☎ Call time 1:23", "system"),
        ("ไม่ได้รับสาย", "system"),
        ("he unsent a message to me", "customer"),
    ],
)
def test_who_has_a_name_beside_the_text_wrote_it(tmp_path: Path, text: str, speaker: str) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(
        f"[LINE] Chat history with Ana\n\n2026/09/14(Mon)\n10:30\tAna\t{text}\n", encoding="utf-8"
    )
    assert read_files(path, zone="UTC").values[0]["messages"][0]["speaker"] == speaker


def test_name_of_the_file_tells_the_name_where_spaces_hide_it(tmp_path: Path) -> None:
    path = tmp_path / "[LINE] Ana Limとのトーク.txt"
    path.write_text("2026.09.14 Monday\n10:30 Ana Lim hi\n10:31 Shop ok 10.30 is fine\n", encoding="utf-8")
    (value,) = read_files(path, zone="UTC").values
    assert [(m["text"], n["from"]) for m, n in zip(value["messages"], value["extra"]["messages"], strict=True)] == [
        ("hi", "Ana Lim"), ("ok 10.30 is fine", "Shop")
    ]  # fmt: skip


def test_exports_that_were_put_together_are_read_as_one_chat(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    export = "[LINE] Anaとのトーク履歴\n保存日時：2026/09/20 10:00\n\n2026/09/{}({})\n10:30\tAna\t{}\n"
    path.write_text(export.format(14, "月", "one") + export.format(15, "火", "two"), encoding="utf-8")
    found = read_files(path, zone="UTC")
    assert [m["text"] for v in found.values for m in v["messages"]] == ["one", "two"]
    assert found.rejects == []


def test_names_of_two_words_are_told_from_few_lines(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(
        "2026.09.14 Monday\n10:30 Ana Lim hi there\n10:31 Shop ok\n10:32 Ana Lim Stickers\n10:33 Shop ok then\n"
    )
    (value,) = read_files(path, zone="UTC").values
    said = [
        (note["from"], m["text"])
        for m, note in zip(value["messages"], value["extra"]["messages"], strict=True)
    ]
    assert said == [("Ana Lim", "hi there"), ("Shop", "ok"), ("Ana Lim", "Stickers"), ("Shop", "ok then")]

"""Exported WhatsApp chats of several phones, languages and clocks."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.commands.logs import call
from tests.sources.chat_family import EXAMPLES, claimed_elsewhere, mutated, read_damaged, words_lost
from tests.sources.goldens import check_golden, read_files

from carelog.sources.formats import detect_formats
from carelog.sources.formats._whatsapp_words import find_title

HERE = Path(__file__).parent / "whatsapp"
FIXTURES = sorted(p.name for p in HERE.glob("*.txt"))
PRIYA = "WhatsApp Chat with Priya Nair.txt"


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", FIXTURES)
def test_fixture_reads_as_reviewed(name: str) -> None:
    found = read_files(name, zone="Europe/Helsinki")
    assert found.formats == {"whatsapp"}
    check_golden(name, found)


@pytest.mark.parametrize(
    "name", [n for n in FIXTURES if n not in ("unordered.txt", "WhatsApp Chat with Ana Lim.txt")]
)
def test_no_word_of_a_chat_is_lost(name: str) -> None:
    values = read_files(name, zone="Asia/Kolkata").values
    assert words_lost(Path(name), values, "am pm AM PM klo") == []


def test_lines_that_begin_like_messages_but_were_pasted_do_not_cut() -> None:
    first = read_files(PRIYA, zone="Asia/Kolkata").values[0]
    assert first["messages"][1]["text"].splitlines()[2] == "2016-04-29 10:30:00 Bill no 77"
    assert len(first["messages"]) == 9


def test_silence_cuts_a_chat_and_the_option_says_how_long() -> None:
    assert len(read_files(PRIYA, zone="Asia/Kolkata").values) == 2
    assert len(read_files(PRIYA, zone="Asia/Kolkata", gap_hours=100).values) == 1
    assert len(read_files(PRIYA, zone="Asia/Kolkata", gap_hours=1).values) == 3


def test_who_is_the_agent_is_said_or_guessed_with_a_warning() -> None:
    said = read_files(PRIYA, zone="Asia/Kolkata", agents=("priya nair",))
    assert said.values[0]["messages"][1]["speaker"] == "agent"
    assert (said.values[0]["direction"], said.findings) == ("outbound", [])
    assert ("warning", "agents_guessed") in read_files(PRIYA, zone="Asia/Kolkata").findings


def test_buddhist_years_and_narrow_spaces_are_read() -> None:
    assert [v["started_at"] for v in read_files("thai.txt", zone="Asia/Bangkok").values] == [
        "2026-09-14T09:12:00+07:00", "2026-09-15T09:20:00+07:00"
    ]  # fmt: skip
    assert read_files("_chat.txt", zone="Asia/Manila").values[0]["started_at"] == "2026-09-01T14:05:09+08:00"


def test_hour_that_comes_twice_keeps_the_order_of_the_file() -> None:
    (value,) = read_files("finnish.txt", zone="Europe/Helsinki").values
    assert [m["at"][11:] for m in value["messages"]] == [
        "03:30:15+03:00", "03:50:15+03:00", "03:10:15+02:00", "04:10:15+02:00"
    ]  # fmt: skip


def test_hour_that_does_not_exist_is_said(tmp_path: Path) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text("29.03.2026 03:30 - Aino: hei\n")
    found = read_files(path, zone="Europe/Helsinki")
    assert found.values[0]["started_at"] == "2026-03-29T03:30:00+02:00"
    assert ("warning", "clock_gap") in found.findings


def test_packed_chat_that_was_cut_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "_chat.txt.gz"
    raw = Path("thai.txt").read_bytes() + b"".join(b"%d\n" % (n * n * 7919 % 99991) for n in range(9000))
    path.write_bytes(gzip.compress(raw)[:-200])
    found = read_files(path, zone="Asia/Bangkok")
    assert [v["started_at"][:10] for v in found.values] == ["2026-09-14", "2026-09-15"]
    assert ("error", "truncated") in found.findings


def test_order_of_day_and_month_is_never_guessed() -> None:
    assert read_files("unordered.txt", zone="Asia/Kolkata").rejects == ["date_order"]
    for order, day in (("dmy", "2026-06-03"), ("mdy", "2026-03-06")):
        found = read_files("unordered.txt", zone="Asia/Kolkata", date_order=order)
        assert found.values[0]["started_at"] == f"{day}T21:25:00+05:30"


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["14/09/26", "15/09/26"], "2026-09-14"),
        (["9/1/26", "9/2/26", "9/3/26", "9/4/26"], "2026-09-01"),
        (["1/9/26", "2/9/26", "3/9/26", "4/9/26"], "2026-09-01"),
        (["2026/01/02", "2026/02/03"], "2026-01-02"),
        (["05.05.26"], "2026-05-05"),
        (["13. 6. 2018."], "2018-06-13"),
        (["3/6/67", "4/6/67", "13/6/67"], "2024-06-03"),
        (["06.13.18"], "2018-06-13"),
        (["01/02/26", "05/06/26"], None),
        (["01.02.26", "05.06.26"], "2026-02-01"),
        (["01-02-2026"], "2026-02-01"),
    ],
)
def test_order_is_told_by_all_dates_together(tmp_path: Path, dates: list[str], expected: str | None) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text("".join(f"{date} 10:00 - Ana: hi\n" for date in dates))
    values = read_files(path, zone="UTC").values
    assert [v["started_at"][:10] for v in values][:1] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("clock", "hour"),
    [
        ("9:30 p. m.", 21),
        ("12:05 AM", 0),
        ("12:05 PM", 12),
        ("下午7:04", 19),
        ("오후 7:04", 19),
        ("21.25", 21),
        ("午前0:01", 0),
    ],
)
def test_clocks_of_other_languages_are_read(tmp_path: Path, clock: str, hour: int) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text(f"2026/09/14 {clock} - Ana: hi\n")
    (value,) = read_files(path, zone="UTC").values
    assert int(value["started_at"][11:13]) == hour


@pytest.mark.parametrize(
    "line",
    [
        "9/14/26, 9:12\u202fAM - Ana: hi",
        "14/09/2026 09:12 - Ana: hi",
        "[14.09.26, 09:12:05] Ana: hi",
        "2026-09-14 09:12 - Ana: hi",
        "14/9/26, 9:12 a.\u00a0m. - Ana: hi",
        "2026년 9월 14일 오전 9:12 - Ana: hi",
        "14/09/26 09.12 - ~\u202fAna: hi",
        "14/9/69 09:12 น. - Ana: hi",
        "١٤/٩/٢٠٢٦، ٩:١٢ ص - Ana: hi",
        "[١٤\u200f/٩\u200f/٢٠٢٦، ٩:١٢:٠٥ ص] Ana: hi",
        "09:12, 14/09/2026 - Ana: hi",
        "9:12 SA, 14/9/26 - Ana: hi",
        "9/14/2569 BE, 9:12 AM - Ana: hi",
        "14.09.26 г., 9:12 - Ana: hi",
        "9/14/26, 9:12:05 AM: Ana: hi",
        "14/09/26, 09:12 – Ana: hi",
        "[9/14/R8, 09:12:05] Ana: hi",
        "14/09/26, 9:12 in the morning - Ana: hi",
        "2026/09/14, 09:12. - Ana: hi",
    ],
)
def test_phones_of_the_world_are_read(tmp_path: Path, line: str) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text(line + "\n")
    (value,) = read_files(path, zone="UTC").values
    assert value["started_at"][:16] == "2026-09-14T09:12"
    assert (value["customer_id"], value["messages"][0]["text"]) == ("Ana", "hi")


@pytest.mark.parametrize(
    ("text", "speaker", "note"),
    [
        ("I added two items but one was removed", "customer", None),
        ("You removed my order", "customer", None),
        ("video call me", "customer", None),
        ("\u200eMissed voice call, \u200eTap to call back", "system", None),
        ("Missed voice call", "system", None),
        ("\u200eBen added you", "system", None),
        ("\u200eÜber dieses Konto steht hier ein Hinweis der App", "system", None),
        ("\u200ePOLL:\nWhich day is best for a delivery to you?", "customer", None),
        ("\u200eLocation: https://maps.example/?q=13.7,100.5", "customer", None),
        ("bill.pdf • \u200e2 pages \u200edocument omitted", "customer", "media"),
        ("\u200e<adjunto: 00000042-PHOTO-2026-09-14.jpg>", "customer", "media"),
        ("\u200eไม่มีรูปภาพ", "customer", "media"),
        ("bill.pdf • 2 หน้า \u200eละเว้นเอกสาร", "customer", "media"),
        ("\u200eđã bỏ qua hình ảnh", "customer", "media"),
        ("AUD-20260914-WA0000. (file attached)", "customer", "media"),
        ("our list.pdf • 2 pages \u200e<attached: 00000047-our list.pdf>", "customer", "media"),
        ("\u200eSiam Square (Bangkok, Thailand): https://maps.example/v/4e89", "customer", None),
        ("รหัสความปลอดภัยของคุณกับ Ana มีการเปลี่ยนแปลง", "system", None),
        ("Your security code is 1234", "customer", None),
        ("Missed voice call from you, what is it?", "customer", None),
        ("Video call, please", "customer", None),
        ("This business is now closed?", "customer", None),
        ("She is a contact.", "customer", None),
        ("मैसेज और कॉल दोनों किया", "customer", None),
        ("मैसेजेस और कॉल्स एंड-टू-एंड एन्क्रिप्टेड हैं.", "system", None),
        ("\u200eVoice call, \u200e3 min", "system", None),
        ("Missed video call", "system", None),
        ("คุณได้ลบข้อความนี้", "agent", "deleted"),
        ("our price list.pdf (Datei angehängt)\nsee page 2", "customer", "media"),
        ("Diese Nachricht wurde gelöscht.", "customer", "deleted"),
        ("ok \u200e<Diese Nachricht wurde bearbeitet.>", "customer", "edited"),
        ("is 3 < 5 and 7 > 6?", "customer", None),
    ],
)
def test_what_people_wrote_is_told_from_what_the_app_wrote(
    tmp_path: Path, text: str, speaker: str, note: str | None
) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text(f"[14/09/2026, 09:12:05] Ana: hi\n[14/09/2026, 09:13:05] Ana: {text}\n", encoding="utf-8")
    (value,) = read_files(path, zone="UTC").values
    assert value["messages"][1]["speaker"] == speaker
    assert value["extra"]["messages"][1].get("note") == note


@pytest.mark.parametrize(
    "line", ['Ana changed the subject from "x: y" to "z"', "Ana hat das Thema zu „a: b“ gemacht", "Ana left"]
)
def test_lines_of_the_app_without_an_author_are_told_even_with_a_colon(tmp_path: Path, line: str) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text(f"14/09/2026, 09:12 - Ana: hi\n14/09/2026, 09:13 - {line}\n", encoding="utf-8")
    (value,) = read_files(path, zone="UTC").values
    assert (value["messages"][1]["speaker"], value["messages"][1]["text"]) == ("system", line)


def test_owner_of_the_phone_is_the_agent(tmp_path: Path) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text("14/09/2026, 09:12 - You: how can I help?\n14/09/2026, 09:13 - Ana: hi\n")
    (value,) = read_files(path, zone="UTC").values
    assert [m["speaker"] for m in value["messages"]] == ["agent", "customer"]


@pytest.mark.parametrize(
    "file",
    ["IMG-20260603-WA0001.jpg (file attached)", "\u200e<attached: 00000042-PHOTO-2026-06-03-09-13-05.jpg>"],
)
@pytest.mark.parametrize(("date", "other"), [("03/06/26", "04/06/26"), ("06/03/26", "06/04/26")])
def test_name_of_a_picture_tells_day_from_month(tmp_path: Path, file: str, date: str, other: str) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text(
        f"{date}, 09:12 - Ana: hi\n{date}, 09:13 - Ana: {file}\n{other}, 09:14 - Ana: so\n", encoding="utf-8"
    )
    assert [v["started_at"][:10] for v in read_files(path, zone="UTC").values] == ["2026-06-03", "2026-06-04"]


def test_who_deleted_as_you_is_whose_phone_it_was(tmp_path: Path) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text("14/09/2026, 09:12 - Noi: hello\n14/09/2026, 09:13 - Noi: You deleted this message\n"
                    "14/09/2026, 09:14 - Ana: hi\n14/09/2026, 09:15 - Ana: This message was deleted\n")  # fmt: skip
    (value,) = read_files(path, zone="UTC").values
    assert [m["speaker"] for m in value["messages"]] == ["agent", "agent", "customer", "customer"]


def test_order_that_is_assumed_from_dots_is_said(tmp_path: Path) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text("01.02.26, 10:00 - Ana: hi\n")
    assert ("warning", "date_order") in read_files(path, zone="UTC").findings
    assert ("warning", "date_order") not in read_files(path, zone="UTC", date_order="dmy").findings


def test_time_without_zone_is_put_aside_with_the_way_out() -> None:
    found = call("validate", PRIYA)
    assert found.exit_code == 65
    assert "--tz" in found.stdout and "mixer" not in found.stdout + found.stderr


def test_commands_read_a_chat_by_name_and_from_a_pipe() -> None:
    good = call(
        "validate", PRIYA, "--tz", "Asia/Kolkata", "--agents", "Kitchen World Support", "--format", "json"
    )
    assert (good.exit_code, json.loads(good.stdout)["accepted"]) == (0, 2)
    piped = call(
        "validate", "-", "--tz", "Asia/Kolkata", "--format", "json", stdin=Path("_chat.txt").read_bytes()
    )
    assert (piped.exit_code, json.loads(piped.stdout)["accepted"]) == (0, 2)
    forced = call("validate", "-", "--from", "whatsapp", stdin=b"Dear all,\n")
    assert forced.exit_code == 65


def test_ids_stay_when_the_chat_grows(tmp_path: Path) -> None:
    text = Path(PRIYA).read_text()
    older = [v["interaction_id"] for v in read_files(PRIYA, zone="Asia/Kolkata").values]
    path = tmp_path / PRIYA
    path.write_text(
        text.split("\n", 1)[0] + text[text.index("\n") :] + "20/09/2026, 9:00 am - Priya Nair: Hi\n"
    )
    assert [v["interaction_id"] for v in read_files(path, zone="Asia/Kolkata").values][:2] == older


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("a/WhatsApp Chat with Priya Nair (1).txt", "Priya Nair"),
        ("WhatsApp-Chat mit Ömer.txt", "Ömer"),
        ("WhatsApp Chat - Ana/_chat.txt", "Ana"),
        ("Chat de WhatsApp con José.txt", "José"),
        ("_chat.txt", ""),
        ("WhatsApp Chat - Ana Lim.zip/_chat.txt", "Ana Lim"),
        ("Conversa do WhatsApp com Zé.txt", "Zé"),
        ("แชท WhatsApp กับ คุณเอ.txt", "คุณเอ"),
        ("与王芳的WhatsApp聊天记录.txt", "王芳"),
        ("Ayşe ile WhatsApp Sohbeti.txt", "Ayşe"),
        ("whatsapp/notes.txt", ""),
    ],
)
def test_whom_the_chat_is_with_is_told_by_the_name(name: str, title: str) -> None:
    assert find_title(name) == title


@pytest.mark.parametrize(
    "head",
    [
        b"[2026-09-14 10:00:00] ERROR: disk full\n",
        b"2026-09-14 10:00:00 - root: INFO started\n",
        b"14/09/2026, 9:12 am\n",
        b"Dear all,\n14/09/2026, 9:12 - Ana: hi\n",
        b"\xff\xfe\0\0",
    ],
)
def test_logs_and_letters_are_not_claimed(head: bytes) -> None:
    assert "whatsapp" not in detect_formats(head, "x.txt")


def test_files_of_other_formats_are_not_claimed() -> None:
    assert claimed_elsewhere("whatsapp", ("whatsapp", "whatsapp_txt")) == []


def test_endless_message_and_endless_line_stay_bounded(tmp_path: Path) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text(
        "14/09/2026, 9:12 - Ana: hi\n" + "more\n" * 5000 + "x" * 3_000_000 + "\n14/09/2026, 9:13 - B: ok\n"
    )
    found = read_files(path, zone="UTC", max_line_bytes=10_000)
    assert [m["text"][-4:] for v in found.values for m in v["messages"]][-1] == "ok"
    assert ("warning", "too_long") in found.findings


RAWS = [(HERE / name).read_bytes() for name in FIXTURES]
PIECES = [
    b"14/09/2026, 9:12 - ",
    b"[9/1/26, 2:05 PM] A: ",
    b"\xe2\x80\x8e",
    b": ",
    b"99/99/9999, 99:99 - x: ",
]


@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=mutated(RAWS, PIECES))
def test_damaged_chats_never_stop_the_reader(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    read_damaged(raw, tmp_path_factory.getbasetemp() / "fuzzed", "whatsapp")


def test_known_author_needs_no_blank_behind_the_colon(tmp_path: Path) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text("[20/01/26 11:25] Ana: hi\n[20/01/26 11:26] Ana:.\n[20/01/26 11:27] joined:now\n")
    (value,) = read_files(path, zone="UTC").values
    assert [(m["speaker"], m["text"]) for m in value["messages"]] == [
        ("customer", "hi"), ("customer", "."), ("system", "joined:now")
    ]  # fmt: skip


def test_time_that_goes_back_by_years_begins_another_interaction(tmp_path: Path) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text("20/01/26, 11:25 - Ana: new\n20/01/24, 11:26 - Ana: old\n20/01/24, 11:25 - Ana: still\n")
    values = read_files(path, zone="UTC").values
    assert [[m["text"] for m in v["messages"]] for v in values] == [["new"], ["old", "still"]]

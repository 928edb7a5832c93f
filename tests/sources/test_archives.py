"""Exports as vendors ship them: in a zip archive."""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
from pathlib import Path

import pytest
from tests.commands.logs import call
from tests.sources.goldens import read_files

from carelog.errors import UnusableInput
from carelog.sources import archives
from carelog.sources.reading import identify

HERE = Path(__file__).parent
CHAT = (
    "[14/09/2026, 10:00:00] Ana Lim: where is my parcel?\n[14/09/2026, 10:05:00] Shop Support: on its way\n"
)


def pack(path: Path, members: dict[str, bytes | str], packed: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("packed", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_chat_is_read_from_the_archive_that_the_telephone_makes(tmp_path: Path, packed: int) -> None:
    path = pack(
        tmp_path / "WhatsApp Chat - Ana Lim.zip",
        {"_chat.txt": CHAT, "1-PHOTO.jpg": b"\xff\xd8\0" * 99},
        packed,
    )
    (value,) = read_files(path, zone="Asia/Bangkok").values
    assert [m["speaker"] for m in value["messages"]] == ["customer", "agent"]
    assert value["source"]["file"] == f"{path}/_chat.txt"
    assert value["customer_id"] == "Ana Lim"


def test_an_archive_in_a_folder_gives_the_same_ids_as_what_is_in_it(tmp_path: Path) -> None:
    source = HERE / "slack"
    (tmp_path / "zips").mkdir()
    shutil.make_archive(str(tmp_path / "zips" / "Export"), "zip", source)
    found, expected = read_files(tmp_path / "zips"), read_files(source)
    assert found.formats == expected.formats == {"slack"}
    assert {v["interaction_id"] for v in found.values} == {v["interaction_id"] for v in expected.values}
    assert found.rejects == expected.rejects


def test_a_mailbox_is_read_from_takeout_and_its_page_is_passed_over(tmp_path: Path) -> None:
    mails = (HERE / "email" / "takeout.mbox").read_bytes()
    path = pack(
        tmp_path / "takeout.zip",
        {"Takeout/archive_browser.html": "<html>", "Takeout/Mail/All mail.mbox": mails},
    )
    found, expected = read_files(path), read_files(HERE / "email" / "takeout.mbox")
    assert [v["messages"] for v in found.values] == [v["messages"] for v in expected.values]
    with identify([str(path)]) as inputs:
        assert inputs.skipped == [f"{path}/Takeout/archive_browser.html"]
        assert inputs.total_bytes() == len(mails)


def test_settings_beside_the_mails_are_passed_over_and_records_are_not(tmp_path: Path) -> None:
    mail = "From: a@cust.example\nDate: Mon, 14 Sep 2026 10:00:00 +0700\nSubject: x\n\nhello\n"
    members = {"Mail/a.eml": mail, "Mail/Settings/Filters.json": '{"filters": []}', "Mail/empty.json": ""}
    found = read_files(pack(tmp_path / "a.zip", members))
    assert (found.formats, found.rejects) == ({"email"}, [])
    record = '{"interaction_id":"1","channel":"email","started_at":"2026-09-14T10:00:00Z","subject":"x"}\n'
    found = read_files(pack(tmp_path / "b.zip", {**members, "log.jsonl": record}))
    assert found.formats == {"email", "jsonl"}


def test_a_forced_format_is_not_forced_on_the_pictures_beside_it(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"_chat.txt": CHAT, "a.jpg": b"\xff\xd8\0"})
    assert read_files(path, from_format="whatsapp", zone="UTC").rejects == []


def test_names_in_an_archive_are_no_paths_and_terminals_do_not_obey_them(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    members = {"../../evil\x1b[2J_chat.txt": CHAT, "__MACOSX/._chat.txt": CHAT, "./_chat.txt": CHAT}
    path = pack(tmp_path / "in" / "a.zip", members)
    found = read_files(path, zone="UTC")
    assert [v["source"]["file"] for v in found.values] == [
        f"{path}/../../evil\\x1b[2J_chat.txt",
        f"{path}/./_chat.txt",
    ]
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "a.zip"]


def test_a_member_that_swells_beyond_all_measure_ends_with_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED", 1_000_000)
    path = pack(tmp_path / "a.zip", {"_chat.txt": CHAT + "a" * 20_000_000})
    found = read_files(path, zone="UTC", max_line_bytes=10_000)
    assert ("error", "swells") in found.findings
    assert len(found.values) == 1


def test_an_archive_whose_members_share_their_bytes_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {f"{n}_chat.txt": CHAT * 50 for n in range(3)})
    raw = path.read_bytes()
    start = raw.index(b"PK\x01\x02")
    entry = raw[start : raw.index(b"PK\x01\x02", start + 4)]
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 40, 40, len(entry) * 40, start, 0)
    path.write_bytes(raw[:start] + entry * 40 + end)
    with pytest.raises(UnusableInput, match="more than it does"):
        identify([str(path)])


def test_damage_in_one_member_costs_only_its_rest(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"1_chat.txt": CHAT * 3, "2_chat.txt": CHAT}, zipfile.ZIP_STORED)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"parcel", b"parsel", 1))
    found = read_files(path, zone="UTC")
    assert ("error", "corrupt") in found.findings
    assert len(found.values) == 2


def test_what_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    whole = pack(tmp_path / "a.zip", {"_chat.txt": CHAT}).read_bytes()
    locked = bytearray(whole)
    locked[6] |= 1
    locked[whole.index(b"PK\x01\x02") + 8] |= 1
    cases = {
        "cut": (whole[:-30], "save it again or unpack it"),
        "locked": (bytes(locked), "has a password"),
        "none": (pack(tmp_path / "b.zip", {"a.jpg": b"\xff\xd8"}).read_bytes(), "no file in the zip archive"),
        "page": (b"<!DOCTYPE html>\n<html>", "as JSON"),
        "nested": (pack(tmp_path / "c.zip", {"a.zip": whole}).read_bytes(), "no file in the zip archive"),
        "book": (pack(tmp_path / "d.zip", {"[Content_Types].xml": "<x/>"}).read_bytes(), "save the sheet"),
    }
    for name, (raw, told) in cases.items():
        path = tmp_path / f"{name}.zip"
        path.write_bytes(raw)
        result = call("validate", path)
        assert (result.exit_code, told in result.stderr) == (65, True), name
    assert "name it" in call("validate", "-", stdin=io.BytesIO(whole).read()).stderr


def test_a_damaged_archive_in_a_folder_is_skipped_like_other_files(tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04" + b"\0" * 50)
    (tmp_path / "_chat.txt").write_text(CHAT)
    with identify([str(tmp_path)]) as inputs:
        assert inputs.skipped == [str(tmp_path / "broken.zip")]
        assert [known.format for known in inputs.known] == ["whatsapp"]


def test_a_member_that_is_damaged_from_its_beginning_costs_only_itself(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"1_chat.txt": CHAT, "2_chat.txt": CHAT * 2})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"1_chat.txt") + len("1_chat.txt")] = 0xFF
    path.write_bytes(raw)
    found = read_files(path, zone="UTC")
    assert [v["source"]["file"] for v in found.values] == [f"{path}/2_chat.txt"]
    assert ("error", "corrupt") in found.findings

"""Mails as mailboxes really hold them, to threads."""

from __future__ import annotations

import gzip
import io
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.commands.logs import call
from tests.sources.goldens import check_golden, read_files
from tests.sources.leaves import lost_leaves

from carelog.sources.blocks import ReadOptions
from carelog.sources.formats import FORMATS, detect_formats
from carelog.sources.formats._charsets import decode_text
from carelog.sources.formats._html_text import html_to_text
from carelog.sources.formats._mail_dates import parse_date
from carelog.sources.formats._mail_headers import decode_header, find_addresses, read_headers
from carelog.sources.formats._mail_text import mark_history
from carelog.sources.formats._mbox import split_mbox
from carelog.sources.reading import identify, read_blocks

HERE = Path(__file__).parent / "email"
SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
OURS = {"our_domains": ("shop.example",)}
FIXTURES = sorted(p.name for p in HERE.iterdir() if p.suffix in (".eml", ".mbox"))


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", [*FIXTURES, "maildir"])
def test_fixture_reads_as_reviewed(name: str) -> None:
    found = read_files(name, **OURS)
    assert found.formats == {"email"}
    check_golden(name, found)


def test_threads_are_joined_and_body_lines_do_not_cut_mails() -> None:
    found = read_files("thread.mbox", **OURS)
    parcel, invoice = found.values
    assert [m["speaker"] for m in parcel["messages"]] == ["customer", "agent", "customer"]
    assert "From now on I order only by phone.\nFrom 2019 I have" in parcel["messages"][0]["text"]
    assert ">From line in an old mail.\n\nFrom my side" in parcel["messages"][0]["text"]
    assert parcel["messages"][2]["text"].endswith("\nFrom Asha")
    assert (parcel["first_response_seconds"], parcel["agent_id"]) == (9000, "ben@shop.example")
    assert (invoice["started_at"], invoice["source"]["line"]) == ("2026-09-14T07:00:00-04:00", 36)


def test_thread_is_joined_over_files(tmp_path: Path) -> None:
    text = Path("thread.mbox").read_text()
    cut = text.index("From asha@cust.example Tue")
    (tmp_path / "a.mbox").write_text(text[:cut])
    (tmp_path / "b.mbox").write_text(text[cut:])
    found = read_files(tmp_path, **OURS)
    assert [len(v["messages"]) for v in found.values] == [3, 1]
    assert [m["file"] for m in found.values[0]["extra"]["mails"]] == [
        str(tmp_path / name) for name in ("a.mbox", "a.mbox", "b.mbox")
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_ids_and_records_do_not_depend_on_how_the_mailbox_comes(tmp_path: Path, packed: bool) -> None:
    raw = Path("takeout.mbox").read_bytes()
    path = tmp_path / "takeout.mbox"
    path.write_bytes(gzip.compress(raw) if packed else b"\xef\xbb\xbf" + raw)
    expected, found = read_files("takeout.mbox").values, read_files(path).values
    for one, other in zip(expected, found, strict=True):
        assert one["interaction_id"] == other["interaction_id"]
        assert one["messages"] == other["messages"]


def test_takeout_tells_ours_from_the_sent_label_and_keeps_localised_labels() -> None:
    asked, told = read_files("takeout.mbox").values
    assert asked["source"] | {"file": ""} == {
        "system": "gmail", "format": "email", "file": "", "line": 1, "record_id": "1828754568043628583"
    }  # fmt: skip
    assert asked["tags"] == ["Posteingang", "Wichtig", "Fragen, offene", "กล่องจดหมาย", "Gesendet"]
    assert (asked["direction"], asked["initiative"]) == ("inbound", "reactive")
    assert (told["direction"], told["initiative"], told["customer_id"]) == (
        "outbound", "proactive", "mali@gmail.com"
    )  # fmt: skip


def test_thai_charsets_are_read_and_guesses_are_said() -> None:
    declared = read_files("thai_874.eml")
    assert declared.values[0]["subject"] == "บิลเงินสด"
    assert declared.values[0]["messages"][0]["text"] == "ขอ “บิลเงินสด” ด้วยค่ะ…"
    assert ("warning", "charset_guessed") not in declared.findings
    guessed = read_files("no_charset.eml")
    assert guessed.values[0]["messages"][0]["text"] == "ยังไม่ได้รับของเลยค่ะ order 7"
    assert guessed.findings.count(("warning", "charset_guessed")) == 2


@pytest.mark.parametrize(
    ("raw", "declared", "text", "keyword"),
    [
        ("สวัสดี".encode("cp874"), "us-ascii", "สวัสดี", "charset_mended"),
        ("สวัสดี".encode("cp874"), "TIS-620", "สวัสดี", None),
        (b"\x85\x91ok", "x-windows-874", "…‘ok", None),
        ("café".encode("cp1252"), "iso-8859-1", "café", None),
        ("café".encode("cp1252"), "unknown-8bit", "café", "charset_guessed"),
        ("café".encode(), "iso-8859-1", "café", "charset_mended"),
        ("café".encode(), None, "café", None),
        ("café".encode("cp1252"), "utf-8", "café", "charset_mended"),
        ("ดีมาก".encode() + b"\xe0\xb8", "utf-8", "ดีมาก�", "bytes_replaced"),
        ("届く".encode("iso2022_jp"), "iso-2022-jp", "届く", None),
        ("届く".encode("cp932"), "windows-31j", "届く", None),
        ("שלום".encode("iso8859_8"), "iso-8859-8-i", "שלום", None),
        (
            "こんにちは、注文はまだですか".encode("cp932"),
            None,
            "こんにちは、注文はまだですか",
            "charset_guessed",
        ),
        ("Где мой заказ, скажите".encode("cp1251"), "iso-8859-1", "Где мой заказ, скажите", "charset_mended"),
        ("Где мой заказ, скажите".encode("koi8-r"), None, "Где мой заказ, скажите", "charset_guessed"),
        ("您好，请问我的订单在哪里".encode("gb18030"), None, "您好，请问我的订单在哪里", "charset_guessed"),
        ("안녕하세요 주문".encode("cp949"), None, "안녕하세요 주문", "charset_guessed"),
        ("เเม่ค่ะ แล้วได้ของยังคะ".encode("cp874"), None, "เเม่ค่ะ แล้วได้ของยังคะ", "charset_guessed"),
        ("façade à l'été".encode("cp1252"), None, "façade à l'été", "charset_guessed"),
        ("ÄÖÜ GRÖßE ÜBERALL".encode("cp1252"), None, "ÄÖÜ GRÖßE ÜBERALL", "charset_guessed"),
        ("你好，我公司".encode(), "gb2312", "你好，我公司", "charset_mended"),
        ("แคบ".encode("cp874"), "tis-620", "แคบ", None),
        (b"plain", "rot13", "plain", None),
        (b"plain", "no such charset", "plain", None),
    ],
)
def test_charset_labels_are_read_as_the_world_writes_them(
    raw: bytes, declared: str | None, text: str, keyword: str | None
) -> None:
    found, remark = decode_text(raw, declared)
    assert found == text
    assert (remark.keyword if remark else None) == keyword


def test_utf8_that_was_encoded_twice_is_mended() -> None:
    twice = "".join(
        chr(b) if 0x80 <= b < 0xA0 and b in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([b]).decode("cp1252")
        for b in "ส่งแล้วครับ".encode()
    )
    text, remark = decode_text(twice.encode(), "utf-8")
    assert (text, remark and remark.keyword) == ("ส่งแล้วครับ", "mojibake_mended")
    assert decode_text("Ã©t".encode(), "utf-8") == ("Ã©t", None)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"=?utf-8?B?4Lia?= =?utf-8?B?4Lij?=", "บร"),
        (b"=?utf-8?B?4Li?= =?utf-8?B?muC4ow==?=", "บร"),
        (b"=?utf-8*en?Q?a=20b?= c =?utf-8?q?d_e?=", "a b c d e"),
        (b'"=?utf-8?Q?caf=C3=A9?=" <x@y>', '"café" <x@y>'),
        (b"=?utf-8?B?broken", "=?utf-8?B?broken"),
        ("สวัสดี".encode(), "สวัสดี"),
    ],
)
def test_headers_are_decoded_as_mailers_write_them(raw: bytes, text: str) -> None:
    assert decode_header(raw)[0] == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 14 Sep 2026 10:00:00 +0700 (ICT)", "2026-09-14T10:00:00+07:00"),
        ("14 Sep 26 10:00 EST", "2026-09-14T10:00:00-05:00"),
        ("Mon, 14 Sep 2026 10:00:00 -0000", "2026-09-14T10:00:00+00:00"),
        ("Mon, 14 Sep 2026 10:00:00 IST", "2026-09-14T10:00:00"),
        ("2026-09-14T10:00:00+05:30", "2026-09-14T10:00:00+05:30"),
        ("Mon, 31 Feb 2026 10:00:00 +0000", None),
        ("yesterday", None),
    ],
)
def test_dates_keep_their_offset_and_never_gain_one(text: str, expected: str | None) -> None:
    moment, _ = parse_date(text)
    assert (moment.isoformat() if moment else None) == expected


def test_time_without_zone_is_put_aside_until_tz_says_it() -> None:
    assert read_files("no_zone.eml").rejects == ["no_offset"]
    found = read_files("no_zone.eml", zone="Europe/Berlin", **OURS)
    assert found.values[0]["started_at"] == "2026-10-25T02:30:00+02:00"
    assert found.findings == [("warning", "clock_fold")]


def test_impossible_date_is_taken_from_the_received_header() -> None:
    found = read_files("received.eml", **OURS)
    assert found.values[0]["started_at"] == "2026-09-14T12:00:00+02:00"
    assert found.findings == [("warning", "date_mended")]


def test_html_becomes_lines_and_quotes_are_marked() -> None:
    text = read_files("html_only.eml").values[0]["messages"][0]["text"]
    assert text.startswith("Hi po, nasaan na ang refund ko?\nOrder #12 & 13\n\n- one\n- two")
    assert "preheader" not in text and "> We shipped it." in text
    assert "> From: Shop" in read_files("outlook.eml").values[0]["messages"][0]["text"]


def test_html_of_any_shape_takes_linear_time() -> None:
    for piece in (
        "<a",
        "<!--",
        "<title>",
        "<blockquote>",
        "<div style='display:none'>",
        "&",
        "<p>",
        "<ul><li>",
    ):
        start = time.process_time()
        html_to_text(piece * 100_000)
        assert time.process_time() - start < 20


def test_attachments_and_attached_mails_are_told_but_are_no_text() -> None:
    (value,) = read_files("alternative.eml").values
    text = value["messages"][0]["text"]
    assert text == "The same text on several lines, joined.\n> quoted together\nNext line\n-- \nMaria"
    parts = value["extra"]["mails"][0]["parts"]
    assert [p.get("name") for p in parts] == [None, "ก.pdf", "café.png", "winmail.dat", None]
    assert parts[-1]["text"] == "What somebody else said."


def test_machines_are_no_customers() -> None:
    for name in ("auto_reply.eml", "bounce.eml"):
        (value,) = read_files(name, **OURS).values
        assert [m["speaker"] for m in value["messages"]] == ["system"]
        assert "customer_id" not in value


def test_contact_form_speaks_for_the_customer_behind_it() -> None:
    (value,) = read_files("form.eml", **OURS).values
    assert (value["customer_id"], value["messages"][0]["speaker"]) == ("ravi@cust.example", "customer")


def test_copies_of_a_mail_count_once_and_other_mails_under_one_id_do_not_vanish() -> None:
    (value,) = read_files("maildir", **OURS).values
    assert len(value["messages"]) == 1
    assert value["extra"]["mails"][0]["flags"] == "RS"
    assert [c["file"] for c in value["extra"]["mails"][0]["copies"]] == ["maildir/new/1789380001.M2P1.host"]
    (value,) = read_files("same_id.mbox", **OURS).values
    assert [m["text"] for m in value["messages"]] == ["First text.", "Second text."]


def test_answer_without_reference_is_found_by_subject_and_people_within_a_month() -> None:
    assert "initiative" not in read_files("answer_alone.eml", **OURS).values[0]
    found = read_files("orphan_reply.mbox", **OURS)
    assert [len(v["messages"]) for v in found.values] == [2, 1]


def test_without_our_domains_the_guess_is_said_and_who_answers_is_the_agent(tmp_path: Path) -> None:
    text = Path("thread.mbox").read_text().replace("support@shop.example", "ann@shop.example")
    (tmp_path / "x.mbox").write_text(text)
    found = read_files(tmp_path / "x.mbox")
    assert [m["speaker"] for m in found.values[0]["messages"]] == ["customer", "agent", "customer"]
    assert found.findings == [("warning", "our_domains")]


def test_truncated_archive_costs_the_mail_that_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "mails.gz"
    raw = Path("thread.mbox").read_bytes() + os.urandom(3000).hex().encode()
    path.write_bytes(gzip.compress(raw)[:-900])
    found = read_files(path, **OURS)
    assert [len(v["messages"]) for v in found.values] == [2, 1]
    assert found.rejects == ["truncated"]
    assert ("error", "truncated") in found.findings


def test_mail_over_the_limit_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "big.mbox"
    head, _, rest = Path("thread.mbox").read_text().partition("Hello, my")
    path.write_text(head + "Hello, my" + "x" * 3_000_000 + "\n" + rest)
    found = read_files(path, max_line_bytes=50_000, **OURS)
    assert [len(v["messages"]) for v in found.values] == [3, 1]
    assert ("warning", "too_long") in found.findings
    assert found.values[1]["source"]["line"] == 37


def test_endless_thread_is_cut_into_bounded_interactions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carelog.sources.formats.email.MOST_MAILS", 2)
    found = read_files("thread.mbox", **OURS)
    assert [len(v["messages"]) for v in found.values] == [2, 1, 1]
    assert len({v["interaction_id"] for v in found.values}) == 3


def test_commands_read_mailboxes_by_name_and_from_a_pipe(tmp_path: Path) -> None:
    good = call("validate", "thread.mbox", "--our-domains", "shop.example,shop.test", "--format", "json")
    assert good.exit_code == 0
    assert json.loads(good.stdout)["accepted"] == 2
    piped = call("validate", "-", "--format", "json", stdin=Path("thread.mbox").read_bytes())
    assert (piped.exit_code, json.loads(piped.stdout)["accepted"]) == (0, 2)
    bad = call("validate", "no_date.eml")
    assert bad.exit_code == 65
    assert "no_date" in bad.stdout and "At which time" not in bad.stdout + bad.stderr


def test_nothing_remains_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert call("validate", "-", stdin=Path("thread.mbox").read_bytes()).exit_code == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FIXTURES)
def test_nothing_of_a_mail_is_lost(name: str) -> None:
    found = read_files(name, zone="Asia/Bangkok", **OURS)
    if found.rejects:
        return
    whole = {"values": found.values}
    for piece in split_mbox(io.BytesIO(Path(name).read_bytes()), 0, 1_000_000):
        headers = {
            n: decode_header(v)[0] for n, v in read_headers(piece.raw).fields if n.lower() not in ("date",)
        }
        assert lost_leaves(headers, whole, lambda path, leaf: leaf.strip("<>")) == []


def test_other_formats_are_not_claimed() -> None:
    detect = FORMATS["email"].detect
    for head in (
        b"",
        b"\0\xff",
        b"{}",
        b"WEBVTT\n\nFrom: x\n",
        b"HTTP/1.1 200 OK\nDate: x\nContent-Type: y\n",
    ):
        assert detect(head, "x") is None
    assert detect(b"From: x\n", "x.txt") is None


@pytest.mark.skipif(not SAMPLES.exists(), reason="the reference samples are not here")
def test_samples_are_told_apart() -> None:
    for path in sorted(SAMPLES.rglob("*")):
        if path.is_file():
            claims = detect_formats(path.read_bytes()[:65536], str(path))
            assert ("email" in claims) == (path.suffix == ".eml")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the reference samples are not here")
def test_samples_read_as_a_person_would() -> None:
    found = read_files(SAMPLES / "eml")
    assert found.rejects == ["no_date"]
    texts = [m["text"] for v in found.values for m in v["messages"]]
    assert len(texts) == 6
    assert "스티해" in texts and any(t.startswith("대부분의") for t in texts)


def _read_bytes(raw: bytes, path: Path) -> None:
    path.write_bytes(raw)
    with identify([str(path)], "email") as inputs:
        for block in read_blocks(inputs, ReadOptions(zone="Asia/Bangkok", **OURS)):
            json.dumps(block.values, ensure_ascii=False).encode()
            assert all(isinstance(reject.raw, str) for reject in block.rejects)


RAWS = [(HERE / name).read_bytes() for name in FIXTURES]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    raw = bytearray(draw(st.sampled_from(RAWS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(raw) - 1)))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            raw[at : at + draw(st.integers(0, 60))] = b""
        elif kind == 1:
            raw[at:at] = draw(st.binary(max_size=12))
        elif kind == 2:
            raw[at:at] = draw(
                st.sampled_from([b"\n\nFrom ", b"=?", b"\r", b"\0", b"\xe0\xb8", b"--b1\n", b"<!--"])
            )
        else:
            raw[at:at] = raw[at : at + draw(st.integers(0, 400))]
    return bytes(raw)


SECONDS = float(os.environ.get("CARELOG_FUZZ_SECONDS", "0"))


@settings(max_examples=40 if not SECONDS else max(40, int(SECONDS * 60)), deadline=None)
@given(raw=mutated())
def test_damaged_mails_never_stop_the_reader(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    _read_bytes(raw, tmp_path_factory.getbasetemp() / "fuzzed")


@settings(max_examples=60, deadline=None)
@given(
    bodies=st.lists(
        st.lists(
            st.sampled_from(
                [
                    "",
                    "text",
                    "From me to you",
                    "From x Mon Sep 14 03:30:00 2026",
                    ">From y",
                    "Subject: no",
                    "é" * 300,
                ]
            ),
            max_size=8,
        ),
        min_size=1,
        max_size=5,
    ),
    block_bytes=st.integers(1, 3000),
    limit=st.sampled_from([50, 400, 100_000]),
)
def test_mailbox_is_cut_alike_however_it_arrives(
    bodies: list[list[str]], block_bytes: int, limit: int
) -> None:
    raw = "".join(
        f"From a@b Mon Sep 14 03:30:00 2026\nSubject: {n}\n\n" + "".join(f"{line}\n" for line in body) + "\n"
        for n, body in enumerate(bodies)
    ).encode()
    whole = list(split_mbox(io.BytesIO(raw), 0, limit))
    assert list(split_mbox(io.BytesIO(raw), 0, limit, block_bytes)) == whole
    assert len(whole) >= len(bodies)
    assert sum(piece.length for piece in whole) == len(raw)
    for piece in whole:
        assert raw[piece.offset + piece.skip :].startswith(piece.raw)
        assert piece.line == raw[: piece.offset].count(b"\n") + 1


HEAD = b"From: a@cust.example\nTo: support@shop.example\nDate: Mon, 14 Sep 2026 10:31:00 +0700\nSubject: x\n"


@pytest.mark.parametrize(
    ("rest", "text"),
    [
        (b"Content-Type: multipart/mixed\n\nNo parts at all.\n", "No parts at all."),
        (b"Content-Type: multipart/mixed; boundary=b\n\nNo such boundary.\n", "No such boundary."),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n"
            b"Content-Disposition: inline; filename=m.txt\n\nshown\n"
            b"--b\nContent-Type: text/plain; name=a.txt\n\nnot\n--b--\n",
            "shown",
        ),
        (b"Content-Type: text/html\n\n<p>one<p>two", "one\n\ntwo"),
        (b"Content-Type: text/plain; charset=\"\n\nplain", "plain"),
        (b"Content-Transfer-Encoding: base64\n\n!!!cGxhaW4=", "plain"),
        (b"Content-Type: ;;;\n\nplain", "plain"),
        (b"\n", ""),
    ],
)  # fmt: skip
def test_bodies_of_any_shape_give_their_text(tmp_path: Path, rest: bytes, text: str) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(HEAD + rest)
    (value,) = read_files(path, **OURS).values
    assert value["messages"][0]["text"] == text


def test_drafts_are_no_messages_and_gmail_chats_are_chats(tmp_path: Path) -> None:
    thread = (
        "X-GM-THRID: 5\nFrom: {}@cust.example\nTo: support@shop.example\nSubject: s\nX-Gmail-Labels: {}\n"
    )
    mail = (
        "From 1@xxx Mon Sep 14 03:30:00 +0000 2026\n"
        + thread
        + "Date: Mon, 14 Sep 2026 10:3{}:00 +0700\n\n{}\n\n"
    )
    path = tmp_path / "all.mbox"
    path.write_text(
        mail.format("a", "Inbox", 1, "asked")
        + mail.format("b", '"Entwürfe"', 2, "not yet sent")
        + mail.replace("THRID: 5", "THRID: 6").format("c", "Drafts", 3, "alone")
        + mail.replace("THRID: 5", "THRID: 7").format("d", "Chat", 4, "a chat"),
        encoding="utf-8",
    )
    found = read_files(path, **OURS)
    first, chat = found.values
    assert [m["text"] for m in first["messages"]] == ["asked"]
    assert [d["text"] for d in first["extra"]["drafts"]] == ["not yet sent"]
    assert (chat["channel"], found.rejects) == ("chat", ["draft"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thanks!\n\nOn Mon, 14 Sep 2026, Ben wrote:\nIt is on its way.", "> It is on its way."),
        ("Danke!\n\nAm 14.09.2026 schrieb Ben <b@x>:\nUnterwegs.", "> Unterwegs."),
        ("ขอบคุณค่ะ\n\nเมื่อ 14 ก.ย. 2569 Ben เขียนว่า:\nส่งแล้วครับ", "> ส่งแล้วครับ"),
        ("धन्यवाद\n\n14 सित॰ 2026 को Ben ने लिखा:\nभेज दिया", "> भेज दिया"),
        ("Thanks!\n\n-----Original Message-----\nFrom: Ben\n\nSent.", "> Sent."),
        ("On Mon, Ben wrote:\n> quoted\n\nmy answer below", "my answer below"),
        ("I am from: here\nto: there", "to: there"),
        ("From: Ben\nSent: now\nTo: you\nSubject: x\n\nall is forwarded", "all is forwarded"),
        ("谢谢\n\n发件人：店\n发送时间：2026年9月14日\n收件人：王\n主题：订单\n\n已发货", "> 已发货"),
        ("Gracias\n\nDe: Ben\nEnviado el: lunes\nPara: Ana\nAsunto: x\n\nEnviado.", "> Enviado."),
        ("Obrigada\n\nEm seg., 14 de set. de 2026 às 10:00, Ben <b@x.example> escreveu:\nFoi.", "> Foi."),
        ("Dank\n\nOp ma 14 sep. 2026 om 10:00 schreef Ben <b@x.example>:\nVerzonden.", "> Verzonden."),
        ("ありがとう\n\n2026年9月14日(月) 10:00 Ben <b@x.example>:\n発送しました", "> 発送しました"),
        ("Kiitos\n\nma 14. syysk. 2026 klo 10.00 Ben (b@x.example) kirjoitti:\nMatkalla.", "> Matkalla."),
        (
            "Thanks\n\nOn Monday, 14 September 2026, Benjamin Arthur Smith\n<b@x.example> wrote:\nSent.",
            "> Sent.",
        ),
        ("Thanks\n\n##- Please type your reply above this line -##\nYour request", "> Your request"),
        ("Hi\n\nOn Monday I wrote:\nplease help", "please help"),
        ("I travel\n\nFrom: Bangkok\nTo: Delhi\nDate: 5 May\nthanks", "thanks"),
        ("Order 12345 is late.\nThe label says:\nreturn to sender", "return to sender"),
    ],
)
def test_history_is_marked_and_own_words_are_not(text: str, expected: str) -> None:
    assert mark_history(text).split("\n")[-1] == expected


def test_outlook_history_in_html_is_marked() -> None:
    head = "<b>From:</b> Ben<br><b>Sent:</b> Monday<br><b>To:</b> Ana<br><b>Subject:</b> x"
    assert mark_history(html_to_text(f"<p>Danke</p><div>{head}</div><p>old")).endswith(
        "> Subject: x\n>\n> old"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 14 Sep 2026 10:00:00 GMT+0700", "2026-09-14T10:00:00+07:00"),
        ("Mon, 14 Sep 2026 10:00:00 UTC-5", "2026-09-14T10:00:00-05:00"),
        ("Mon, 14 Sep 2026 1:05:00 PM +0200", "2026-09-14T13:05:00+02:00"),
        ("Mon, 14 Sept 2026 10:00:00.250 CEST", "2026-09-14T10:00:00+02:00"),
        ("lun., 14 août 2026 10:00:00 +0200", "2026-08-14T10:00:00+02:00"),
        ("2026/09/14 10:00 +0900", "2026-09-14T10:00:00+09:00"),
        ("2026-09-14T10:00:00.123Z", "2026-09-14T10:00:00+00:00"),
        ("20260914T100000Z", "2026-09-14T10:00:00+00:00"),
        ("Mon, 14 Sep 2026 10:00:00 (JST)", "2026-09-14T10:00:00+09:00"),
        ("Mon, 14 Sep 2569 10:00:00 +0700", "2026-09-14T10:00:00+07:00"),
        ("Mon, 14 Sep 2026 24:00:00 +0700", "2026-09-15T00:00:00+07:00"),
        ("Wed, 5 Feb 103 10:00:00 +0000", "2003-02-05T10:00:00+00:00"),
        ("Mon, 14 Sep 2026 10:00:00 BST", "2026-09-14T10:00:00"),
        ("14 Sep 2026", None),
        ("09/10/2026 10:00:00", None),
    ],
)
def test_dates_of_careless_mailers_are_read(text: str, expected: str | None) -> None:
    moment, _ = parse_date(text)
    assert (moment.isoformat() if moment else None) == expected


@pytest.mark.parametrize(
    ("name", "head", "options", "started"),
    [
        ("a.eml", "Received: from x; nonsense\nReceived: from y; Mon, 14 Sep 2026 10:00:00 +0700\n", {},
         "2026-09-14T10:00:00+07:00"),
        ("a.eml", "Delivery-Date: Mon, 14 Sep 2026 10:00:00 +0200\n", {}, "2026-09-14T10:00:00+02:00"),
        ("1789380001.M1P1.host:2,S", "", {}, "2026-09-14T10:00:01Z"),
        ("1789380001_0.77.host,U=1:2,S", "", {}, "2026-09-14T10:00:01Z"),
        ("a.eml", "", {"start": "2026-09-14T10:00:00+07:00"}, "2026-09-14T10:00:00+07:00"),
        ("a.eml", "", {"start": "2026-09-14T10:00:00", "zone": "Asia/Tokyo"}, "2026-09-14T10:00:00+09:00"),
    ],
)  # fmt: skip
def test_time_of_a_mail_without_date_comes_from_what_else_tells_it(
    tmp_path: Path, name: str, head: str, options: dict[str, str], started: str
) -> None:
    path = tmp_path / name
    path.write_text(f"From: a@cust.example\nTo: support@shop.example\n{head}Subject: x\n\nhello\n")
    found = read_files(path, **OURS, **options)
    assert [v["started_at"] for v in found.values] == [started]
    assert found.findings == [("warning", "date_mended")]


def test_mail_without_any_time_is_put_aside_and_says_what_to_type() -> None:
    assert "--start" in call("validate", "no_date.eml").stdout
    assert call("validate", "no_date.eml", "--start", "2026-09-14T10:00Z").exit_code == 0


def test_separator_dates_the_mails_of_an_mbox_and_needs_no_empty_line(tmp_path: Path) -> None:
    path = tmp_path / "box"
    mail = "From {} Mon Sep 14 10:0{}:00 {}2026\nReceived: by x\nFrom: a@cust.example\nSubject: {}\n\nhello"
    path.write_text(
        mail.format("-", 1, "+0700 ", "one") + "\n" + mail.format("a@cust.example", 2, "", "two") + "\n"
        "From x Mon Sep 14 10:00:00 2026\nis how mboxes begin.\n"
    )  # fmt: skip
    one, two = read_files(path, zone="Asia/Bangkok", **OURS).values
    assert (one["started_at"], two["started_at"]) == (
        "2026-09-14T10:01:00+07:00",
        "2026-09-14T10:02:00+07:00",
    )
    assert two["messages"][0]["text"].endswith("is how mboxes begin.")
    assert read_files(path, **OURS).rejects == ["no_offset"]


@pytest.mark.parametrize(
    ("name", "head", "is_mail"),
    [
        ("x", b"From: a@b.example\nContent-Type: text/plain\n\nhello", True),
        ("x.eml", b"MIME-Version: 1.0\nContent-Type: text/plain\n\nhello", True),
        ("x.eml.gz", b"X-One: a\nSubject: hello\n\nhello", True),
        ("x", b"Date: Mon\nContent-Type: text/html\n\nhello", False),
        ("x.txt", b"Subject: a plan\n\nhello", False),
        ("x.eml", b"hello\n\nFrom: nobody", False),
    ],
)
def test_mails_are_told_by_few_headers(name: str, head: bytes, is_mail: bool) -> None:
    assert (FORMATS["email"].detect(head, name) is not None) is is_mail


@pytest.mark.parametrize(
    ("rest", "text"),
    [
        (b'Content-Transfer-Encoding: "base64";\n\ncGxhaW4=', "plain"),
        (b"Content-Transfer-Encoding: Quoted-Printable \n\ncaf=C3=A9", "café"),
        (b"Content-Type: text/plain; name=body.txt\n\nshown", "shown"),
        (b"Content-Type: text/markdown\n\n*shown*", "*shown*"),
        (
            b"Content-Type: multipart/alternative; boundary=one\n\n--other\nContent-Type: text/html\n"
            b"Content-Transfer-Encoding: base64\n\nPHA+c2hvd248L3A+\n--other--\n",
            "shown",
        ),
        (b"Content-Type: text/enriched\n\n<bold>shown</bold> 3 << 4", "shown 3 < 4"),
        (
            b"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>once</p>\n"
            b"--b\nContent-Type: text/plain\n\nonce\n--b--\n",
            "once",
        ),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\n"
            b"--c\nContent-Type: text/plain\n\none\n--c\nContent-Type: text/html\n\none\n--c--\n"
            b"--b\nContent-Type: multipart/alternative; boundary=d\n\n--d\nContent-Type: text/html\n\n<b>two</b>\n"
            b"--d--\n--b--\n",
            "one\n\ntwo",
        ),
        (
            b"Content-Type: message/rfc822\n\nFrom: c@x.example\nSubject: y\n\nsaid elsewhere",
            "said elsewhere",
        ),
    ],
)
def test_text_is_found_however_it_is_wrapped(tmp_path: Path, rest: bytes, text: str) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(HEAD + rest)
    (value,) = read_files(path, **OURS).values
    assert value["messages"][0]["text"] == text


@pytest.mark.parametrize(
    ("head", "is_machine"),
    [
        ("Subject: Automatic reply: Order 7\n", True),
        ("Subject: การตอบกลับอัตโนมัติ: ขอบคุณ\n", True),
        ("Subject: Out of Office: back on Monday\n", True),
        ("X-Failed-Recipients: a@b.example\n", True),
        ("Preference: auto_reply\n", True),
        ("Subject: out of office furniture\n", False),
        ("Subject: Re: Automatic reply: Order 7\n", False),
        ("Auto-Submitted: no\n", False),
        ("List-Id: <news.cust.example>\n", True),
        ("Precedence: bulk\n", True),
        ("List-Id: <talk.cust.example>\nList-Post: NO\n", True),
        ("Precedence: list\nList-Id: <talk.cust.example>\nList-Post: <mailto:talk@cust.example>\n", False),
    ],
)
def test_answers_of_machines_are_known_by_their_marks(tmp_path: Path, head: str, is_machine: bool) -> None:
    path = tmp_path / "one.eml"
    path.write_text(
        f"From: a@cust.example\nTo: support@shop.example\nDate: Mon, 14 Sep 2026 10:31:00 +0700\n{head}\nhi\n",
        encoding="utf-8",
    )
    (value,) = read_files(path, **OURS).values
    assert value["messages"][0]["speaker"] == ("system" if is_machine else "customer")


def test_addresses_that_a_list_archive_hides_are_addresses(tmp_path: Path) -> None:
    path = tmp_path / "2026-September.txt"
    path.write_text(
        "From asha.rao at cust.example  Mon Sep 14 10:31:00 2026\nFrom: asha.rao at cust.example (Asha Rao)\n"
        "Date: Mon, 14 Sep 2026 10:31:00 +0530\nSubject: hello\n\nWhere is it?\n"
    )
    (value,) = read_files(path, **OURS).values
    assert value["customer_id"] == "asha.rao@cust.example"


@pytest.mark.parametrize(
    "separator",
    ["From ", "From - ", "From - Mon Sep 14 10:31:00 2026", "From x@y Mon Sep 14 10:31:00 -0800 2026"],
)
def test_separators_of_many_mailers_cut_mails(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "Inbox"
    mail = "Received: by x\nFrom: {0}@cust.example\nTo: support@shop.example\nDate: Mon, 14 Sep 2026 10:31:00 +0700\nSubject: {0}\n\nFrom \nme\n"
    path.write_text(f"\n\n{separator}\n{mail.format('a')}\n{separator}\n{mail.format('b')}\n")
    found = read_files(path, **OURS)
    assert [(v["customer_id"], v["messages"][0]["text"]) for v in found.values] == [
        ("a@cust.example", "From \nme"), ("b@cust.example", "From \nme")
    ]  # fmt: skip
    assert found.rejects == []


@pytest.mark.parametrize(
    "sender", ["Ana [mailto:Ana@cust.example]", "<<ana@cust.example>>", "'ana@cust.example'"]
)
def test_addresses_are_found_in_any_brackets(tmp_path: Path, sender: str) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(HEAD.replace(b"a@cust.example", sender.encode()) + b"\nhello")
    assert read_files(path, **OURS).values[0]["customer_id"] == "ana@cust.example"


@pytest.mark.parametrize(
    ("place", "is_ours"),
    [
        (".Sent/cur/1.x:2,S", True),
        ("Sent Messages.mbox/mbox", True),
        ("_sent_mail/1.", True),
        ("sentiment/1.", False),
    ],
)
def test_folder_of_sent_mails_tells_who_the_company_is(tmp_path: Path, place: str, is_ours: bool) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(
        "From: ann@one.example\nTo: bob@two.example\nDate: Mon, 14 Sep 2026 10:31:00 +0700\nSubject: x\n\nhi\n"
    )
    (value,) = read_files(path).values
    assert (value["direction"] == "outbound") is is_ours


@pytest.mark.parametrize(
    ("mark", "is_draft"),
    [
        ("X-Unsent: 1", True),
        ("X-Mozilla-Draft-Info: internal/draft; vcard=0", True),
        ("X-Uniform-Type-Identifier: com.apple.mail-draft", True),
        ("X-Unsent: 0", False),
    ],
)
def test_mails_that_were_never_sent_are_known_by_their_mailers_marks(
    tmp_path: Path, mark: str, is_draft: bool
) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(HEAD + mark.encode() + b"\n\nhello")
    assert read_files(path, **OURS).rejects == (["draft"] if is_draft else [])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"spoof@other.example" <a@b.example>', [("spoof@other.example", "a@b.example")]),
        ("spoof@other.example <A@B.example>", [("spoof@other.example", "a@b.example")]),
        (
            '"Lim, Ana" <a@b.example>, c@d.example (Chai)',
            [("Lim, Ana", "a@b.example"), ("Chai", "c@d.example")],
        ),
        ("Lim, Ana <a@b.example>", [("Lim, Ana", "a@b.example")]),
        ("=?utf-8?Q?Lim=2C_Ana?= <a@b.example>", [("Lim, Ana", "a@b.example")]),
        ("Team: Ana <a@b.example>, c@d.example;", [("Ana", "a@b.example"), ("", "c@d.example")]),
        ("a@b.example; c@d.example", [("", "a@b.example"), ("", "c@d.example")]),
        ("undisclosed recipients: ;", []),
        ("root@[10.0.0.1]", [("", "root@[10.0.0.1]")]),
        ('"Ana <a@b.example', [("Ana", "a@b.example")]),
        ("Ana <a@b.example", [("Ana", "a@b.example")]),
    ],
)
def test_people_are_found_in_headers_as_mailers_write_them(
    value: str, expected: list[tuple[str, str]]
) -> None:
    assert [(name.strip("< "), address) for name, address in parse_addresses_of(value)] == expected


def parse_addresses_of(value: str) -> list[tuple[str, str]]:
    return find_addresses(read_headers(f"From: {value}\n\n".encode()), "from")


def test_copy_that_a_server_encoded_anew_is_the_same_mail(tmp_path: Path) -> None:
    head = HEAD + b"Message-ID: <1@cust.example>\nContent-Type: text/plain; charset=utf-8\n"
    (tmp_path / "a.eml").write_bytes(
        head + b"Content-Transfer-Encoding: 8bit\n\n" + "Grüße aus Köln".encode()
    )
    (tmp_path / "b.eml").write_bytes(
        head + b"Content-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe aus K=C3=B6ln\n"
    )
    (value,) = read_files(tmp_path, **OURS).values
    assert [m["text"] for m in value["messages"]] == ["Grüße aus Köln"]
    assert len(value["extra"]["mails"][0]["copies"]) == 1


def test_mailbox_that_lost_its_first_line_is_cut_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "rest.mbox"
    path.write_bytes(HEAD + b"\none\n\nFrom a@cust.example Mon Sep 14 10:31:00 2026\n" + HEAD + b"\ntwo\n")
    assert [v["messages"][0]["text"] for v in read_files(path, **OURS).values] == ["one", "two"]


def test_earliest_mark_of_history_counts() -> None:
    text = "Hi\n\nOn 14 Sep 2026, Ben wrote:\nfirst\n\nFrom: Ana\nSent: now\nTo: Ben\nSubject: x\n\nlast"
    assert mark_history(text).split("\n")[2:4] == ["> On 14 Sep 2026, Ben wrote:", "> first"]


@pytest.mark.parametrize(
    ("head", "customer", "speaker"),
    [
        ("From: mailer@forms.example\nReply-To: Ana <ana@cust.example>\n", "ana@cust.example", "customer"),
        ("From: no-reply@forms.example\nReply-To: ana@cust.example\n", "ana@cust.example", "customer"),
        ("From: no-reply@forms.example\nReply-To: help@forms.example\n", None, "system"),
        (
            "From: mailer@news.example\nReply-To: a@b.example\nList-Unsubscribe: <x>\n",
            "mailer@news.example",
            "customer",
        ),
        ("From: bob@cust.example\nReply-To: ana@else.example\n", "bob@cust.example", "customer"),
    ],
)
def test_form_of_a_service_speaks_for_whom_to_answer(
    tmp_path: Path, head: str, customer: str | None, speaker: str
) -> None:
    path = tmp_path / "one.eml"
    path.write_text(
        f"{head}To: support@shop.example\nDate: Mon, 14 Sep 2026 10:31:00 +0700\nSubject: x\n\nhello\n"
    )
    (value,) = read_files(path, **OURS).values
    assert (value.get("customer_id"), value["messages"][0]["speaker"]) == (customer, speaker)

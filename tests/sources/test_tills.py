"""The traps of receipts: rows of one receipt, money, dates, zones, XML."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pytest
from tests.commands.logs import call
from tests.sources.goldens import read_files

from carelog.sources.clocks import load_zone
from carelog.sources.formats._money import parse_money, to_amount
from carelog.sources.formats._till_clocks import ZONES, find_order, find_zone, orders_of, parse_stamp
from carelog.sources.formats.poslog import read_poslog

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def in_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("$1,240.00", "1240.00", None),
        ("-$0.95", "-0.95", None),
        ("($5.00)", "-5.00", None),
        ("฿45.00", "45.00", "THB"),
        ("45,00 €", "45.00", "EUR"),
        ("1.240,50", "1240.50", None),
        ("1,240", "1240", None),
        ("1 240,50 zł", "1240.50", "PLN"),
        ("THB 99", "99", "THB"),
        ("12,34,567.89", "1234567.89", None),
        ("5-", "-5", None),
        ("−5", "-5", None),
        ("-0.00", "0.00", None),
        ("0.10", "0.10", None),
    ],
)
def test_money_is_exact_whatever_stands_around_it(text: str, amount: str, currency: str | None) -> None:
    found = parse_money(text)
    assert found is not None
    assert (to_amount(found[0]), found[1]) == (amount, currency)


@pytest.mark.parametrize("text", ["", "-", "free", "1 2 3 x 4", "N/A", "$", "9" * 50])
def test_what_is_no_money_is_none(text: str) -> None:
    assert parse_money(text) is None


def test_amount_that_the_record_cannot_hold_is_absent() -> None:
    assert to_amount(Decimal("1234567890123456")) is None
    assert to_amount(Decimal("1.50000000")) == "1.5"


@pytest.mark.parametrize(
    ("stamp", "order", "expected"),
    [
        ("7/28/26 1:33 PM", "mdy", "2026-07-28T13:33:00"),
        ("7/28/26 12:05 am", "mdy", "2026-07-28T00:05:00"),
        ("01/10/2026 23:50", "dmy", "2026-10-01T23:50:00"),
        ("01/10/2569 23:50", "dmy", "2026-10-01T23:50:00"),
        ("2026-07-18 12:59:30", None, "2026-07-18T12:59:30"),
        ("5/5/2026 10.30", None, "2026-05-05T10:30:00"),
        ("28/7/26 1:33 PM", "mdy", None),
        ("01/10/2026 23:50", None, None),
    ],
)
def test_dates_of_tills(stamp: str, order: str | None, expected: str | None) -> None:
    local, _ = parse_stamp(stamp, order)
    assert (local and local.isoformat()) == expected


def test_order_of_day_and_month_is_told_by_the_whole_file() -> None:
    assert orders_of("7/28/26 1:33 PM") == {"mdy"}
    assert orders_of("28/7/26 1:33 PM") == {"dmy"}
    assert orders_of("1/2/26 1:33 PM") == {"dmy", "mdy"}
    assert find_order({"dmy"}, "mdy") == "dmy"
    assert find_order({"dmy", "mdy"}, "mdy") == "mdy"
    assert find_order({"dmy", "mdy"}, None) is None
    assert find_order(set(), None) is None


def test_every_zone_of_rails_is_one_of_iana() -> None:
    assert len(ZONES) > 140
    for zone in ZONES.values():
        assert load_zone(zone) is not None
    assert find_zone("Eastern Time (US & Canada)") == "America/New_York"
    assert find_zone("Asia/Kolkata") == "Asia/Kolkata"
    assert find_zone("../../etc/passwd") is None


def test_two_equal_items_count_twice_and_an_export_that_overlaps_does_not(tmp_path: Path) -> None:
    raw = Path("square/items.csv").read_bytes()
    (tmp_path / "a.csv").write_bytes(raw)
    (tmp_path / "b.csv").write_bytes(raw)
    for paths in (["square/items.csv"], [tmp_path / "a.csv", tmp_path / "b.csv"]):
        first = read_files(*paths, zone="Asia/Bangkok").values[0]
        assert first["order"]["amount"] == "1326.80"


def test_transaction_says_the_amount_where_both_exports_are_read(tmp_path: Path) -> None:
    text = Path("square/transactions.csv").read_text().replace("T-1", "B-1").replace("$1,339.20", "฿1,326.80")
    (tmp_path / "t.csv").write_text(text)
    found = {v["interaction_id"]: v for v in read_files(tmp_path / "t.csv", "square/items.csv").values}
    assert found["B-1"]["order"] == {
        "order_id": "B-1", "kind": "sale", "amount": "1326.80", "currency": "THB"
    }  # fmt: skip


def test_digits_of_cards_and_tokens_are_not_kept() -> None:
    text = str(read_files("square/items.csv", "square/transactions.csv", zone="Asia/Bangkok").values)
    assert "4242" not in text and "tok-1" not in text


def test_zone_of_the_receipt_goes_before_that_of_the_user() -> None:
    found = read_files("square/transactions.csv", zone="Asia/Bangkok")
    assert [v["started_at"][-6:] for v in found.values] == ["-04:00", "-06:00", "-04:00"]
    assert found.findings == [("warning", "clock_fold")]


def test_shopify_total_counts_once_and_notes_keep_their_lines() -> None:
    first, back, void = read_files("shopify/orders.csv").values
    assert (first["order"]["amount"], len(first["extra"]["rows"])) == ("36.00", 2)
    assert first["notes"] == "She asked twice\nwhether it fits."
    assert (back["order"]["kind"], back["store_id"], void["order"]["kind"]) == ("return", "web", "void")


def test_shopify_dates_that_a_spreadsheet_rewrote(tmp_path: Path) -> None:
    text = Path("shopify/orders.csv").read_text()
    for day in ("14", "15", "16"):
        text = text.replace(f"2026-05-{day} 1", f"{day}/05/2026 1")
    path = tmp_path / "orders.csv"
    path.write_text(text.replace(":45 +0100", "").replace(":00 +0100", ""))
    found = read_files(path, zone="Europe/London")
    assert [v["started_at"] for v in found.values] == [
        "2026-05-14T11:23:00+01:00", "2026-05-15T10:00:00+01:00", "2026-05-16T10:00:00+01:00"
    ]  # fmt: skip


def test_loyverse_asks_for_what_the_file_does_not_say() -> None:
    done = call("validate", "loyverse/receipts_unclear.csv")
    assert done.exit_code == 65
    assert "--date-order dmy" in done.stdout
    (value,) = read_files(
        "loyverse/receipts_unclear.csv", date_order="dmy", zone="Asia/Bangkok", currency="THB"
    ).values
    assert (value["started_at"], value["order"]["currency"]) == ("2026-10-01T23:50:00+07:00", "THB")


def test_currency_must_be_a_code() -> None:
    done = call("validate", "loyverse/receipts_unclear.csv", "--currency", "baht")
    assert done.exit_code == 2
    assert "currency" in done.stderr


def test_log_in_xml_keeps_to_the_grand_amount_and_leaves_out_what_is_no_sale() -> None:
    found = read_files("poslog/day.xml", zone="Europe/Berlin")
    sale, back, void, swap = found.values
    assert sale["order"] == {"order_id": "TX-1", "kind": "sale", "amount": "45.00", "currency": "THB"}
    assert (back["order"]["amount"], back["started_at"]) == ("-9.99", "2026-10-25T02:30:00+02:00")
    assert (void["order"]["kind"], swap["order"]["kind"]) == ("void", "exchange")
    assert sorted(k for _, k in found.findings) == ["clock_fold", "no_interaction", "no_interaction"]
    assert found.rejects == ["not_xml", "not_xml"]


def test_entities_are_refused_and_cost_nothing(tmp_path: Path) -> None:
    assert read_files("poslog/entities.xml").rejects == ["xml_dtd"]
    hidden = tmp_path / "late.xml"
    text = Path("poslog/day.xml").read_text()
    hidden.write_text(text.replace("op-1<", "&xxe;<"))
    assert "not_xml" in read_files(hidden, zone="Europe/Berlin").rejects


def test_log_in_xml_that_is_cut_off_or_too_long(tmp_path: Path) -> None:
    raw = Path("poslog/day.xml").read_bytes()
    cut = tmp_path / "cut.xml.gz"
    cut.write_bytes(gzip.compress(raw[: len(raw) // 2]))
    found = read_files(cut, zone="Europe/Berlin")
    assert (found.rejects, ("error", "truncated") in found.findings) == (["truncated"], True)
    long = tmp_path / "long.xml"
    long.write_bytes(raw.replace("ชาเย็น".encode(), b"x" * 3_000_000))
    found = read_files(long, zone="Europe/Berlin", max_line_bytes=100_000)
    assert found.rejects[0] == "too_long"
    assert [v["store_id"] for v in found.values] == ["S2", "S2", "S2"]


def test_log_in_xml_is_the_same_however_it_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_files("poslog/day.xml", zone="Europe/Berlin")
    for size in (7, 100, 1000):
        monkeypatch.setattr(f"{read_poslog.__module__}.CHUNK_BYTES", size)
        assert read_files("poslog/day.xml", zone="Europe/Berlin") == whole


def test_refund_under_the_transaction_that_it_gives_back_is_another_visit(tmp_path: Path) -> None:
    text = Path("square/transactions.csv").read_text().replace("T-2", "T-1")
    (tmp_path / "t.csv").write_text(text)
    sale, back, _ = read_files(tmp_path / "t.csv").values
    assert (sale["interaction_id"], back["interaction_id"]) == ("T-1", "T-1/P-2")
    assert (sale["order"]["amount"], back["order"]["amount"]) == ("1339.20", "-5.40")
    assert back["order"]["order_id"] == "T-1"


def test_receipt_without_a_store_is_read_with_a_remark(tmp_path: Path) -> None:
    path = tmp_path / "receipts.csv"
    path.write_text(
        "Date,Receipt number,Receipt type,Gross sales,Discounts,Net sales,Total collected,Status\n"
        "28/08/2026 18:00,6-1,Sale,200,0,200,200,Closed\n"
    )
    found = read_files(path, zone="Asia/Bangkok")
    assert (found.values[0]["store_id"], found.findings) == ("loyverse", [("warning", "no_store")])


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_day_without_a_clock_stands_for_midnight_with_a_remark(tmp_path: Path) -> None:
    orders = write(
        tmp_path,
        "Name,Financial Status,Paid at,Total,Lineitem quantity,Lineitem name\n"
        "#2001,paid,2026-08-15,129.97,2,Lamp\n#2001,,,,1,Bulb\n,,,,1,Shade\n#2002,paid,2026-08-16,5,1,Bulb\n",
    )
    found = read_files(orders, zone="Asia/Bangkok")
    first, second = found.values
    assert found.formats == {"shopify"} and {keyword for _, keyword in found.findings} >= {"no_clock"}
    assert (first["started_at"], second["started_at"]) == (
        "2026-08-15T00:00:00+07:00",
        "2026-08-16T00:00:00+07:00",
    )
    assert first["order"]["amount"] == "129.97"
    assert [row["Lineitem name"] for row in first["extra"]["rows"]] == ["Lamp", "Bulb", "Shade"]


def test_voided_receipt_of_loyverse_is_a_void(tmp_path: Path) -> None:
    text = "Date,Receipt number,Receipt type,Gross sales,Net sales,Store,Status\n"
    path = write(
        tmp_path, text + "13/01/2026 10:00,R-3,Sale,25,25,Main,Voided\n14/01/2026,R-4,Sale,1,1,Main,Closed\n"
    )
    found = read_files(path, zone="Asia/Bangkok")
    assert [value["order"]["kind"] for value in found.values] == ["void", "sale"]
    assert ("warning", "no_clock") in found.findings

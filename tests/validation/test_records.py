"""A block in; accepted columns, rejects and findings out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.validation.records import START, block_of, full_record, record

from carelog.columns import RECORD, to_values
from carelog.findings import Finding, Reject
from carelog.labels import CHANNELS
from carelog.validation import DuplicateIds, reject_duplicates, validate_block
from carelog.validation import records as validation_records
from carelog.validation.rules import check_record

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def only_reject(value: Any, **options: Any) -> Reject:
    validated = validate_block(block_of(value), now=NOW, **options)
    assert (validated.read, validated.accepted.num_rows, len(validated.rejects)) == (1, 0, 1)
    return validated.rejects[0]


def said(found: Reject | Finding) -> list[tuple[str, str, str]]:
    findings = found.findings if isinstance(found, Reject) else [found]
    return [(f.pointer, f.keyword, f.message) for f in findings]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_sound_record_of_each_channel_is_accepted_as_it_stands(channel: str) -> None:
    value = full_record(channel)
    validated = validate_block(block_of(value), now=NOW)
    assert validated.accepted.schema == RECORD
    assert to_values(validated.accepted) == [value]
    assert validated.rejects == validated.findings == []


def test_an_empty_block_is_an_empty_batch() -> None:
    validated = validate_block(block_of())
    assert validated.accepted.schema == RECORD
    assert (validated.read, validated.accepted.num_rows, validated.rejects) == (0, 0, [])


def test_read_is_accepted_and_rejected_with_rejects_of_reading_in_their_place() -> None:
    broken = Reject("a.jsonl", 2, 200, None, "{", [Finding("a.jsonl", 2, "", "not_json", "this is not JSON")])
    block = block_of(record(), record(channel="fax"), record(interaction_id="I-2"))
    block.lines = [1, 3, 4]
    block.rejects = [broken]
    validated = validate_block(block)
    assert validated.read == 4 == validated.accepted.num_rows + len(validated.rejects)
    assert [r.line for r in validated.rejects] == [2, 3]
    assert validated.lines.tolist() == [1, 4]


def test_a_reject_says_where_it_stood_and_keeps_the_record_as_it_was() -> None:
    reject = only_reject(record(status="done"))
    assert (reject.file, reject.line, reject.byte_offset, reject.interaction_id) == ("a.jsonl", 1, 100, "I-1")
    assert json.loads(reject.raw) == record(status="done")


def test_every_fault_of_a_record_is_told() -> None:
    early = "2026-03-10T09:00:00+05:30"
    value = record(status="done", wait_seconds=-1, ended_at=early, language="Hindi (India)")
    assert sorted((p, k) for p, k, _ in said(only_reject(value))) == [
        ("/ended_at", "ended_before_started"),
        ("/language", "pattern"),
        ("/status", "enum"),
        ("/wait_seconds", "minimum"),
    ]


@pytest.mark.parametrize(
    ("fields", "pointer", "keyword", "message"),
    [
        (
            {"satisfaction": {"scale": "nps_10", "score": 11}},
            "/satisfaction/score",
            "maximum",
            "`satisfaction.score` is 11; for scale `nps_10` it must be 0 to 10",
        ),
        (
            {"satisfaction": {"scale": "thumbs", "score": 2}},
            "/satisfaction/score",
            "enum",
            "`satisfaction.score` is 2; for scale `thumbs` it must be one of 0, 1",
        ),
        ({"started_at": None}, "/started_at", "required", "`started_at` is missing"),
        (
            {"ended_at": "2026-02-30T10:00:00Z"},
            "/ended_at",
            "format",
            '`ended_at` is "2026-02-30T10:00:00Z"; there is no such day',
        ),
        (
            {"started_at": "2026-03-10 09:15"},
            "/started_at",
            "format",
            '`started_at` is "2026-03-10 09:15"; it lacks the offset from UTC: '
            "write it like 2026-03-10T09:15:00+05:30 or with Z, or say the zone: --tz Asia/Bangkok",
        ),
        (
            {"started_at": "2016-12-31T23:59:60Z"},
            "/started_at",
            "format",
            '`started_at` is "2016-12-31T23:59:60Z"; a leap second cannot be kept: write second 59',
        ),
        (
            {"messages": [{"speaker": "caller", "text": "hi"}]},
            "/messages/0/speaker",
            "enum",
            '`messages[0].speaker` is "caller"; it must be one of customer, agent, bot, system',
        ),
        ({"tags": "vip"}, "/tags", "type", "`tags` is text; it must be a list"),
        (
            {"order": {"amount": "1,499"}},
            "/order/amount",
            "pattern",
            '`order.amount` is "1,499"; it must be a decimal number as text, such as "1499.00", '
            "without thousands marks",
        ),
        ({"order": {}}, "/order", "minProperties", "`order` is empty"),
        ({"customer_id": " "}, "/customer_id", "pattern", "`customer_id` is blank"),
        ({"wait_seconds": -5}, "/wait_seconds", "minimum", "`wait_seconds` is -5; it must be 0 or more"),
        (
            {"wait_seconds": True},
            "/wait_seconds",
            "type",
            "`wait_seconds` is true or false; it must be a number",
        ),
        (
            {"wait_seconds": 1e11},
            "/wait_seconds",
            "maximum",
            "`wait_seconds` is 100000000000.0; it must be 10000000000 or less",
        ),
    ],
)
def test_findings_are_said_in_words_of_support_people(
    fields: dict[str, Any], pointer: str, keyword: str, message: str
) -> None:
    assert said(only_reject(record(**fields))) == [(pointer, keyword, message)]


def test_null_says_to_leave_the_field_out() -> None:
    (found,) = said(only_reject({**record(), "ended_at": None}))
    assert found[2] == "`ended_at` is null; it must be text, or left out where it is not known"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            record("chat", messages=[], status="closed"),
            "a chat needs at least one message, or a status of missed or abandoned",
        ),
        (
            record("phone", status=None),
            "a phone call needs a status, a duration (such as talk_seconds) or words "
            "(messages, notes or a subject)",
        ),
        (record("email", subject=None), "an email needs a subject or words (messages or notes)"),
        (
            record("in_store", notes=None),
            "a visit to a store needs words (messages, notes or a subject), an order or "
            "a stated satisfaction",
        ),
        (record("in_store", store_id=None), "`store_id` is missing"),
    ],
)
def test_what_a_channel_needs_at_the_least_is_said_plainly(value: dict[str, Any], message: str) -> None:
    assert [m for _, _, m in said(only_reject(value))] == [message]


NO_CHANNELS: list[dict[str, Any]] = [{"channel": c} for c in (["x"], {}, None, 1)] + [{}]


@pytest.mark.parametrize("value", NO_CHANNELS)
def test_a_channel_of_any_shape_is_a_finding_and_not_a_crash(value: dict[str, Any]) -> None:
    reject = only_reject({**record(channel=None), **value})
    assert [f.pointer for f in reject.findings] == ["/channel"]


def test_the_channel_is_filled_in_only_where_it_is_absent() -> None:
    block = block_of(record(channel=None, status="missed"), record("email"))
    validated = validate_block(block, channel="phone")
    assert validated.accepted.column("channel").to_pylist() == ["phone", "email"]


def test_words_of_customers_are_never_shown() -> None:
    secret = "my card is 4111 1111 1111 1111"
    value = {**record("chat"), "subject": {"x": secret}, "notes": [secret], "tags": [{"t": secret}]}
    value["messages"] = [{"speaker": "customer", "text": {"t": secret}}, secret]
    for _, _, message in said(only_reject(value)):
        assert "4111" not in message


@pytest.mark.parametrize(
    "words", ["Tell Anna I called", "anna@example.com", "9876543210", "ของยังไม่มาเลย", "a\tb"]
)
def test_words_in_a_field_for_codes_are_not_shown_either(words: str) -> None:
    (found,) = said(only_reject(record(status=words)))
    assert found[2].startswith("the value of `status` is not allowed; it must be one of completed, missed")


def test_values_are_cut_and_their_control_characters_made_visible() -> None:
    (found,) = said(only_reject(record(status="\x1b[31m\u202e" + "x" * 100)))
    assert found[2].startswith('`status` is "\\x1b[31m\\u202e' + "x" * 33 + '…"; it must be one of completed')


def test_a_record_of_countless_faults_is_told_in_bounds() -> None:
    reject = only_reject(record("chat", messages=[{}] * 5000))
    assert len(reject.findings) == validation_records.MOST_FINDINGS + 1
    assert reject.findings[-1].keyword == "too_many_faults"


def test_an_end_before_the_start_is_an_error_also_across_offsets() -> None:
    good = record(ended_at="2026-03-10T09:15:00+05:30")
    bad = record(ended_at="2026-03-10T09:16:00+07:00")
    validated = validate_block(block_of(good, bad, good), now=NOW)
    assert validated.lines.tolist() == [1, 3]
    assert said(validated.rejects[0]) == [
        ("/ended_at", "ended_before_started", "`ended_at` is 1 hour before `started_at`")
    ]


def test_warnings_leave_the_record_accepted() -> None:
    at = [START, "2026-03-10T09:14:59+05:30", "2026-03-10T09:14:58+05:30"]
    values = [
        record("chat", messages=[{"speaker": "agent", "text": "", "at": t} for t in at]),
        record(started_at="2026-04-01T00:00:01Z"),
        record("chat", messages=[{"speaker": "agent", "text": "", "at": "2030-01-01T00:00:00z"}]),
        record(loyalty_tier="gold"),
        record("chat", messages=[{"speaker": "agent", "text": "", "picture": "a.png"}]),
    ]
    validated = validate_block(block_of(*values), now=NOW)
    assert (validated.accepted.num_rows, validated.rejects) == (5, [])
    assert {f.severity for f in validated.findings} == {"warning"}
    assert [(f.line, f.pointer, f.keyword) for f in validated.findings] == [
        (1, "/messages/1/at", "message_order"),
        (2, "/started_at", "future"),
        (3, "/messages/0/at", "future"),
        (4, "/loyalty_tier", "unknown_field"),
        (5, "/messages/0/picture", "unknown_field"),
    ]


def test_unknown_fields_are_kept_under_extra_wherever_they_stood() -> None:
    messages = [{"speaker": "agent", "text": "", "picture": "a.png"}]
    value = record("chat", messages=messages, tier="gold", extra={"a": 1})
    (extra,) = validate_block(block_of(value)).accepted.column("extra").to_pylist()
    assert json.loads(extra) == {"a": 1, "tier": "gold", "/messages/0/picture": "a.png"}


def test_without_now_nothing_is_in_the_future() -> None:
    assert validate_block(block_of(record(started_at="2999-01-01T00:00:00Z"))).findings == []


def test_a_value_that_no_column_can_hold_costs_only_its_record() -> None:
    values = [record(interaction_id=f"I-{n}") for n in range(5)]
    values[3]["notes"] = "half an emoji \ud83d"
    block = block_of(*values[:3], record(), values[4])
    block.values[3] = values[3]
    validated = validate_block(block)
    assert validated.accepted.column("interaction_id").to_pylist() == ["I-0", "I-1", "I-2", "I-4"]
    assert [(r.line, r.findings[0].keyword) for r in validated.rejects] == [(4, "unstorable")]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_it_makes_no_difference_where_a_block_is_cut(size: int) -> None:
    values = [
        record(),
        record(status="done", interaction_id="I-2"),
        record(interaction_id="I-3", tier=1),
        record(),
        record("chat", interaction_id="I-5"),
        record("chat", interaction_id="I-5"),
        record(ended_at="2020-01-01T00:00:00Z", interaction_id="I-6"),
    ]
    whole = reject_duplicates(validate_block(block_of(*values), now=NOW), DuplicateIds())
    seen = DuplicateIds()
    parts = [
        reject_duplicates(validate_block(block_of(*values[i : i + size], first_line=i + 1), now=NOW), seen)
        for i in range(0, len(values), size)
    ]
    assert [r for part in parts for r in part.rejects] == whole.rejects
    assert [f for part in parts for f in part.findings] == whole.findings
    assert [v for part in parts for v in to_values(part.accepted)] == to_values(whole.accepted)


def message(at: str) -> dict[str, str]:
    return {"speaker": "agent", "text": "", "at": at}


def test_rules_on_columns_and_on_plain_records_agree() -> None:
    times = [
        None,
        START,
        "2026-03-10T09:14:00Z",
        "2026-03-10t03:45:00.1234567891z",
        "2031-01-01T00:00:00-10:00",
        "1900-01-01T00:00:00Z",
    ]
    values = [
        record("chat", ended_at=end, messages=[message(t) for t in (a, b) if t])
        for end in times
        for a in times
        for b in times
    ]
    values = [v if v["messages"] else {**v, "status": "missed"} for v in values]
    for value in values:
        # One block for each record, so that the ways for usual and for rare forms of times are both taken.
        validated = validate_block(block_of(value), now=NOW)
        told = [f for r in validated.rejects for f in r.findings] + validated.findings
        expected = list(check_record(value, NOW))
        found = sorted((f.pointer, f.keyword) for f in told)
        assert found == sorted((r.pointer, r.keyword) for r in expected)

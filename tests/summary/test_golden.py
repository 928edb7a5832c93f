"""Published examples, and the mistakes that users of other tools complain about: through the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_line import labelled, run_json, write_lines

LEVELS = {
    "early_abandons_succeed": 0.830,
    "answered_only": 0.860,
    "all_abandons_count": 0.811,
    "late_abandons_count": 0.827,
    "short_abandons_succeed": 0.821,
}


def calls(count: int, start: int, **fields: Any) -> list[dict[str, Any]]:
    return [labelled(start + i, direction="inbound", **fields) for i in range(count)]


def icmi_calls() -> list[dict[str, Any]]:
    """1,000 answered, 860 of them within 20 s; 60 abandoned: 10 within 5 s, 10 more within 20 s, 40 after."""
    return [
        *calls(860, 0, status="completed", wait_seconds=12),
        *calls(140, 860, status="completed", wait_seconds=45),
        *calls(10, 1000, status="abandoned", wait_seconds=3),
        *calls(10, 1010, status="abandoned", wait_seconds=15),
        *calls(40, 1020, status="abandoned", wait_seconds=60),
    ]


def config(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(("formula", "expected"), LEVELS.items())
def test_service_level_gives_the_published_example_under_each_formula(
    tmp_path: Path, formula: str, expected: float
) -> None:
    file = write_lines(tmp_path / "calls.jsonl", icmi_calls())
    settings = config(tmp_path, f'[service_level]\nformula = "{formula}"\nseconds = 20\n')
    figure = run_json(file, "--config", settings)["metrics"]["service_level"]
    assert round(figure["value"], 3) == expected
    assert "T = 20 s" in figure["formula"]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [("late_abandons_count", 0.778), ("all_abandons_count", 0.70), ("early_abandons_succeed", 0.80)],
)
def test_service_level_gives_the_three_modes_of_counting_abandons(
    tmp_path: Path, formula: str, expected: float
) -> None:
    rows = [
        *calls(70, 0, status="completed", wait_seconds=10),
        *calls(10, 70, status="abandoned", wait_seconds=10),
        *calls(20, 80, status="completed", wait_seconds=90),
    ]
    file = write_lines(tmp_path / "calls.jsonl", rows)
    figure = run_json(file, "--config", config(tmp_path, f'service_level.formula = "{formula}"\n'))
    assert round(figure["metrics"]["service_level"]["value"], 3) == expected


def test_short_abandons_leave_the_abandonment_rate_only_where_the_setting_says_so(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "calls.jsonl", icmi_calls())
    kept = run_json(file)["metrics"]["abandonment_rate"]
    dropped = run_json(file, "--config", config(tmp_path, "abandonment.drop_short = true\n"))["metrics"][
        "abandonment_rate"
    ]
    assert (kept["numerator"], kept["denominator"]) == (60, 1060)
    assert (dropped["numerator"], dropped["denominator"]) == (50, 1050)
    assert kept["formula"] != dropped["formula"]


def thread(number: int, *turns: tuple[str, str], **fields: Any) -> dict[str, Any]:
    messages = [{"speaker": s, "text": "…", "at": f"2026-03-01T{t}Z"} for s, t in turns]
    return labelled(number, channel="chat", messages=messages, **fields)


def test_a_reopened_thread_does_not_inflate_the_first_response(tmp_path: Path) -> None:
    turns = (("customer", "10:00:00"), ("agent", "10:02:00"), ("customer", "18:00:00"), ("agent", "23:00:00"))
    file = write_lines(tmp_path / "a.jsonl", [thread(1, *turns)])
    assert run_json(file)["metrics"]["first_response_time"]["value"] == 120


def test_time_of_a_bot_is_not_time_of_an_agent(tmp_path: Path) -> None:
    turns = (("customer", "10:00:00"), ("bot", "10:00:01"), ("agent", "10:05:00"))
    file = write_lines(tmp_path / "a.jsonl", [thread(1, *turns)])
    assert run_json(file)["metrics"]["first_response_time"]["value"] == 300


def test_contacts_that_the_company_started_have_no_first_response(tmp_path: Path) -> None:
    turns = (("agent", "09:00:00"), ("customer", "10:00:00"), ("agent", "10:05:00"))
    rows = [thread(1, *turns), labelled(2, initiative="proactive", first_response_seconds=9)]
    figure = run_json(write_lines(tmp_path / "a.jsonl", rows))["metrics"]["first_response_time"]
    assert figure["value"] is None
    assert figure["reason"] == "no_times"


def test_contacts_that_nobody_answered_are_no_zero_in_a_time(tmp_path: Path) -> None:
    rows = [thread(1, ("customer", "10:00:00")), thread(2, ("customer", "10:00:00"), ("agent", "10:10:00"))]
    figure = run_json(write_lines(tmp_path / "a.jsonl", rows))["metrics"]["first_response_time"]
    assert (figure["value"], figure["n"]) == (600, 1)


def test_resolutions_are_counted_with_the_customers_behind_them(tmp_path: Path) -> None:
    rows = [
        labelled(
            i,
            customer_id=f"c{i % 3}",
            activities=["billing"],
            outcome="resolved",
            started_at=f"2026-03-01T{i % 24:02}:00:00Z",
        )
        for i in range(100)
    ] + [labelled(900, started_at="2026-04-30T00:00:00Z")]
    figure = run_json(write_lines(tmp_path / "a.jsonl", rows))["metrics"]["repeat_contact_rate"]
    assert figure["n"] == 100
    assert figure["parts"]["customers"] == 3


def test_every_format_shows_one_metric_from_one_population(tmp_path: Path) -> None:
    import csv

    file = write_lines(tmp_path / "calls.jsonl", icmi_calls())
    names = [tmp_path / f"out.{ending}" for ending in ("json", "csv")]
    from command_line import run

    result = run("summarize", file, *(x for n in names for x in ("-o", n)), "--by", "channel")
    assert result.exit_code == 0
    import json

    from_json = json.loads(names[0].read_text())["metrics"]["service_level"]
    with names[1].open(newline="") as stream:
        from_csv = next(r for r in csv.DictReader(stream) if r["metric"] == "service_level" and not r["by"])
    assert float(from_csv["value"]) == from_json["value"]
    assert int(from_csv["n"]) == from_json["n"]


def test_business_hours_hold_for_every_format_and_are_echoed(tmp_path: Path) -> None:
    rows = [
        labelled(
            1, direction="inbound", status="completed", wait_seconds=5, started_at="2026-03-02T10:00:00+05:30"
        ),
        labelled(
            2,
            direction="inbound",
            status="completed",
            wait_seconds=500,
            started_at="2026-03-02T23:00:00+05:30",
        ),
    ]
    file = write_lines(tmp_path / "a.jsonl", rows)
    settings = config(tmp_path, '[business_hours]\nmon = "09:00-18:00"\n')
    document = run_json(file, "--config", settings)
    assert document["metrics"]["service_level"]["value"] == 1
    assert document["metrics"]["wait_time"]["n"] == 1
    assert document["settings"]["business_hours.mon"] == "09:00-18:00"
    assert run_json(file)["metrics"]["service_level"]["value"] == 0.5


def test_a_score_belongs_to_the_agent_who_was_rated(tmp_path: Path) -> None:
    rated = {
        "satisfaction": {"scale": "csat_5", "score": 1},
        "satisfaction_label": "dissatisfied",
        "satisfaction_source": "stated",
    }
    rows = [labelled(i, agent_id="rated", customer_id=f"c{i}", **rated) for i in range(6)]
    rows += [labelled(100 + i, agent_id="assigned later", customer_id=f"c{i}") for i in range(6)]
    document = run_json(write_lines(tmp_path / "a.jsonl", rows), "--by", "agent_id")
    groups = {g["key"]: g["metrics"]["csat"] for g in document["groups"]["agent_id"]}
    assert groups["rated"]["value"] == 0
    assert groups["assigned later"]["value"] is None


def test_a_list_that_is_cut_says_how_much_is_left_out(tmp_path: Path) -> None:
    rows = [labelled(i, agent_id=f"a{i % 9}") for i in range(90)]
    settings = config(tmp_path, "summary.max_groups = 4\n")
    document = run_json(write_lines(tmp_path / "a.jsonl", rows), "--by", "agent_id", "--config", settings)
    assert len(document["groups"]["agent_id"]) == 4
    assert document["groups_omitted"] == {"agent_id": 5}


def test_email_has_no_handle_time_but_time_worked(tmp_path: Path) -> None:
    elapsed = {"channel": "email", "ended_at": "2026-03-09T00:00:00Z", "resolution_seconds": 86400}
    rows = [labelled(1, **elapsed), labelled(2, **elapsed, handle_seconds=240)]
    figure = run_json(write_lines(tmp_path / "a.jsonl", rows))["metrics"]["handle_time"]
    assert (figure["value"], figure["n"]) == (240, 1)


def test_a_part_of_the_handle_time_that_is_unknown_is_not_zero(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "a.jsonl", [labelled(1, talk_seconds=100, hold_seconds=0)])
    assert run_json(file)["metrics"]["handle_time"]["value"] is None
    lenient = config(tmp_path, 'handle_time.missing_parts = "absent"\n')
    assert run_json(file, "--config", lenient)["metrics"]["handle_time"]["value"] == 100


def test_open_ones_are_left_out_of_resolution_times_and_counted(tmp_path: Path) -> None:
    rows = [
        labelled(1, status="open", resolution_seconds=1),
        labelled(2, status="closed", resolution_seconds=50),
    ]
    metrics = run_json(write_lines(tmp_path / "a.jsonl", rows))["metrics"]
    assert (metrics["resolution_time"]["value"], metrics["resolution_time"]["n"]) == (50, 1)
    assert metrics["open_interactions"]["value"] == 1


def test_contacts_whose_window_is_not_complete_are_censored_not_resolved(tmp_path: Path) -> None:
    rows = [
        labelled(1, customer_id="a", outcome="resolved", started_at="2026-03-01T00:00:00Z"),
        labelled(2, customer_id="b", outcome="resolved", started_at="2026-03-09T00:00:00Z"),
    ]
    metrics = run_json(write_lines(tmp_path / "a.jsonl", rows))["metrics"]
    assert metrics["first_contact_resolution"]["n"] == 1
    assert metrics["censored_contacts"]["value"] == 1


def test_amounts_of_different_currencies_are_never_added(tmp_path: Path) -> None:
    def sale(number: int, currency: str, amount: str) -> dict[str, Any]:
        order = {"order_id": f"o{number}", "kind": "sale", "amount": amount, "currency": currency}
        return labelled(number, customer_id="a", order=order, started_at=f"2026-01-{number:02}T00:00:00Z")

    first = labelled(1, customer_id="a", satisfaction_label="satisfied", started_at="2026-01-01T00:00:00Z")
    last = labelled(99, started_at="2026-06-01T00:00:00Z")
    rows = [first, sale(2, "INR", "100.00"), sale(3, "INR", "50.00"), sale(4, "USD", "9999.00"), last]
    figure = run_json(write_lines(tmp_path / "a.jsonl", rows))["metrics"]["care_loyalty.spend.satisfied"]
    assert (figure["value"], figure["currency"]) == (75, "INR")


def test_the_direction_of_the_effort_scale_is_declared(tmp_path: Path) -> None:
    rows = [labelled(i, satisfaction={"scale": "ces_7", "score": 7}) for i in range(4)]
    file = write_lines(tmp_path / "a.jsonl", rows)
    assert run_json(file)["metrics"]["ces"]["value"] == 1
    assert (
        run_json(file, "--config", config(tmp_path, 'ces.high_is = "hard"\n'))["metrics"]["ces"]["value"] == 0
    )


def test_the_weights_of_the_codebook_make_the_care_share(tmp_path: Path) -> None:
    rows = [
        labelled(1, activities=["complaint", "technical"], care_share=2 / 3, orientation="care"),
        labelled(2, activities=["complaint", "technical"], care_share=0.5, orientation="mixed"),
        labelled(3, activities=["technical"], care_share=0.0),
    ]
    figure = run_json(write_lines(tmp_path / "a.jsonl", rows))["metrics"]["care_share"]
    # 2 of 3, 2 of 4 (both main), 0 of 2.
    assert (figure["numerator"], figure["denominator"]) == (4, 9)

"""The sentences of the headline are computed: they say what the figures say, and nothing where nothing is
sure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from command_line import labelled, run, write_lines


def headline(folder: Path, rows: list[dict[str, Any]], *more: str) -> str:
    file = write_lines(folder / "in.jsonl", rows)
    result = run("summarize", file, "--sections", "headline", *more, "-q")
    assert result.exit_code == 0, result.stderr
    return " ".join(result.stdout.split())


def test_a_sure_movement_is_told_with_both_values_and_both_n(tmp_path: Path) -> None:
    quiet = [labelled(i, started_at="2026-01-10T10:00:00Z") for i in range(100)]
    loud = [
        labelled(
            200 + i, started_at="2026-02-10T10:00:00Z", activities=["complaint"] if i < 40 else ["billing"]
        )
        for i in range(80)
    ]
    text = headline(tmp_path, quiet + loud, "--from", "2026-02", "--to", "2026-02", "--compare", "previous")
    assert "Complaints went up from 0.0% to 50.0% (+50.0 pp; n 100 and 80)." in text


def test_an_unsure_movement_is_not_told(tmp_path: Path) -> None:
    rows = [
        labelled(
            i,
            started_at=f"2026-0{1 + i % 2}-10T10:00:00Z",
            activities=["complaint"] if i < 3 else ["billing"],
        )
        for i in range(20)
    ]
    text = headline(tmp_path, rows, "--from", "2026-02", "--to", "2026-02", "--compare", "previous")
    assert "went up" not in text
    assert "went down" not in text


def test_without_a_comparison_the_widest_difference_is_told(tmp_path: Path) -> None:
    care = {"orientation": "care", "care_share": 1.0, "activities": ["follow_up"], "channel": "email"}
    rows = [labelled(i, **care) for i in range(50)] + [labelled(100 + i) for i in range(60)]
    text = headline(tmp_path, rows)
    assert (
        "Channel: care share is highest for Email (100.0%, n 50) and lowest for Phone (0.0%, n 60)." in text
    )
    assert "45.5% of the work is care, the rest service" in text


def test_pointers_name_the_team_the_aspect_and_the_stage_that_stand_out(tmp_path: Path) -> None:
    told = {"satisfaction_source": "stated", "stage_greeting": True, "stage_needs": True}
    rows = [
        labelled(
            i,
            team="Billing" if i < 40 else "Desk",
            activities=["complaint"] if i < 30 else ["billing"],
            aspects=[{"aspect": "price", "polarity": "negative"}] if i < 30 else [],
            touchpoint="support" if i % 3 else "order",
            stage_rapport=i % 2 == 0,
            stage_score=2 + (i % 2 == 0),
            satisfaction_label="satisfied" if i % 2 == 0 else "dissatisfied",
            **told,
        )
        for i in range(120)
    ]
    text = headline(tmp_path, rows)
    assert "Team Billing: 75.0% hold a complaint, 25.0% of all (n 40)." in text
    assert "Customers speak worst of “Price” (−100.0 pp" in text
    assert (
        "The stage “Rapport” goes with satisfaction (+91.5 to +100.0 pp, n 120) and is done in 50.0%" in text
    )
    assert "Most contacts come from “Support” (66.7%, n 120)." in text


def test_nothing_is_pointed_at_where_nothing_stands_out(tmp_path: Path) -> None:
    assert "Where to look first" not in headline(tmp_path, [labelled(i) for i in range(10)])


def test_gates_are_listed_in_the_headline(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "in.jsonl", [labelled(i) for i in range(10)])
    result = run(
        "summarize", file, "--sections", "headline", "--fail-if", "care_share < 0.5", "--fail-if", "csat < 1"
    )
    text = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert "Gate not met: care_share < 0.5 (n 10)" in text
    assert "Gate unknown: csat < 1 (n 0)" in text

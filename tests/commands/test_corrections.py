"""`classify --corrections`: what people say wins, is counted, and the original is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.commands.logs import call, names_in
from tests.commands.shop import read_lines, shop_log, write_lines

from carelog.labels import STAGES

pytestmark = pytest.mark.usefixtures("small_rulebooks")


def corrected(tmp_path: Path, *fixes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The labelled shop log under those corrections, by id."""
    log, out = shop_log(tmp_path / "log.jsonl"), tmp_path / "out.jsonl"
    file = write_lines(tmp_path / "fixes.jsonl", fixes)
    assert call("classify", log, "--corrections", file, "-o", out).exit_code == 0
    return {value["interaction_id"]: value for value in read_lines(out)}


@pytest.mark.parametrize(
    ("fix", "orientation", "share", "activities"),
    [
        ({"activities": ["return", "goodwill"]}, "mixed", 0.5, ["goodwill", "return"]),
        ({"activities": ["goodwill"]}, "care", 1.0, ["goodwill"]),
        ({"activities": []}, "none", None, []),
        ({"orientation": "none"}, "none", None, []),
        (
            {"orientation": "care", "activities": ["goodwill", "return"]},
            "care",
            0.666667,
            ["goodwill", "return"],
        ),
        (
            {"orientation": "service", "activities": ["goodwill", "return"]},
            "service",
            0.333333,
            ["goodwill", "return"],
        ),
        ({"orientation": "mixed"}, "mixed", 0.5, ["return"]),
    ],
)
def test_orientation_share_and_activities_stay_consistent(
    tmp_path: Path, fix: dict[str, Any], orientation: str, share: float | None, activities: list[str]
) -> None:
    value = corrected(tmp_path, {"interaction_id": "refund", **fix})["refund"]
    assert (value["orientation"], value["care_share"], value["activities"]) == (
        orientation,
        share,
        activities,
    )
    assert {e["label"] for e in value["evidence"] if e["label"].startswith("activity.")} <= {
        f"activity.{a}" for a in activities
    }


def test_originals_are_kept_and_others_stay_as_they_are(tmp_path: Path) -> None:
    fixed = corrected(
        tmp_path, {"interaction_id": "refund", "satisfaction_label": "dissatisfied", "loyalty": False}
    )
    plain = corrected(tmp_path)
    assert {c["label"]: json.loads(c["original"]) for c in fixed["refund"]["corrections"]} == {
        "satisfaction_label": "satisfied"
    }
    assert [value["corrections"] for name, value in fixed.items() if name != "refund"] == [[]] * 4
    assert {n: v for n, v in fixed.items() if n != "refund"} == {
        n: v for n, v in plain.items() if n != "refund"
    }
    assert "satisfaction.satisfied" not in {e["label"] for e in fixed["refund"]["evidence"]}


def test_stages_move_their_score(tmp_path: Path) -> None:
    before = corrected(tmp_path)["fault"]
    after = corrected(tmp_path, {"interaction_id": "fault", "stage_rapport": True, "stage_greeting": False})[
        "fault"
    ]
    assert (before["stage_score"], after["stage_score"]) == (1, 1)
    assert [after[f"stage_{s}"] for s in STAGES] == [False, True, False, False, False]


def test_they_are_counted_and_those_without_interaction_are_told(tmp_path: Path) -> None:
    log, out = shop_log(tmp_path / "log.jsonl"), tmp_path / "out.parquet"
    fixes = [{"interaction_id": i, "churn_risk": True} for i in ("fault", "refund", "nobody")]
    file = write_lines(tmp_path / "fixes.jsonl", fixes)
    result = call("classify", log, "--corrections", file, "-o", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == [
        "classify: read 5 = accepted 5 + rejected 0",
        "classify: corrected 2 interactions as people say",
        "classify: warning: 1 correction is for interactions that were not read",
    ]
    table = pq.read_table(out)
    assert table.column("churn_risk").to_pylist() == [True, True, False, False, False]
    assert [len(c) for c in table.column("corrections").to_pylist()] == [1, 1, 0, 0, 0]


def test_one_corrected_interaction_is_told_as_one(tmp_path: Path) -> None:
    log, fix = shop_log(tmp_path / "log.jsonl"), {"interaction_id": "fault", "churn_risk": True}
    file = write_lines(tmp_path / "fixes.jsonl", [fix])
    result = call("classify", log, "--corrections", file, "-o", tmp_path / "out.jsonl")
    assert result.stderr.splitlines()[-1] == "classify: corrected 1 interaction as people say"


def test_without_the_option_there_is_no_such_column(tmp_path: Path) -> None:
    log, out = shop_log(tmp_path / "log.jsonl"), tmp_path / "out.parquet"
    assert call("classify", log, "-o", out).exit_code == 0
    assert "corrections" not in pq.read_schema(out).names


def test_a_corrected_file_is_summarized_like_any_other(tmp_path: Path) -> None:
    corrected(tmp_path, {"interaction_id": "refund", "activities": ["goodwill"]})
    result = call("summarize", tmp_path / "out.jsonl", "-o", tmp_path / "report.json")
    assert result.exit_code == 0
    counts = json.loads((tmp_path / "report.json").read_text("utf-8"))["counts"]
    assert counts["interactions"] == 5
    result = call("schema", "check", "--name", "labelled", tmp_path / "out.jsonl")
    assert (result.exit_code, json.loads(result.stdout)["errors"]) == (0, [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("oops", ":1: is not JSON"),
        ("[]", ":1: is no correction"),
        ('{"interaction_id": "a"}', ":1: is no correction"),
        ('{"orientation": "care"}', ":1: is no correction"),
        ('{"interaction_id": "a", "care_share": 1}', "'care_share' is no label that can be corrected"),
        ('{"interaction_id": "a", "orientation": "nice"}', "orientation: is no value"),
        ('{"interaction_id": "a", "activities": "sale"}', "activities: is no value"),
        ('{"interaction_id": "a", "loyalty": 1}', "loyalty: is no value"),
        ('{"interaction_id": "a", "aspects": [{"aspect": "price"}]}', "aspects: is no value"),
    ],
)
def test_a_line_that_is_no_correction_is_wrong_usage(tmp_path: Path, line: str, reason: str) -> None:
    log, file = shop_log(tmp_path / "log.jsonl"), tmp_path / "fixes.jsonl"
    file.write_text(line + "\n", "utf-8")
    result = call("classify", log, "--corrections", file, "-o", tmp_path / "out.jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr
    assert names_in(tmp_path) == ["fixes.jsonl", "log.jsonl"]


def test_the_corrections_are_never_written_over(tmp_path: Path) -> None:
    log = shop_log(tmp_path / "log.jsonl")
    file = write_lines(tmp_path / "fixes.jsonl", [{"interaction_id": "fault", "loyalty": True}])
    before = file.read_bytes()
    result = call("classify", log, "--corrections", file, "-o", file)
    assert (result.exit_code, result.stdout, file.read_bytes()) == (2, "", before)


def test_several_files_are_all_taken_and_later_ones_win(tmp_path: Path) -> None:
    log, out = shop_log(tmp_path / "log.jsonl"), tmp_path / "out.jsonl"
    first = [
        {"interaction_id": "fault", "loyalty": True, "outcome": "resolved"},
        {"interaction_id": "silent", "churn_risk": True},
    ]
    files = [
        write_lines(tmp_path / "anna.jsonl", first),
        write_lines(tmp_path / "ravi.jsonl", [{"interaction_id": "fault", "outcome": "promised"}]),
    ]
    options = [part for file in files for part in ("--corrections", file)]
    result = call("classify", log, *options, "-o", out)
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == "classify: corrected 2 interactions as people say"
    values = {value["interaction_id"]: value for value in read_lines(out)}
    assert (values["fault"]["loyalty"], values["fault"]["outcome"]) == (True, "promised")
    assert values["silent"]["churn_risk"] is True
    before = files[0].read_bytes()
    assert call("classify", log, *options, "-o", files[0]).exit_code == 2
    assert files[0].read_bytes() == before


def test_later_lines_win_label_by_label(tmp_path: Path) -> None:
    fixes = [
        {"interaction_id": "fault", "loyalty": True, "outcome": "resolved"},
        {"interaction_id": "fault", "outcome": "promised"},
    ]
    value = corrected(tmp_path, *fixes)["fault"]
    assert (value["loyalty"], value["outcome"]) == (True, "promised")

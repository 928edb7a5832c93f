"""`carelog summarize` as a user meets it: good, bad, piped and empty input, outputs, options, exit codes."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import zstandard
from command_line import labelled, run, run_json, write_lines
from jsonschema import Draft202012Validator
from labelled_maker import make_labelled

from carelog.classification.labelled_values import flatten_labels, to_labelled_batch
from carelog.columns import labelled_schema, to_values
from carelog.resources import load_schema
from carelog.store.tables import write_table

ENDINGS = ("html", "md", "json", "csv", "txt", "xlsx")


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("in") / "labelled.parquet"
    pq.write_table(make_labelled(2000, 3, days=120, agents=8), path)
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    rows = [
        labelled(i, agent_id=f"agent {i % 2}", activities=["complaint"] if i % 4 == 0 else ["billing"])
        for i in range(40)
    ]
    return write_lines(tmp_path / "small.jsonl", rows)


def test_the_terminal_report_goes_to_standard_output_and_the_rest_to_standard_error(parquet: Path) -> None:
    result = run("summarize", parquet)
    assert result.exit_code == 0
    assert "Care share" in result.stdout
    assert "\x1b" not in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 80
    assert result.stderr == (
        "summarize: read 2,000 labelled interactions, 2,000 of them from 2026-01-01 to 2026-05-01\n"
    )


def test_quiet_says_nothing_beside_the_report(parquet: Path) -> None:
    assert run("summarize", parquet, "-q").stderr == ""


def test_colours_come_where_they_are_asked_for(parquet: Path) -> None:
    assert "\x1b[" in run("summarize", parquet, "--color", "always").stdout


def test_all_formats_come_from_one_pass_and_nothing_else_is_left(parquet: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / f"report.{ending}" for ending in ENDINGS]
    result = run("summarize", parquet, *(part for o in outputs for part in ("-o", o)))
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(o.name for o in outputs)
    assert all(o.stat().st_size > 1000 for o in outputs)


def test_the_same_input_gives_the_same_bytes(
    parquet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["carelog", "summarize"])
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        folder.mkdir()
        outputs = [part for e in ENDINGS for part in ("-o", folder / f"r.{e}")]
        assert run("summarize", parquet, "--compare", "2026-01..2026-02", *outputs).exit_code == 0
    for ending in ENDINGS:
        assert (first / f"r.{ending}").read_bytes() == (second / f"r.{ending}").read_bytes(), ending


def test_the_json_is_that_of_the_schema(parquet: Path) -> None:
    document = run_json(parquet, "--from", "2026-03", "--compare", "previous", "--top", "complaints")
    Draft202012Validator(load_schema("summary")).validate(document)
    assert document["period"] == {"from": "2026-03-01", "to": "2026-05-01", "tz": "recorded"}
    for figure in document["metrics"].values():
        assert {"value", "numerator", "denominator", "n", "interval", "formula", "unit"} <= figure.keys()


def test_the_csv_is_one_tidy_table(parquet: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert run("summarize", parquet, "--by", "team,month", "-o", out).exit_code == 0
    with out.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {r["by"] for r in rows} == {"", "team", "month"}
    assert len({(r["by"], r["key"], r["metric"]) for r in rows}) == len(rows)
    document = run_json(parquet)
    overall = {r["metric"]: r for r in rows if not r["by"]}
    assert float(overall["care_share"]["value"]) == document["metrics"]["care_share"]["value"]


def test_jsonl_csv_and_parquet_packed_or_plain_give_the_same_figures(tmp_path: Path) -> None:
    table = make_labelled(600, 8, days=60, agents=4)
    values = [v for batch in table.to_batches() for v in to_values(batch)]
    lines = "".join(json.dumps(v) + "\n" for v in values).encode()
    pq.write_table(table, tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "a.jsonl.zst").write_bytes(zstandard.compress(lines))
    names = list(dict.fromkeys(k for v in values for k in v))
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        for v in values:
            writer.writerow([_cell(v.get(name)) for name in names])
    found = {p.name: run_json(p)["metrics"] for p in sorted(tmp_path.iterdir())}
    assert len(found) == 5
    assert all(metrics == found["a.parquet"] for metrics in found.values())


def test_text_in_other_encodings_and_with_other_delimiters_gives_the_same_figures(
    small: Path, tmp_path: Path
) -> None:
    rows = [json.loads(text) for text in small.read_text("utf-8").splitlines()]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = small.read_text("utf-8")
    (tmp_path / "mark.jsonl").write_text(text, "utf-8-sig")
    (tmp_path / "wide.jsonl").write_text(text, "utf-16")
    for name, delimiter in (("tabs.tsv", "\t"), ("tabs.csv", "\t"), ("semicolons.csv", ";")):
        with (tmp_path / name).open("w", newline="", encoding="utf-8-sig") as stream:
            writer = csv.writer(stream, delimiter=delimiter)
            writer.writerow(names)
            writer.writerows([[_cell(row.get(name)) for name in names] for row in rows])
    metrics = run_json(small)["metrics"]
    for name in ("mark.jsonl", "wide.jsonl", "tabs.tsv", "tabs.csv", "semicolons.csv"):
        assert run_json(tmp_path / name)["metrics"] == metrics, name


def test_texts_that_were_guarded_against_spreadsheets_come_back_as_they_were(tmp_path: Path) -> None:
    teams = ["=1+1", "'=1+1", "\nteam", "\tteam", "＝1+1", "'", "''", "'team", "two\n\nlines"]
    with (tmp_path / "a.csv").open("wb") as file, write_table(file, "a.csv", labelled_schema(True)) as write:
        write(
            to_labelled_batch([flatten_labels(labelled(n, team=team)) for n, team in enumerate(teams)], "x")
        )
    groups = run_json(tmp_path / "a.csv", "--min-group", "1")["groups"]["team"]
    assert sorted(group["key"] for group in groups) == sorted(teams)


def test_a_line_beyond_all_measure_costs_only_itself(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carelog.summary.labelled.MOST_LINE_BYTES", 2_000_000)
    rows = small.read_text("utf-8")
    wide = json.dumps(labelled(900_000, extra={"x": "y" * 3_000_000})) + "\n"
    (tmp_path / "wide.jsonl").write_text(wide + rows, "utf-8")
    result = run("summarize", tmp_path / "wide.jsonl", "-o", tmp_path / "s.json")
    assert result.exit_code == 0
    assert "1 damaged pieces" in result.stderr
    found = json.loads((tmp_path / "s.json").read_text("utf-8"))
    assert found["counts"]["read"] == len(rows.splitlines())


def test_too_little_memory_is_exit_2_and_names_the_number_to_raise(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(*_: object) -> None:
        raise duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block (143 MiB used)")

    for place in ("_summarize", "load_labelled"):
        with monkeypatch.context() as patch:
            patch.setattr(f"carelog.summary.summarize.{place}", run_out)
            result = run("summarize", small, "-o", tmp_path / "s.json")
        assert result.exit_code == 2, place
        assert "engine.memory_mb = 300 is too little for this report" in result.stderr
        assert "such as to 600" in result.stderr
        assert not (tmp_path / "s.json").exists()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def test_standard_input_is_read(small: Path) -> None:
    assert (
        run_json(small)["metrics"]
        == json.loads(run("summarize", "-", "-o", "-", "--format", "json", stdin=small.read_bytes()).stdout)[
            "metrics"
        ]
    )


def test_parquet_on_standard_input_is_read(parquet: Path) -> None:
    result = run("summarize", "-", "-o", "-", "--format", "json", stdin=parquet.read_bytes())
    assert json.loads(result.stdout)["counts"]["interactions"] == 2000


def test_a_folder_is_searched_and_each_interaction_counted_once(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "store" / "month=2026-03"
    folder.mkdir(parents=True)
    (folder / "one.jsonl").write_bytes(small.read_bytes())
    (folder / "two [1].jsonl").write_bytes(small.read_bytes())
    (folder / "notes.txt").write_text("no data")
    result = run("summarize", tmp_path / "store", "-o", "-", "--format", "json")
    document = json.loads(result.stdout)
    assert document["counts"]["interactions"] == 40
    assert document["counts"]["duplicates"] == 40
    assert "40 interactions stand in the input more than once" in result.stderr


def test_of_two_versions_of_one_interaction_the_order_of_files_does_not_decide(tmp_path: Path) -> None:
    one = write_lines(tmp_path / "one.jsonl", [labelled(1, outcome="resolved"), labelled(2)])
    two = write_lines(tmp_path / "two.jsonl", [labelled(1, outcome="escalated")])
    assert run_json(one, two)["metrics"] == run_json(two, one)["metrics"]


def test_parquet_files_with_a_bracket_or_a_quote_in_their_names_are_read(
    parquet: Path, tmp_path: Path
) -> None:
    for name in ("it's [a] *?.parquet", "x.parquet"):
        (tmp_path / name).write_bytes(parquet.read_bytes())
    assert run_json(tmp_path / "it's [a] *?.parquet")["counts"]["interactions"] == 2000


def test_damaged_lines_cost_only_themselves_and_are_counted(small: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(
        b'{"broken\n[]\n\n"text"\n' + small.read_bytes() + b'{"interaction_id": 5}\n{"channel": "fax"}'
    )
    result = run("summarize", bad, "-o", "-", "--format", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert document["counts"]["interactions"] == 40
    assert document["counts"]["damaged"] == 5
    assert "5 damaged pieces are not in the report" in result.stderr


def test_a_value_of_a_wrong_type_costs_only_its_row(small: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    row = json.dumps(labelled(99, stage_score="five"))
    bad.write_text(small.read_text("utf-8") + row + "\n", "utf-8")
    counts = run_json(bad)["counts"]
    assert (counts["interactions"], counts["damaged"]) == (40, 1)


def test_a_truncated_gz_is_read_up_to_its_end_and_counted(small: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl.gz"
    rows = [labelled(i, customer_id=f"customer {i * 7919 % 10007}") for i in range(3000)]
    whole = gzip.compress(write_lines(tmp_path / "x.jsonl", rows).read_bytes())
    cut.write_bytes(whole[: len(whole) // 2])
    counts = run_json(cut)["counts"]
    assert 0 < counts["interactions"] < 3000
    assert counts["damaged"] >= 1


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b'{"id": 1}\n', b"a,b\n1,2\n", b"PAR1 but not really", b"\x1f\x8b\x08"]
)
def test_nothing_labelled_is_exit_65_and_leaves_no_output(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "in.jsonl"
    file.write_bytes(content)
    result = run("summarize", file, "-o", tmp_path / "out.html")
    assert result.exit_code == 65
    assert "nothing labelled was read" in result.stderr
    assert not (tmp_path / "out.html").exists()


def test_records_that_are_not_labelled_yet_are_exit_65_and_say_what_to_do(tmp_path: Path) -> None:
    record = {
        "interaction_id": "a",
        "channel": "phone",
        "started_at": "2026-01-01T00:00:00Z",
        "status": "missed",
    }
    result = run("summarize", write_lines(tmp_path / "raw.jsonl", [record]))
    assert result.exit_code == 65
    assert "carelog classify" in result.stderr


def test_an_unlabelled_parquet_beside_a_labelled_one_is_said_and_left_out(
    parquet: Path, tmp_path: Path
) -> None:
    import pyarrow as pa

    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    result = run("summarize", parquet, tmp_path / "other.parquet")
    assert result.exit_code == 0
    assert "other.parquet holds no labelled interactions" in result.stderr


def test_a_missing_input_is_exit_66(tmp_path: Path) -> None:
    result = run("summarize", tmp_path / "absent.parquet", "-o", tmp_path / "out.json")
    assert result.exit_code == 66
    assert "absent.parquet" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_exit_73_and_the_others_stay_as_they_were(
    small: Path, tmp_path: Path
) -> None:
    good = tmp_path / "good.json"
    good.write_text("before")
    result = run("summarize", small, "-o", good, "-o", tmp_path / "no such folder" / "out.html")
    assert result.exit_code == 73
    assert good.read_text() == "before"


def test_an_output_that_is_an_input_is_exit_2(small: Path) -> None:
    before = small.read_bytes()
    renamed = small.rename(small.with_suffix(".csv"))
    assert run("summarize", renamed, "-o", renamed).exit_code == 2
    assert renamed.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "report.pdf"], "no report has this ending"),
        (["--by", "shoe_size"], "no such column"),
        (["--from", "31.3.2026"], "is no date"),
        (["--from", "2026-02-30"], "does not exist"),
        (["--from", "2026-04", "--to", "2026-03"], "--to is before --from"),
        (["--compare", "yesterday"], "neither previous nor year"),
        (["--compare", "2026-03..2026-01"], "ends before it begins"),
        (["--tz", "Mars/Olympus"], "must be a zone"),
        (["--sections", "headline,weather"], "must be a list of"),
        (["--fail-if", "care_share ~ 3"], "is no gate"),
        (["--fail-if", "car_share < 3"], "did you mean care_share"),
        (["--fail-if", "care_share:shoe=1 < 3"], "no column shoe"),
        (["--records", "car_share"], "did you mean care_share"),
        (["--records", "returning_customer_rate"], "counts customers"),
        (["--records", "care_share:team"], "not COLUMN=KEY"),
        (["--config", "absent.toml"], "cannot be read"),
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_2_with_words_that_help(small: Path, arguments: list[str], words: str) -> None:
    result = run("summarize", small, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == "" or "--records" in arguments


def test_the_period_is_whole_days_in_the_zone_that_is_asked_for(tmp_path: Path) -> None:
    rows = [
        labelled(1, started_at="2026-03-01T23:30:00Z"),
        labelled(2, started_at="2026-03-02T01:00:00+05:30"),
        labelled(3, started_at="2026-03-05T12:00:00Z"),
    ]
    file = write_lines(tmp_path / "a.jsonl", rows)
    recorded = run_json(file, "--from", "2026-03-02", "--to", "2026-03-02")
    utc = run_json(file, "--from", "2026-03-01", "--to", "2026-03-01", "--tz", "UTC")
    india = run_json(file, "--from", "2026-03-02", "--to", "2026-03-02", "--tz", "Asia/Kolkata")
    assert [d["counts"]["interactions"] for d in (recorded, utc, india)] == [1, 2, 2]
    assert india["period"]["tz"] == "Asia/Kolkata"
    assert recorded["counts"]["outside_period"] == 2


def test_a_period_without_interactions_is_reported_with_reasons_and_no_zero(small: Path) -> None:
    document = run_json(small, "--from", "2020", "--to", "2020")
    assert document["counts"]["interactions"] == 0
    assert document["metrics"]["care_share"]["value"] is None
    assert document["metrics"]["care_share"]["reason"] == "no_cases"
    assert run("summarize", small, "--from", "2020", "--to", "2020").exit_code == 0


def test_rejects_are_counted_by_kind_and_file(small: Path, tmp_path: Path) -> None:
    reject = {
        "file": "a.csv",
        "line": 3,
        "errors": [{"pointer": "/channel", "keyword": "enum", "message": "…"}],
        "raw": "x",
    }
    rejects = write_lines(tmp_path / "rejects.jsonl", [reject, reject])
    document = run_json(small, "--rejects", rejects)
    assert document["counts"]["rejected"] == 2
    (tmp_path / "rejects.jsonl.gz").write_bytes(gzip.compress(rejects.read_bytes()))
    assert run_json(small, "--rejects", tmp_path / "rejects.jsonl.gz")["counts"]["rejected"] == 2
    assert document["tables"]["findings"]["rows"] == [["a.csv", "/channel", "enum", 2]]
    assert run_json(small)["counts"]["rejected"] is None


def test_a_rejects_file_that_is_none_is_exit_65(small: Path, tmp_path: Path) -> None:
    assert run("summarize", small, "--rejects", small).exit_code == 65
    assert run("summarize", small, "--rejects", tmp_path / "absent").exit_code == 66


def test_small_groups_are_not_shown(small: Path, tmp_path: Path) -> None:
    rows = [labelled(i, team="large" if i < 30 else "tiny", activities=["complaint"]) for i in range(33)]
    document = run_json(write_lines(tmp_path / "t.jsonl", rows))
    groups = {g["key"]: g for g in document["groups"]["team"]}
    assert groups["large"]["metrics"]["complaint_rate"]["value"] == 1
    tiny = groups["tiny"]["metrics"]["complaint_rate"]
    assert (tiny["value"], tiny["numerator"], tiny["reason"]) == (None, None, "small_group")
    shown = run_json(tmp_path / "t.jsonl", "--min-group", "3")["groups"]["team"]
    assert next(g for g in shown if g["key"] == "tiny")["metrics"]["complaint_rate"]["value"] == 1


def test_a_gate_that_is_not_met_is_exit_1_naming_gate_value_and_n(small: Path) -> None:
    result = run("summarize", small, "--fail-if", "complaint_rate > 10%", "--fail-if", "care_share > 0.9")
    assert result.exit_code == 1
    assert "gate 'complaint_rate > 10%' is not met: 0.25 (n 40)" in result.stderr
    assert "care_share" not in result.stderr


def test_a_gate_on_a_group_looks_at_that_group(small: Path) -> None:
    assert run("summarize", small, "--fail-if", "complaint_rate:agent_id=agent 0 >= 0.5").exit_code == 1
    assert run("summarize", small, "--fail-if", "complaint_rate:agent_id=agent 1 >= 0.5").exit_code == 0


def test_a_gate_without_enough_data_follows_the_choice(small: Path) -> None:
    passed = run("summarize", small, "--fail-if", "csat < 0.8")
    failed = run("summarize", small, "--fail-if", "csat < 0.8", "--gate-on-unknown", "fail")
    assert (passed.exit_code, failed.exit_code) == (0, 1)
    assert "gate 'csat < 0.8' cannot be known (no_scores, n 0) and passes" in passed.stderr
    unknown = run("summarize", small, "--fail-if", "csat:agent_id=nobody < 0.8", "--gate-on-unknown", "fail")
    assert "no_such_group" in unknown.stderr


def test_records_lists_the_interactions_behind_a_figure(small: Path) -> None:
    result = run("summarize", small, "--records", "complaint_rate:agent_id=agent 0")
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert lines[0] == ["interaction_id", "channel", "counted"]
    assert len(lines) == 21
    figure = run_json(small, "--by", "agent_id")["groups"]["agent_id"][0]["metrics"]["complaint_rate"]
    assert sum(line[2] == "yes" for line in lines) == figure["numerator"] == 10


def test_a_figure_that_cannot_be_listed_is_exit_2_and_writes_nothing(small: Path) -> None:
    for figure in ("complaint_rate:shoe=41", "complaint_rate:team", "no_metric"):
        result = run("summarize", small, "--records", figure)
        assert (result.exit_code, result.stdout) == (2, ""), figure


def test_top_complaints_come_with_their_evidence_and_words_where_the_input_has_them(tmp_path: Path) -> None:
    evidence = [
        {"label": "complaint", "rule": "en.c1", "field": "messages", "message": 0, "start": 5, "end": 10}
    ]
    row = labelled(1, activities=["complaint"], evidence=evidence, churn_risk=True)
    told = labelled(
        2,
        activities=["complaint"],
        evidence=evidence,
        messages=[{"speaker": "customer", "text": "this awful thing"}],
    )
    document = run_json(write_lines(tmp_path / "a.jsonl", [row, told, labelled(3)]), "--top", "complaints")
    cases = document["top"]["complaints"]
    assert [c["interaction_id"] for c in cases] == ["i00001", "i00002"]
    assert "text" not in cases[0]["evidence"][0]
    assert cases[1]["evidence"][0]["text"] == "awful"


def test_names_are_numbered_or_gone_in_every_format(small: Path, tmp_path: Path) -> None:
    for mode in ("pseudonym", "hide"):
        outputs = [tmp_path / f"{mode}.{e}" for e in ("html", "md", "json", "csv", "txt")]
        arguments = [part for o in outputs for part in ("-o", o)]
        result = run(
            "summarize", small, "--by", "agent_id", "--names", mode, "--top", "complaints", *arguments
        )
        assert result.exit_code == 0, result.stderr
        for output in outputs:
            assert "agent 0" not in output.read_text("utf-8"), output
    assert "Agent 1" in (tmp_path / "pseudonym.csv").read_text("utf-8")
    assert "agent_id" not in json.loads((tmp_path / "hide.json").read_text("utf-8"))["groups"]


def test_only_the_sections_that_are_asked_for_are_shown(small: Path) -> None:
    text = run("summarize", small, "--sections", "style,headline").stdout
    assert text.index("STYLE") < text.index("HEADLINE")
    assert "COMPLAINTS" not in text


def test_changes_come_with_intervals_and_the_surest_first(parquet: Path) -> None:
    document = run_json(parquet, "--from", "2026-03", "--to", "2026-04", "--compare", "previous")
    assert document["compared_with"] == {"from": "2026-01-01", "to": "2026-02-28"}
    known = [c["certainty"] or 0 for c in document["changes"]]
    assert known == sorted(known, reverse=True)
    change = next(c for c in document["changes"] if c["metric"] == "complaint_rate" and "by" not in c)
    before = run_json(parquet, "--from", "2026-01", "--to", "2026-02")["metrics"]["complaint_rate"]["value"]
    now = document["metrics"]["complaint_rate"]["value"]
    assert change["change"] == pytest.approx(now - before)
    assert change["interval"][0] <= change["change"] <= change["interval"][1]


def test_a_compared_period_without_data_is_said_and_nothing_is_invented(small: Path) -> None:
    document = run_json(small, "--compare", "year")
    assert document["changes"] == []
    assert document["compare_reason"] == "no_cases"
    assert "no change can be told" in run("summarize", small, "--compare", "year").stdout


def test_the_same_period_of_another_year_is_compared_day_by_day(tmp_path: Path) -> None:
    rows = [labelled(1, started_at="2024-02-29T10:00:00Z"), labelled(2, started_at="2023-02-28T10:00:00Z")]
    file = write_lines(tmp_path / "a.jsonl", rows)
    document = run_json(file, "--from", "2024-02-29", "--to", "2024-02-29", "--compare", "year")
    assert document["compared_with"] == {"from": "2023-02-28", "to": "2023-02-28"}


def test_any_column_groups_and_time_keys_are_local(tmp_path: Path) -> None:
    rows = [labelled(i, started_at="2026-03-02T23:30:00+05:30", queue="q1") for i in range(6)]
    document = run_json(
        write_lines(tmp_path / "a.jsonl", rows), "--by", "queue,hour,weekday,week,day,quarter,year,status"
    )
    keys = {by: [g["key"] for g in groups] for by, groups in document["groups"].items()}
    assert keys["queue"] == ["q1"]
    assert (keys["hour"], keys["weekday"], keys["week"], keys["day"]) == (
        ["23"],
        ["1"],
        ["2026-W10"],
        ["2026-03-02"],
    )
    assert (keys["quarter"], keys["year"], keys["status"]) == (["2026-Q1"], ["2026"], [None])


def test_jobs_do_not_change_a_byte(parquet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for jobs in ("1", "4"):
        arguments = [
            "summarize",
            str(parquet),
            "-o",
            str(tmp_path / "out.html"),
            "-o",
            str(tmp_path / "out.json"),
        ]
        monkeypatch.setattr("sys.argv", ["carelog", *arguments, "--jobs", jobs])
        assert run(*arguments, "--jobs", jobs).exit_code == 0
        for ending in ("html", "json"):
            (tmp_path / f"out.{ending}").rename(tmp_path / f"{jobs}.{ending}")
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "4.html").read_bytes()
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "4.json").read_bytes()


def test_an_interrupted_run_leaves_what_was_there(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "out.json"
    out.write_text("before")
    monkeypatch.setattr("carelog.commands.summarize.summarize_labelled", interrupt)
    result = run("summarize", small, "-o", out)
    assert result.exit_code == 130
    assert out.read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.json", "small.jsonl"]


def test_notices_are_json_where_a_machine_reads_them(small: Path) -> None:
    result = run("summarize", small, "--log-format", "json", "-o", "-", "--format", "json")
    note = json.loads(result.stderr)
    assert (note["level"], note["interactions"]) == ("info", 40)


def test_a_month_alone_is_compared_whole(small: Path) -> None:
    document = run_json(small, "--compare", "2026-02")
    assert document["compared_with"] == {"from": "2026-02-01", "to": "2026-02-28"}

"""Every metric against the slow computation in plain Python, over all rows and by group."""

from __future__ import annotations

import itertools
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from labelled_maker import make_labelled
from slow_metrics import Quad, Row, handled, net, ninety, slow_figures

from carelog.columns import to_values
from carelog.settings import Settings, default_settings
from carelog.summary.figures import Figure, Summary
from carelog.summary.metrics import list_metrics
from carelog.summary.summarize import Question, summarize_labelled

ROWS = 3000


def plain_rows(rows: int = ROWS, seed: int = 5) -> list[Row]:
    table = make_labelled(rows, seed, days=200, agents=12)
    return [row for batch in table.to_batches() for row in to_values(batch)]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return plain_rows()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labelled")
    pq.write_table(make_labelled(ROWS, 5, days=200, agents=12), path / "all.parquet")
    return path


def summarize(folder: Path, settings: Settings | None = None, **more: object) -> Summary:
    return summarize_labelled(Question([str(folder)], **more), settings or default_settings())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def summary(folder: Path) -> Summary:
    return summarize(folder)


def assert_same(figure: Figure, expected: Quad) -> None:
    value, numerator, denominator, n = expected
    assert figure.n == n, figure.name
    if value is None:
        assert figure.value is None, figure.name
        assert figure.reason, figure.name
        return
    assert figure.value == pytest.approx(value, abs=1e-6, rel=1e-6), figure.name
    if numerator is not None and figure.numerator is not None:
        assert figure.numerator == pytest.approx(numerator, rel=1e-6), figure.name
    if denominator is not None and figure.denominator is not None:
        assert figure.denominator == pytest.approx(denominator, rel=1e-6), figure.name


SLOW_ELSEWHERE = {"cost_of_service", "stage_correlation"}
"""Families that have tests of their own below."""


def test_every_metric_equals_the_slow_computation(summary: Summary, rows: list[Row]) -> None:
    expected = slow_figures(rows)
    unchecked = {name for name in summary.figures if name not in expected}
    assert {name.split(".")[0] for name in unchecked} <= SLOW_ELSEWHERE
    for name, quad in expected.items():
        assert_same(summary.figures[name], quad)


@pytest.mark.parametrize("by", ["channel", "team", "agent_id", "language"])
def test_every_plain_metric_by_group_equals_the_slow_computation_of_the_group(
    folder: Path, rows: list[Row], by: str
) -> None:
    summary = summarize(folder, default_settings().replaced("test", summary__min_group=1))
    ends_alike = {n for n in summary.groupings[by].groups[0].figures if not n.startswith(WINDOWED)}
    ordered = sorted(rows, key=lambda r: r.get(by) or "")
    for key, members in itertools.groupby(ordered, key=lambda r: r.get(by)):
        group = next(g for g in summary.groupings[by].groups if g.key == key)
        found = list(members)
        assert group.n == len(found)
        assert group.customers == len({r["customer_id"] for r in found if r.get("customer_id")})
        expected = slow_plain(found)
        for name in ends_alike & expected.keys():
            assert_same(group.figures[name], expected[name])


WINDOWED = ("first_contact_resolution", "repeat_contact_rate", "censored_contacts")
"""These look beyond the group at the customer's other contacts; they are checked over all rows."""


def slow_plain(rows: list[Row]) -> dict[str, Quad]:
    """The slow figures of a group: the families that divide by customers or orders may have nothing to divide
    by.
    """
    import slow_metrics as slow

    judged = [r for r in rows if r["assessable"] and r["care_share"] is not None]
    found: dict[str, Quad] = {}
    for family in (slow._stages, slow._satisfaction, slow._style, slow._known):
        try:
            found |= family(rows)
        except ZeroDivisionError:
            continue
    found |= slow._operations(rows, 20)
    if judged:
        found |= slow._work(rows)
    return found


def test_the_groups_of_a_column_add_up_to_all_interactions(summary: Summary) -> None:
    for grouping in summary.groupings.values():
        assert sum(g.n for g in grouping.groups) == summary.counts["interactions"]


def test_ninetieth_percentiles_equal_the_slow_ones(summary: Summary, rows: list[Row]) -> None:
    worked = [handled(r) for r in rows if r.get("status") != "abandoned" and handled(r) is not None]
    assert summary.figures["handle_time"].parts["p90"] == pytest.approx(ninety(worked), rel=1e-6)


def test_stage_correlation_equals_the_slow_rank_correlation(summary: Summary, rows: list[Row]) -> None:
    ranks = {"dissatisfied": 0, "neutral": 1, "satisfied": 2}
    for source in ("stated", "inferred"):
        pairs = [
            (r["stage_score"], ranks[r["satisfaction_label"]])
            for r in rows
            if r["satisfaction_source"] == source
            and r["satisfaction_label"] in ranks
            and r["stage_score"] is not None
        ]
        figure = summary.figures[f"stage_correlation.{source}"]
        assert figure.n == len(pairs)
        assert figure.value == pytest.approx(slow_spearman(pairs), abs=1e-9)


def slow_spearman(pairs: list[tuple[float, float]]) -> float:
    def ranks(values: list[float]) -> list[float]:
        return [sum(o < v for o in values) + (sum(o == v for o in values) + 1) / 2 for v in values]

    x, y = ranks([p[0] for p in pairs]), ranks([p[1] for p in pairs])
    mx, my = sum(x) / len(x), sum(y) / len(y)
    top = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    return float(top / (sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y)) ** 0.5)


def test_cost_of_service_is_minutes_of_service_times_the_rate_of_the_channel(
    folder: Path, rows: list[Row]
) -> None:
    rates = {"phone": 2.0, "chat": 0.5}
    settings = default_settings().replaced("test", cost__phone=2.0, cost__chat=0.5, cost__currency="INR")
    summary = summarize(folder, settings)
    cost, sales = 0.0, 0.0
    for r in rows:
        if (
            r["assessable"]
            and r["care_share"] is not None
            and handled(r) is not None
            and r["channel"] in rates
        ):
            own = handled(r) / 60 * (1 - r["care_share"]) * rates[r["channel"]]
            services = [a for a in r["activities"] if a in SERVICE_NAMES]
            cost += own
            sales += own / len(services) if "sale" in services else 0.0
    figure = summary.figures["cost_of_service"]
    assert figure.value == pytest.approx(cost, rel=1e-5)
    assert figure.currency == "INR"
    assert summary.figures["cost_of_service.sale"].value == pytest.approx(sales, rel=1e-5)
    assert figure.parts["without_rate"] == 0


SERVICE_NAMES = {
    "question",
    "sale",
    "order",
    "return",
    "billing",
    "account",
    "technical",
    "appointment",
    "cancel",
}


def test_cost_is_unknown_without_a_rate_and_never_zero(summary: Summary) -> None:
    assert summary.figures["cost_of_service"].value is None
    assert summary.figures["cost_of_service"].reason == "no_rate"


def test_transitions_equal_the_slow_count(summary: Summary, rows: list[Row]) -> None:
    from slow_metrics import by_customer

    expected: dict[tuple[str, str], int] = {}
    for contacts in by_customer(rows).values():
        for one, two in itertools.pairwise(contacts):
            if one["touchpoint"] and two["touchpoint"]:
                pair = (one["touchpoint"], two["touchpoint"])
                expected[pair] = expected.get(pair, 0) + 1
    assert {(a, b): n for a, b, n, _ in summary.tables["transitions"].rows} == expected


def test_money_of_a_return_is_taken_off(rows: list[Row]) -> None:
    returns = [r for r in rows if (r.get("order") or {}).get("kind") == "return"]
    assert returns
    assert all(net(r) <= 0 for r in returns)


def test_every_metric_says_its_formula_and_every_unknown_its_reason(summary: Summary) -> None:
    for name, figure in summary.figures.items():
        assert summary.definitions[name].formula
        assert summary.definitions[name].version >= 1
        assert (figure.value is None) == (figure.reason is not None), name


def test_names_of_metrics_are_unique() -> None:
    metrics = list_metrics(default_settings())
    assert all(name == metric.name for name, metric in metrics.items())
    assert len(metrics) > 100


def test_rates_have_wilson_intervals_and_lie_within_them(summary: Summary) -> None:
    for name, figure in summary.figures.items():
        if figure.value is not None and summary.definitions[name].kind == "rate":
            assert figure.interval is not None
            assert figure.interval.method == "wilson"
            assert figure.interval.low - 1e-12 <= figure.value <= figure.interval.high + 1e-12


def test_figures_do_not_depend_on_threads_or_on_how_the_input_is_cut(folder: Path, tmp_path: Path) -> None:
    table = make_labelled(ROWS, 5, days=200, agents=12)
    pq.write_table(table.slice(1000, 2000), tmp_path / "a.parquet", row_group_size=100)
    pq.write_table(table.slice(0, 1000), tmp_path / "b.parquet")
    one = summarize(folder, default_settings().replaced("test", engine__threads=1))
    two = summarize(tmp_path, default_settings().replaced("test", engine__threads=4))
    assert one.figures == two.figures
    assert one.groupings == two.groupings
    assert one.tables == two.tables
    assert one.examples == two.examples

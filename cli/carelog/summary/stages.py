"""Excellent service as cause, satisfaction as effect: the five stages, and what goes with them."""

from __future__ import annotations

import duckdb
import numpy as np

from carelog.labels import STAGES
from carelog.summary.effects import count_effects
from carelog.summary.figures import Figure, Interval, Metric
from carelog.summary.intervals import spearman

STAGE_TITLES = {
    "greeting": "Warm welcome",
    "rapport": "Rapport",
    "needs": "Finding the need",
    "solution": "Relevant solution",
    "gratitude": "Gratitude",
}
SOURCES = ("stated", "inferred")
KNOWN_SATISFACTION = "satisfaction_label IN ('satisfied', 'neutral', 'dissatisfied')"


def _stage_rate(stage: str) -> Metric:
    return Metric(
        name=f"stage_rate.{stage}",
        title=STAGE_TITLES[stage],
        formula=f"interactions with the stage {stage} ÷ those where it can be assessed",
        unit="share",
        kind="rate",
        population=f"stage_{stage} IS NOT NULL",
        success=f"stage_{stage}",
        exclusions="no words of the company's side",
        higher_is="better",
    )


STAGE_SCORE = Metric(
    name="stage_score",
    title="Stages done",
    formula="mean number of the five stages (0 to 5) where they can be assessed",
    unit="stages",
    kind="mean",
    population="stage_score IS NOT NULL",
    value="stage_score::BIGINT",
    bounds=(0.0, 5.0),
    exclusions="no words of the company's side",
    higher_is="better",
)


def _effect(stage: str, source: str) -> Metric:
    return Metric(
        name=f"stage_effect.{stage}" if source == "stated" else f"stage_effect_inferred.{stage}",
        title=STAGE_TITLES[stage],
        formula=f"satisfied rate with the stage {stage} − satisfied rate without it, satisfaction {source}",
        unit="share_points",
        kind="special",
        population=f"satisfaction_source = '{source}' AND {KNOWN_SATISFACTION} AND stage_{stage} IS NOT NULL",
        part=f"stage_{stage}",
        success="satisfaction_label = 'satisfied'",
        exclusions=f"satisfaction not {source}; stage not assessable",
        higher_is="better",
        absent="one_side_empty",
    )


def _score_rate(score: int, source: str) -> Metric:
    return Metric(
        name=f"satisfied_by_stages.{source}.{score}",
        title=f"{score} stages done",
        formula=f"satisfied ÷ interactions with {score} of the five stages, satisfaction {source}",
        unit="share",
        kind="rate",
        population=f"satisfaction_source = '{source}' AND {KNOWN_SATISFACTION} AND stage_score = {score}",
        success="satisfaction_label = 'satisfied'",
        exclusions=f"satisfaction not {source}; stages not assessable",
    )


def _correlation(source: str) -> Metric:
    return Metric(
        name=f"stage_correlation.{source}",
        title="Stages and satisfaction",
        formula="Spearman's ρ of stages done (0 to 5) and satisfaction (dissatisfied, neutral, "
        f"satisfied), {source}",
        unit="rho",
        kind="special",
        population=f"satisfaction_source = '{source}' AND {KNOWN_SATISFACTION} AND stage_score IS NOT NULL",
        exclusions=f"satisfaction not {source}; stages not assessable",
        absent="too_few_or_constant",
    )


EFFECTS = tuple(_effect(stage, source) for source in SOURCES for stage in STAGES)
CORRELATIONS = tuple(_correlation(source) for source in SOURCES)
METRICS = (
    *(_stage_rate(stage) for stage in STAGES),
    STAGE_SCORE,
    *EFFECTS,
    *(_score_rate(score, source) for source in SOURCES for score in range(6)),
    *CORRELATIONS,
)


def count_stage_effects(engine: duckdb.DuckDBPyConnection, period: int) -> list[Figure]:
    """What satisfaction does with and without each stage, and along the number of stages."""
    return count_effects(engine, EFFECTS, period) + [
        _correlate(engine, metric, period) for metric in CORRELATIONS
    ]


def _correlate(engine: duckdb.DuckDBPyConnection, metric: Metric, period: int) -> Figure:
    rows = engine.execute(
        f"""
        SELECT stage_score, CASE satisfaction_label WHEN 'dissatisfied' THEN 0 WHEN 'neutral' THEN 1 ELSE 2
            END AS rank, count(*)
        FROM contacts WHERE period = ? AND {metric.population} GROUP BY ALL
        """,
        [period],
    ).fetchall()
    table = np.zeros((6, 3), dtype=np.int64)
    for score, rank, count in rows:
        if 0 <= score <= 5:
            table[score, rank] = count
    found, n = spearman(table), int(table.sum())
    if found is None:
        return Figure(metric.name, None, n=n, unit="rho", reason=metric.absent)
    rho, low, high = found
    return Figure(metric.name, rho, n=n, unit="rho", interval=Interval(low, high, "spearman_fisher"))

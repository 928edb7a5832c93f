"""Management style: signs of discretion and ownership (supportive) beside signs of procedure first
(hierarchical).
"""

from __future__ import annotations

import duckdb

from carelog.summary.effects import count_effects
from carelog.summary.figures import Figure, Metric
from carelog.summary.stages import KNOWN_SATISFACTION, SOURCES

SIGNS = "(coalesce(management_supportive, 0) + coalesce(management_hierarchical, 0))"

STYLE_RATIO = Metric(
    name="style_ratio",
    title="Supportive style",
    formula="supportive signs ÷ (supportive + hierarchical signs)",
    unit="share",
    kind="ratio",
    population=f"{SIGNS} > 0",
    part="coalesce(management_supportive, 0)::BIGINT",
    whole=f"{SIGNS}::BIGINT",
    exclusions="interactions without a sign of either",
    absent="no_signs",
)


def _effect(source: str) -> Metric:
    return Metric(
        name=f"style_effect.{source}",
        title=f"Supportive style and satisfaction ({source})",
        formula="satisfied rate where supportive signs prevail − where hierarchical signs prevail, "
        "satisfaction " + source,
        unit="share_points",
        kind="special",
        population=f"satisfaction_source = '{source}' AND {KNOWN_SATISFACTION} "
        "AND coalesce(management_supportive, 0) <> coalesce(management_hierarchical, 0)",
        part="(coalesce(management_supportive, 0) > coalesce(management_hierarchical, 0))",
        success="satisfaction_label = 'satisfied'",
        exclusions=f"satisfaction not {source}; as many signs of the one as of the other",
        higher_is="better",
        absent="one_side_empty",
    )


EFFECTS = tuple(_effect(source) for source in SOURCES)
METRICS = (STYLE_RATIO, *EFFECTS)


def count_style_effects(engine: duckdb.DuckDBPyConnection, period: int) -> list[Figure]:
    """Satisfaction where supportive signs prevail against where hierarchical ones do."""
    return count_effects(engine, EFFECTS, period)

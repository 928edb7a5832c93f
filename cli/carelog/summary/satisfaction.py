"""Satisfaction: what customers said in surveys (stated) and what their words tell (inferred), always kept
apart.
"""

from __future__ import annotations

from carelog.settings import Settings
from carelog.summary.figures import Metric
from carelog.summary.stages import KNOWN_SATISFACTION, SOURCES

SOURCE_TITLES = {"stated": "Satisfied (stated)", "inferred": "Satisfied (inferred)"}

CSAT_SCORE = "scale = 'csat_5' AND score BETWEEN 1 AND 5"
NPS_SCORE = "scale = 'nps_10' AND score BETWEEN 0 AND 10"
CES_SCORE = "scale = 'ces_7' AND score BETWEEN 1 AND 7"


def _satisfied(source: str) -> Metric:
    return Metric(
        name=f"satisfied_rate.{source}",
        title=SOURCE_TITLES[source],
        formula=f"satisfied ÷ interactions whose satisfaction is {source} (satisfied, neutral, dissatisfied)",
        unit="share",
        kind="rate",
        population=f"satisfaction_source = '{source}' AND {KNOWN_SATISFACTION}",
        success="satisfaction_label = 'satisfied'",
        exclusions=f"satisfaction not {source}",
        higher_is="better",
    )


PLAIN = (
    Metric(
        name="csat",
        title="CSAT",
        formula="scores of 4–5 on the 1–5 scale ÷ all scores on it (top-2 box)",
        unit="share",
        kind="rate",
        population=CSAT_SCORE,
        success="score >= 4",
        exclusions="other scales; scores outside the scale",
        higher_is="better",
        absent="no_scores",
    ),
    Metric(
        name="csat_mean",
        title="CSAT mean",
        formula="mean score on the 1–5 scale",
        unit="score",
        kind="mean",
        population=CSAT_SCORE,
        value="round(score * 1000)::BIGINT",
        value_steps=1000,
        bounds=(1.0, 5.0),
        exclusions="other scales; scores outside the scale",
        higher_is="better",
        absent="no_scores",
    ),
    Metric(
        name="nps",
        title="NPS",
        formula="% of 9–10 − % of 0–6 on the 0–10 scale; 7–8 stay in the denominator",
        unit="points",
        kind="mean",
        population=NPS_SCORE,
        value="CASE WHEN score >= 9 THEN 1 WHEN score < 7 THEN -1 ELSE 0 END",
        scale=100.0,
        bounds=(-100.0, 100.0),
        balance=True,
        exclusions="other scales; scores outside the scale",
        higher_is="better",
        absent="no_scores",
    ),
    Metric(
        name="survey_rate",
        title="Surveys answered",
        formula="interactions with a stated satisfaction ÷ all interactions",
        unit="share",
        kind="rate",
        success="satisfaction_source = 'stated'",
    ),
)


def list_metrics(settings: Settings) -> tuple[Metric, ...]:
    """The metrics of this family; the direction of the effort scale is a setting, since both are in use."""
    easy = settings["ces.high_is"] == "easy"
    ces = Metric(
        name="ces",
        title="CES",
        formula=f"scores of {'5–7' if easy else '1–3'} ÷ all scores on the 1–7 effort scale "
        f"({'7' if easy else '1'} is easy)",
        unit="share",
        kind="rate",
        population=CES_SCORE,
        success="score >= 5" if easy else "score <= 3",
        exclusions="other scales; scores outside the scale",
        higher_is="better",
        absent="no_scores",
    )
    return (*(_satisfied(source) for source in SOURCES), *PLAIN, ces)

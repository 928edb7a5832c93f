"""All metrics in the order of the report. A new family is a file with METRICS (plain SQL) or `figures` (a
function).
"""

from __future__ import annotations

from carelog.settings import Settings
from carelog.summary import (
    care_service,
    complaints,
    data_quality,
    journey,
    loyalty,
    operations,
    satisfaction,
    stages,
    style,
)
from carelog.summary.figures import Metric


def list_metrics(settings: Settings) -> dict[str, Metric]:
    """Every metric by name. The settings decide formulas that have variants, such as the service level."""
    metrics = (
        *care_service.METRICS,
        *stages.METRICS,
        *satisfaction.list_metrics(settings),
        *operations.list_metrics(settings),
        *complaints.METRICS,
        *journey.list_metrics(settings),
        *loyalty.list_metrics(settings),
        *style.METRICS,
        *data_quality.METRICS,
    )
    return {metric.name: metric for metric in metrics}

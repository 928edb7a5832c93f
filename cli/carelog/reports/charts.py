"""Charts as SVG: Altair specifications rendered by vl-convert, without a browser and without a network.

Colours are fixed words of a small palette, which the page's style turns into those of light or dark.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import altair
import vl_convert

from carelog.reports.shapes import Chart

# Altair's own types do not know keyword arguments kept in a dict, nor what `layer` gives.
alt: Any = altair

INK, FAINT, GRID = "#1b1f24", "#5b6470", "#d9dde2"
CARE, SERVICE, MIXED, NEITHER = "#0b7566", "#a2521b", "#7d8590", "#c9ced6"
BAND = "#9fd0c8"
SOFT_FONT = "system-ui, sans-serif"
WIDTH = 400
ORIENTATION_COLORS = {"care": CARE, "mixed": MIXED, "service": SERVICE, "none": NEITHER}


def draw(chart: Chart) -> str:
    """The chart as an SVG element whose ids are its own. KeyError for an unknown kind."""
    specification = KINDS[chart.kind](chart).configure(**_config()).to_dict()
    svg = vl_convert.vegalite_to_svg(specification, vl_version=_version(), allowed_base_urls=[])
    return _own_ids(svg, chart.id)


def _version() -> str:
    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def _own_ids(svg: str, name: str) -> str:
    """Several charts share one page: ids get the chart's name, and sizes give way to the page's style."""
    ids = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    ids = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", ids)
    return ids.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def _config() -> dict[str, Any]:
    axis = {
        "labelColor": FAINT, "titleColor": FAINT, "gridColor": GRID, "domain": False, "ticks": False,
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelPadding": 6,
        "labelLimit": 150,
    }  # fmt: skip
    legend = {
        "labelColor": FAINT,
        "labelFontSize": 12,
        "orient": "top",
        "title": None,
        "symbolType": "square",
    }
    return {
        "background": "transparent", "font": SOFT_FONT, "view": {"stroke": None}, "axis": axis,
        "legend": legend,
        "padding": {"left": 12, "top": 2, "right": 12, "bottom": 2},
    }  # fmt: skip


def _percent_axis(**more: Any) -> Any:
    return alt.Axis(format="%", title=None, tickCount=5, **more)


def _values(chart: Chart) -> Any:
    return alt.Data(values=chart.rows)


def _order(chart: Chart, field: str) -> list[str]:
    return list(dict.fromkeys(str(row[field]) for row in chart.rows))


def _orientation(chart: Chart) -> Any:
    titles = {str(row["order"]): str(row["kind"]) for row in chart.rows}
    kinds = [k for k in ORIENTATION_COLORS if k in titles]
    color = alt.Color(
        "kind:N", sort=[titles[k] for k in kinds],
        scale=alt.Scale(domain=[titles[k] for k in kinds], range=[ORIENTATION_COLORS[k] for k in kinds]),
    )  # fmt: skip
    rows = [{**row, "place": kinds.index(str(row["order"]))} for row in chart.rows]
    groups = _order(chart, "group")
    return (
        alt.Chart(alt.Data(values=rows), width=WIDTH - 90, height=34 * len(groups))
        .mark_bar(height=20)
        .encode(
            y=alt.Y("group:N", sort=groups, title=None, axis=alt.Axis(grid=False)),
            x=alt.X("value:Q", stack="zero", axis=_percent_axis(), scale=alt.Scale(domain=[0, 1])),
            color=color,
            order=alt.Order("place:Q"),
        )
    )


def _trend(chart: Chart) -> Any:
    labels = [str(row["label"]) for row in chart.rows]
    base = alt.Chart(_values(chart), width=WIDTH - 50, height=200)
    every = max(1, -(-len(labels) // 6))
    axis = alt.Axis(title=None, grid=False, labelAngle=0, values=labels[::every], labelOverlap="greedy")
    x = alt.X("label:O", sort=labels, axis=axis, scale=alt.Scale(type="point", padding=0.3))
    y = {"axis": _percent_axis(), "scale": alt.Scale(zero=True)}
    band = base.mark_area(color=BAND, opacity=0.5).encode(x=x, y=alt.Y("low:Q", **y), y2="high:Q")
    line = base.mark_line(color=CARE, strokeWidth=2.5).encode(x=x, y=alt.Y("value:Q", **y))
    dots = base.mark_circle(color=CARE, size=45, opacity=1).encode(x=x, y=alt.Y("value:Q", **y))
    return alt.layer(band, line, dots)


def _activities(chart: Chart) -> Any:
    rows = sorted(chart.rows, key=lambda r: -float(r["value"]))
    order = [str(r["label"]) for r in rows]
    words = [chart.options["care"], chart.options["service"]]
    named = [{**r, "side": chart.options[r["side"]]} for r in rows]
    base = alt.Chart(alt.Data(values=named), width=WIDTH - 110, height=20 * len(rows))
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(grid=False))
    color = alt.Color("side:N", scale=alt.Scale(domain=words, range=[CARE, SERVICE]))
    bars = base.mark_bar(height=11).encode(y=y, x=alt.X("value:Q", axis=_percent_axis()), color=color)
    whiskers = base.mark_rule(color=INK, strokeWidth=1).encode(y=y, x="low:Q", x2="high:Q")
    return alt.layer(bars, whiskers)


def _whiskers(chart: Chart) -> Any:
    order, sources = _order(chart, "label"), _order(chart, "source")
    rows = [{**row, "shift": sources.index(str(row["source"]))} for row in chart.rows]
    base = alt.Chart(alt.Data(values=rows), width=WIDTH - 140, height=(26 + 16 * len(sources)) * len(order))
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(grid=False))
    offset = alt.YOffset("source:N", sort=sources, scale=alt.Scale(paddingOuter=0.6))
    color = alt.Color("source:N", sort=sources, scale=alt.Scale(domain=sources, range=[CARE, MIXED]))
    if len(sources) < 2:
        color = alt.value(CARE)
    x = alt.X("low:Q", title=None, axis=alt.Axis(format="+.0%", tickCount=5))
    rule = base.mark_rule(strokeWidth=2).encode(y=y, yOffset=offset, x=x, x2="high:Q", color=color)
    dot = base.mark_circle(size=70, opacity=1).encode(y=y, yOffset=offset, x="value:Q", color=color)
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=FAINT, strokeWidth=1).encode(x="zero:Q")
    return alt.layer(zero, rule, dot)


def _steps(chart: Chart) -> Any:
    sources = _order(chart, "source")
    base = alt.Chart(_values(chart), width=WIDTH - 50, height=220)
    x = alt.X("score:O", title=None, axis=alt.Axis(grid=False, labelAngle=0))
    shift = alt.XOffset("source:N", sort=sources, scale=alt.Scale(paddingOuter=1))
    color = alt.Color("source:N", sort=sources, scale=alt.Scale(domain=sources, range=[CARE, MIXED]))
    y = {"axis": _percent_axis(), "scale": alt.Scale(domain=[0, 1])}
    rule = base.mark_rule(strokeWidth=2).encode(
        x=x, xOffset=shift, y=alt.Y("low:Q", **y), y2="high:Q", color=color
    )
    dot = base.mark_circle(size=70, opacity=1).encode(
        x=x, xOffset=shift, y=alt.Y("value:Q", **y), color=color
    )
    return alt.layer(rule, dot)


def _flow(chart: Chart) -> Any:
    """Ribbons from the touchpoints on the left to the next ones on the right, as wide as there are contacts."""
    left, right = _stack(chart.rows, "from"), _stack(chart.rows, "to")
    ribbons, starts, ends = [], {k: v[0] for k, v in left.items()}, {k: v[0] for k, v in right.items()}
    for number, row in enumerate(sorted(chart.rows, key=lambda r: (left[r["from"]][0], right[r["to"]][0]))):
        begin, end = starts[row["from"]], ends[row["to"]]
        starts[row["from"]] += row["value"]
        ends[row["to"]] += row["value"]
        ribbons += _ribbon(number, begin, end, float(row["value"]), _side(row))
    y = {"axis": None, "scale": alt.Scale(reverse=True, nice=False)}
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.42, 1.42], nice=False))
    color = alt.Color("side:N", legend=None, scale=alt.Scale(domain=["leave", "stay"], range=[SERVICE, CARE]))
    areas = (
        alt.Chart(alt.Data(values=ribbons), width=WIDTH, height=360)
        .mark_area(opacity=0.35)
        .encode(x=x, y=alt.Y("top:Q", **y), y2="bottom:Q", detail="number:N", color=color)
    )
    nodes = [_node(k, v, -0.03, 0.0, "right") for k, v in left.items()] + [
        _node(k, v, 1.0, 1.03, "left") for k, v in right.items()
    ]
    names = {str(r["from"]): str(r["from_label"]) for r in chart.rows} | {
        str(r["to"]): str(r["to_label"]) for r in chart.rows
    }
    boxes = (
        alt.Chart(alt.Data(values=nodes))
        .mark_rect(color=FAINT)
        .encode(x="x:Q", x2="x2:Q", y=alt.Y("top:Q", **y), y2="bottom:Q")
    )
    layers: list[Any] = [areas, boxes]
    for align, place in (("right", -0.06), ("left", 1.06)):
        texts = [
            {"x": place, "middle": (n["top"] + n["bottom"]) / 2, "name": names[n["key"]]}
            for n in nodes
            if n["align"] == align
        ]
        text = alt.Chart(alt.Data(values=texts)).mark_text(align=align, color=INK, fontSize=12)
        layers.append(text.encode(x="x:Q", y=alt.Y("middle:Q", **y), text="name:N"))
    return alt.layer(*layers)


def _side(row: dict[str, Any]) -> str:
    return "leave" if row["to"] == "exit" else "stay"


def _stack(rows: list[dict[str, Any]], end: str) -> dict[str, tuple[float, float]]:
    """Where each touchpoint's box begins and ends, one under the other with a gap between them."""
    sizes: dict[str, float] = {}
    for row in rows:
        sizes[row[end]] = sizes.get(row[end], 0.0) + row["value"]
    gap = sum(sizes.values()) * 0.03
    places, top = {}, 0.0
    for key in sorted(sizes, key=lambda k: (k == "exit", -sizes[k], k)):
        places[key] = (top, top + sizes[key])
        top += sizes[key] + gap
    return places


def _node(key: str, place: tuple[float, float], x: float, x2: float, align: str) -> dict[str, Any]:
    return {"key": key, "top": place[0], "bottom": place[1], "x": x, "x2": x2, "align": align}


def _ribbon(number: int, begin: float, end: float, size: float, side: str) -> list[dict[str, Any]]:
    points = []
    for step in range(13):
        at = step / 12
        shift = begin + (end - begin) * at * at * (3 - 2 * at)
        points.append(
            {
                "number": number,
                "x": at,
                "top": round(shift, 3),
                "bottom": round(shift + size, 3),
                "side": side,
            }
        )
    return points


KINDS: dict[str, Callable[[Chart], Any]] = {
    "orientation": _orientation,
    "trend": _trend,
    "activities": _activities,
    "whiskers": _whiskers,
    "steps": _steps,
    "flow": _flow,
}

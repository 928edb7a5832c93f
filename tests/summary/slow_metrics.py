"""Every metric again, the slow and obvious way: plain Python over plain records, written from the formulas in
words.

Nothing here is shared with the program but the names. `slow_figures` returns (value, numerator, denominator,
n) by metric.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median
from typing import Any

Row = dict[str, Any]
Quad = tuple[float | None, float | None, float | None, int]

CARE = (
    "inform",
    "complaint",
    "listen",
    "opportunity",
    "follow_up",
    "onboard",
    "retain",
    "goodwill",
    "appreciate",
)
SERVICE = ("question", "sale", "order", "return", "billing", "account", "technical", "appointment", "cancel")
STAGES = ("greeting", "rapport", "needs", "solution", "gratitude")
TOUCHPOINTS = ("awareness", "search", "visit", "order", "delivery", "use", "support", "renewal", "exit")
ASPECTS = ("quality", "price", "range", "attitude", "knowledge", "service_quality", "technical_support")
KNOWN = ("satisfied", "neutral", "dissatisfied")


def rate(rows: list[Row], population: Any, success: Any) -> Quad:
    chosen = [r for r in rows if population(r)]
    hits = [r for r in chosen if success(r)]
    return (len(hits) / len(chosen) if chosen else None, len(hits), len(chosen), len(chosen))


def spread(values: list[float]) -> Quad:
    return (median(values) if values else None, None, None, len(values))


def ninety(values: list[float]) -> float:
    ordered = sorted(values)
    place = 0.9 * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def start(r: Row) -> datetime:
    return datetime.fromisoformat(r["started_at"])


def weights(r: Row) -> tuple[float, float]:
    """(care weight, care and service weight) by trying every way in which the activities can be main ones."""
    acts, share = r["activities"], r["care_share"]
    cares, serves = len(set(acts) & set(CARE)), len(set(acts) & set(SERVICE))
    for total in range(cares + serves + 1, 2 * (cares + serves) + 1):
        care = share * total
        if abs(care - round(care)) < 1e-6:
            return round(care), total
    return share * (max(len(acts), 1) + 1), max(len(acts), 1) + 1


def handled(r: Row) -> float | None:
    if r.get("handle_seconds") is not None:
        return r["handle_seconds"]
    parts = [r.get(k) for k in ("talk_seconds", "hold_seconds", "wrap_up_seconds")]
    return None if any(p is None for p in parts) else sum(parts)


def net(r: Row) -> float | None:
    order = r.get("order")
    if not order or order.get("amount") is None or order.get("kind") == "void":
        return None
    amount = float(order["amount"])
    return -abs(amount) if order.get("kind") == "return" else amount


def inbound(r: Row) -> bool:
    return r["channel"] in ("phone", "chat") and r.get("direction", "inbound") in ("inbound", "unknown")


def answered(r: Row) -> bool:
    return inbound(r) and r.get("status") in ("completed", "closed", "open")


def offered(r: Row) -> bool:
    return inbound(r) and r.get("status") in (
        "completed",
        "closed",
        "open",
        "abandoned",
        "missed",
        "voicemail",
    )


def by_customer(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for r in sorted(rows, key=lambda r: (start(r), r["interaction_id"])):
        if r.get("customer_id") is not None:
            found.setdefault(r["customer_id"], []).append(r)
    return found


def slow_figures(
    rows: list[Row], repeat_days: int = 7, later_days: int = 90, seconds: float = 20
) -> dict[str, Quad]:
    """All plain and special metrics of all rows; `later_days` is both the value and the loyalty window."""
    found: dict[str, Quad] = {}
    found |= _work(rows)
    found |= _stages(rows)
    found |= _satisfaction(rows)
    found |= _operations(rows, seconds)
    found |= _complaints(rows)
    found |= _journey(rows, repeat_days)
    found |= _loyalty(rows, later_days)
    found |= _style(rows)
    found |= _known(rows)
    return found


def _work(rows: list[Row]) -> dict[str, Quad]:
    judged = [r for r in rows if r["assessable"]]
    weighed = [weights(r) for r in judged if r["care_share"] is not None]
    care, whole = sum(c for c, _ in weighed), sum(w for _, w in weighed)
    found: dict[str, Quad] = {"care_share": (care / whole, care, whole, len(weighed))}
    for name in ("care", "service", "mixed", "none"):
        found[f"orientation_rate.{name}"] = rate(
            judged, lambda r: True, lambda r, n=name: r["orientation"] == n
        )
    for name in CARE + SERVICE:
        found[f"activity_rate.{name}"] = rate(judged, lambda r: True, lambda r, n=name: n in r["activities"])
    found["proactive_rate"] = rate(rows, lambda r: r["initiative"], lambda r: r["initiative"] == "proactive")
    timed = [r for r in judged if r["care_share"] is not None and handled(r) is not None]
    service = sum(handled(r) * (1 - r["care_share"]) for r in timed) / 60
    total = sum(handled(r) for r in timed) / 60
    found["service_minutes"] = (service, service, total, len(timed))
    found["care_minutes"] = (total - service, total - service, total, len(timed))
    return found


def _stages(rows: list[Row]) -> dict[str, Quad]:
    found: dict[str, Quad] = {}
    for s in STAGES:
        found[f"stage_rate.{s}"] = rate(
            rows, lambda r, k=f"stage_{s}": r[k] is not None, lambda r, k=f"stage_{s}": r[k]
        )
    scores = [r["stage_score"] for r in rows if r["stage_score"] is not None]
    found["stage_score"] = (sum(scores) / len(scores), sum(scores), len(scores), len(scores))
    for prefix, source in (("stage_effect", "stated"), ("stage_effect_inferred", "inferred")):
        told = [r for r in rows if r["satisfaction_source"] == source and r["satisfaction_label"] in KNOWN]
        for s in STAGES:
            have = [r for r in told if r[f"stage_{s}"] is True]
            lack = [r for r in told if r[f"stage_{s}"] is False]
            value = None
            if have and lack:
                value = _satisfied(have) - _satisfied(lack)
            found[f"{prefix}.{s}"] = (value, None, None, len(have) + len(lack))
        for score in range(6):
            found[f"satisfied_by_stages.{source}.{score}"] = rate(
                told,
                lambda r, n=score: r["stage_score"] == n,
                lambda r: r["satisfaction_label"] == "satisfied",
            )
    return found


def _satisfied(rows: list[Row]) -> float:
    return sum(r["satisfaction_label"] == "satisfied" for r in rows) / len(rows)


def _scores(rows: list[Row], scale: str) -> list[float]:
    return [
        r["satisfaction"]["score"]
        for r in rows
        if r.get("satisfaction") and r["satisfaction"]["scale"] == scale
    ]


def _satisfaction(rows: list[Row]) -> dict[str, Quad]:
    found: dict[str, Quad] = {}
    for source in ("stated", "inferred"):
        found[f"satisfied_rate.{source}"] = rate(
            rows,
            lambda r, s=source: r["satisfaction_source"] == s and r["satisfaction_label"] in KNOWN,
            lambda r: r["satisfaction_label"] == "satisfied",
        )
    csat, nps, ces = _scores(rows, "csat_5"), _scores(rows, "nps_10"), _scores(rows, "ces_7")
    top = sum(s in (4, 5) for s in csat)
    found["csat"] = (top / len(csat) if csat else None, top, len(csat), len(csat))
    found["csat_mean"] = (sum(csat) / len(csat) if csat else None, sum(csat), len(csat), len(csat))
    balance = sum(s >= 9 for s in nps) - sum(s <= 6 for s in nps)
    found["nps"] = (100 * balance / len(nps) if nps else None, balance, len(nps), len(nps))
    easy = sum(s >= 5 for s in ces)
    found["ces"] = (easy / len(ces) if ces else None, easy, len(ces), len(ces))
    found["survey_rate"] = rate(rows, lambda r: True, lambda r: r["satisfaction_source"] == "stated")
    return found


def _operations(rows: list[Row], seconds: float) -> dict[str, Quad]:
    worked = [r for r in rows if r.get("status") not in ("missed", "abandoned", "failed")]
    found = {
        "first_response_time": spread(
            [
                r["first_response_seconds"]
                for r in rows
                if r.get("first_response_seconds") is not None and r["initiative"] != "proactive"
            ]
        ),
        "resolution_time": spread(
            [
                r["resolution_seconds"]
                for r in rows
                if r.get("resolution_seconds") is not None and r.get("status") != "open"
            ]
        ),
        "handle_time": spread([handled(r) for r in worked if handled(r) is not None]),
        "talk_time": spread([r["talk_seconds"] for r in worked if r.get("talk_seconds") is not None]),
        "wait_time": spread(
            [r["wait_seconds"] for r in rows if answered(r) and r.get("wait_seconds") is not None]
        ),
    }
    opened = sum(r.get("status") == "open" for r in rows)
    found["open_interactions"] = (opened, opened, None, len(rows))
    waited = [r for r in rows if r.get("wait_seconds") is not None and inbound(r)]
    good = [r for r in waited if answered(r) and r["wait_seconds"] <= seconds]
    counted = [
        r for r in waited if answered(r) or (r.get("status") == "abandoned" and r["wait_seconds"] > seconds)
    ]
    found["service_level"] = (
        len(good) / len(counted) if counted else None,
        len(good),
        len(counted),
        len(counted),
    )
    found["abandonment_rate"] = rate(rows, offered, lambda r: r["status"] == "abandoned")
    return found


def _complaints(rows: list[Row]) -> dict[str, Quad]:
    judged = [r for r in rows if r["assessable"]]
    cases = [r for r in judged if "complaint" in r["activities"]]
    found = {"complaint_rate": (len(cases) / len(judged), len(cases), len(judged), len(judged))}
    for outcome in ("resolved", "unresolved", "escalated", "promised", "unknown"):
        found[f"complaint_outcome.{outcome}"] = rate(
            cases, lambda r: True, lambda r, o=outcome: (r["outcome"] or "unknown") == o
        )
    answers = [
        r["first_response_seconds"]
        for r in cases
        if r.get("first_response_seconds") is not None and r["initiative"] != "proactive"
    ]
    found["complaint_first_response_time"] = spread(answers)
    found["complaint_resolution_time"] = spread(
        [r["resolution_seconds"] for r in cases if r.get("resolution_seconds") is not None]
    )
    for prefix, chosen in (("aspect_balance", judged), ("complaint_aspect", cases)):
        for aspect in ASPECTS:
            signs = [
                {"positive": 1, "negative": -1}.get(a["polarity"], 0)
                for r in chosen
                for a in r["aspects"]
                if a["aspect"] == aspect
            ]
            found[f"{prefix}.{aspect}"] = (
                (sum(signs) / len(signs), sum(signs), len(signs), len(signs))
                if signs
                else (None, None, None, 0)
            )
    return found


def _journey(rows: list[Row], days: int) -> dict[str, Quad]:
    found: dict[str, Quad] = {}
    for name in TOUCHPOINTS:
        found[f"journey.{name}"] = rate(
            rows, lambda r: r["touchpoint"], lambda r, n=name: r["touchpoint"] == n
        )
    end = max(start(r) for r in rows)
    window = timedelta(days=days)
    customers = by_customer(rows)
    again: dict[str, bool] = {}
    complete: dict[str, bool] = {}
    for contacts in customers.values():
        for place, r in enumerate(contacts):
            if r["activities"]:
                complete[r["interaction_id"]] = start(r) + window <= end
                again[r["interaction_id"]] = any(
                    set(other["activities"]) & set(r["activities"]) and start(other) <= start(r) + window
                    for other in contacts[place + 1 :]
                )
    watched = [r for r in rows if complete.get(r["interaction_id"])]
    found["repeat_contact_rate"] = rate(watched, lambda r: True, lambda r: again[r["interaction_id"]])
    found["first_contact_resolution"] = rate(
        watched,
        lambda r: (r["outcome"] or "unknown") != "unknown",
        lambda r: r["outcome"] == "resolved" and not again[r["interaction_id"]],
    )
    censored = sum(not c for c in complete.values())
    found["censored_contacts"] = (censored, censored, None, len(rows))
    several = sum(len(c) > 1 for c in customers.values())
    found["returning_customer_rate"] = (several / len(customers), several, len(customers), len(customers))
    orders = sum((r.get("order") or {}).get("kind") == "sale" for r in rows)
    found["contact_rate"] = (len(rows) / orders, len(rows), orders, orders)
    last: list[str] = []
    for contacts in customers.values():
        if any(r["churn_risk"] or "cancel" in r["activities"] for r in contacts):
            points = [r["touchpoint"] for r in contacts if r["touchpoint"]]
            last += points[-1:]
    for name in TOUCHPOINTS:
        found[f"exit_point.{name}"] = (last.count(name) / len(last), last.count(name), len(last), len(last))
    first = [r for r in watched if r["initiative"] == "proactive"]
    other = [r for r in watched if r["initiative"] == "reactive"]
    share = [sum(again[r["interaction_id"]] for r in side) / len(side) for side in (first, other)]
    found["proactive_effect.repeat"] = (share[0] - share[1], None, None, len(first) + len(other))
    risk = [r for r in rows if r["assessable"] and r["churn_risk"] is not None]
    sides = [[r["churn_risk"] for r in risk if r["initiative"] == i] for i in ("proactive", "reactive")]
    found["proactive_effect.churn"] = (
        sum(sides[0]) / len(sides[0]) - sum(sides[1]) / len(sides[1]), None, None,
        len(sides[0]) + len(sides[1])
    )  # fmt: skip
    return found


def _loyalty(rows: list[Row], days: int) -> dict[str, Quad]:
    judged = [r for r in rows if r["assessable"]]
    found: dict[str, Quad] = {
        "churn_risk_rate": rate(judged, lambda r: r["churn_risk"] is not None, lambda r: r["churn_risk"]),
        "loyalty_rate": rate(judged, lambda r: r["loyalty"] is not None, lambda r: r["loyalty"]),
    }
    end, window = max(start(r) for r in rows), timedelta(days=days)
    customers = by_customer(rows)
    rates = {}
    for side in ("satisfied", "dissatisfied"):
        chosen = [
            c
            for c in customers.values()
            if c[0]["satisfaction_label"] == side and start(c[0]) + window <= end
        ]
        back = [c for c in chosen if len(c) > 1 and start(c[1]) <= start(c[0]) + window]
        spent = [
            r for c in chosen for r in c[1:]
            if net(r) is not None and start(c[0]) < start(r) <= start(c[0]) + window
        ]  # fmt: skip
        orders = [r for r in spent if r["order"]["kind"] == "sale"]
        amount = sum(net(r) for r in spent)
        rates[side] = (len(back) / len(chosen), len(back), len(chosen), len(chosen))
        found[f"care_loyalty.{side}"] = rates[side]
        found[f"care_loyalty.orders.{side}"] = (
            len(orders) / len(chosen),
            len(orders),
            len(chosen),
            len(chosen),
        )
        found[f"care_loyalty.spend.{side}"] = (
            amount / len(orders) if orders else None,
            amount,
            len(orders),
            len(orders),
        )
    found["care_loyalty"] = (
        rates["satisfied"][0] - rates["dissatisfied"][0], None, None,
        rates["satisfied"][3] + rates["dissatisfied"][3]
    )  # fmt: skip
    sides: dict[bool, list[float]] = {True: [], False: []}
    for contacts in customers.values():
        told = [r for r in contacts if r["assessable"] and r["orientation"] in ("care", "mixed", "service")]
        cared = [r for r in told if r["orientation"] != "service"]
        if told and start((cared or told)[0]) + window <= end:
            began = start((cared or told)[0])
            sides[bool(cared)].append(
                sum(net(r) or 0 for r in contacts if began < start(r) <= began + window)
            )
    mean = {k: sum(v) / len(v) for k, v in sides.items()}
    found["value_of_care"] = (mean[True] - mean[False], None, None, len(sides[True]) + len(sides[False]))
    return found


def _style(rows: list[Row]) -> dict[str, Quad]:
    shown = [r for r in rows if r["management_supportive"] + r["management_hierarchical"] > 0]
    good = sum(r["management_supportive"] for r in shown)
    whole = good + sum(r["management_hierarchical"] for r in shown)
    found: dict[str, Quad] = {"style_ratio": (good / whole, good, whole, len(shown))}
    for source in ("stated", "inferred"):
        told = [r for r in rows if r["satisfaction_source"] == source and r["satisfaction_label"] in KNOWN]
        more = [r for r in told if r["management_supportive"] > r["management_hierarchical"]]
        less = [r for r in told if r["management_supportive"] < r["management_hierarchical"]]
        found[f"style_effect.{source}"] = (
            _satisfied(more) - _satisfied(less),
            None,
            None,
            len(more) + len(less),
        )
    return found


def _known(rows: list[Row]) -> dict[str, Quad]:
    tests = {
        "customer_id": lambda r: r.get("customer_id"),
        "agent_id": lambda r: r.get("agent_id"),
        "initiative": lambda r: r["initiative"],
        "satisfaction": lambda r: r["satisfaction_label"] in KNOWN,
        "outcome": lambda r: r["outcome"] not in (None, "unknown"),
        "touchpoint": lambda r: r["touchpoint"],
        "handle_time": lambda r: handled(r) is not None,
        "language": lambda r: r["language"],
    }
    found = {f"known_rate.{name}": rate(rows, lambda r: True, test) for name, test in tests.items()}
    found["assessable_rate"] = rate(rows, lambda r: True, lambda r: r["assessable"])
    return found

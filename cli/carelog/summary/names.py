"""Whether a report names people: agents and customers by name, by pseudonym, or not at all."""

from __future__ import annotations

from dataclasses import replace

from carelog.summary.figures import Case, Group, Grouping, Summary

PERSONAL = {"agent_id": "Agent", "customer_id": "Customer"}


def hide_names(summary: Summary, mode: str) -> Summary:
    """The summary as `mode` wants it: `show` as it is, `pseudonym` with numbers for names, `hide` without
    such groups.

    Numbers go by size, the most contacts first, so a report names the same agent alike everywhere; between
    reports they differ.
    """
    if mode == "show":
        return summary
    names = {
        by: _numbers(grouping, PERSONAL[by]) for by, grouping in summary.groupings.items() if by in PERSONAL
    }
    kept = {
        by: _renamed(grouping, names[by]) if by in PERSONAL else grouping
        for by, grouping in summary.groupings.items()
        if mode == "pseudonym" or by not in PERSONAL
    }
    agents = names.get("agent_id", {}) if mode == "pseudonym" else {}
    top = {name: [_without_name(case, agents) for case in cases] for name, cases in summary.top.items()}
    changes = [c for c in summary.changes if c.group is None or c.group[0] not in PERSONAL]
    by_chosen = tuple(by for by in summary.chosen_by if by in kept)
    return replace(summary, groupings=kept, top=top, changes=changes, chosen_by=by_chosen)


def _numbers(grouping: Grouping, title: str) -> dict[str | None, str | None]:
    ranked = sorted((g for g in grouping.groups if g.key is not None), key=lambda g: (-g.n, g.key or ""))
    width = len(str(len(ranked)))
    found: dict[str | None, str | None] = {
        g.key: f"{title} {i:0{width}}" for i, g in enumerate(ranked, start=1)
    }
    return found | {None: None}


def _renamed(grouping: Grouping, names: dict[str | None, str | None]) -> Grouping:
    groups = [Group(names[g.key], g.n, g.customers, g.figures) for g in grouping.groups]
    return Grouping(grouping.by, sorted(groups, key=lambda g: (g.key is None, g.key or "")), grouping.omitted)


def _without_name(case: Case, agents: dict[str | None, str | None]) -> Case:
    evidence = [{k: v for k, v in e.items() if k != "text"} for e in case.evidence]
    return replace(case, agent_id=agents.get(case.agent_id), evidence=evidence)

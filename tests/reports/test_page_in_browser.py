"""The page in a real browser: draws, sorts, filters, adapts, prints, asks no host for anything, and is
accessible.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
DESKTOP = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}


def show(browser: Any, page: Path, screen: dict[str, Any] = DESKTOP, dark: bool = False) -> None:
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    browser.get_log("performance")
    browser.get(page.as_uri())


def requests(browser: Any) -> list[str]:
    """Addresses asked for since the page was shown, but for those of the browser's own start page."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("chrome://")]


def test_the_page_has_no_console_error_and_asks_nobody_for_anything(browser: Any, page: Path) -> None:
    show(browser, page)
    assert browser.get_log("browser") == []
    assert requests(browser) == [page.as_uri()]


def test_every_chart_is_drawn_and_says_in_words_what_it_shows(browser: Any, page: Path) -> None:
    show(browser, page)
    charts = browser.execute_script(
        """return [...document.querySelectorAll('.chart')].map(c => ({
            alt: c.getAttribute('aria-label'), marks: c.querySelectorAll('path, rect, text').length,
            width: c.querySelector('svg').getBoundingClientRect().width,
            height: c.querySelector('svg').getBoundingClientRect().height,
            hosts: [...c.querySelectorAll('[href], [*|href]')].length}))"""
    )
    assert len(charts) >= 7
    for chart in charts:
        assert len(chart["alt"]) > 20
        assert chart["marks"] > 10
        assert chart["width"] > 250
        assert chart["height"] > 100
        assert chart["hosts"] == 0


def column(browser: Any, table: str, number: int) -> list[str]:
    found: list[str] = browser.execute_script(
        f"return [...document.querySelectorAll('#{table} tbody tr')].filter(r => !r.hidden)"
        f".map(r => r.cells[{number}].querySelector('.v').textContent)"
    )
    return found


def press(browser: Any, table: str, number: int) -> str | None:
    state: str | None = browser.execute_script(
        f"const head = document.querySelectorAll('#{table} thead th')[{number}];"
        "head.querySelector('button').click(); return head.getAttribute('aria-sort')"
    )
    return state


def test_tables_sort_by_value_both_ways_and_say_so(browser: Any, page: Path) -> None:
    show(browser, page)
    table = "agent-id-care-share"
    assert press(browser, table, 2) == "descending"
    shares = [float(t.removesuffix("%")) for t in column(browser, table, 2) if t != "–"]
    assert shares == sorted(shares, reverse=True)
    assert press(browser, table, 2) == "ascending"
    shares = [float(t.removesuffix("%")) for t in column(browser, table, 2) if t != "–"]
    assert shares == sorted(shares)
    press(browser, table, 0)
    names = [n for n in column(browser, table, 0) if n.startswith("agent")]
    assert names == sorted(names)


def test_long_tables_filter_as_one_types(browser: Any, page: Path) -> None:
    show(browser, page)
    table = "agent-id-care-share"
    count = browser.execute_script(
        f"""const field = document.getElementById('filter-{table}');
        field.value = 'agent 01'; field.dispatchEvent(new Event('input'));
        return field.parentNode.querySelector('output').textContent"""
    )
    shown = column(browser, table, 0)
    assert len(shown) == 10
    assert all("agent 01" in name for name in shown)
    assert count.startswith("10 / ")


def colours(browser: Any) -> dict[str, str]:
    found: dict[str, str] = browser.execute_script(
        """const bar = document.querySelector('.chart path[stroke="#0b7566"]');
        return {paper: getComputedStyle(document.body).backgroundColor,
            line: getComputedStyle(bar).stroke, ink: getComputedStyle(document.body).color}"""
    )
    return found


def test_page_and_charts_turn_dark_with_the_readers_system(browser: Any, page: Path) -> None:
    show(browser, page)
    light = colours(browser)
    show(browser, page, dark=True)
    dark = colours(browser)
    assert light["paper"] == "rgb(255, 255, 255)"
    assert all(light[name] != dark[name] for name in light)


@pytest.mark.parametrize("screen", [PHONE, {**PHONE, "width": 320}, DESKTOP])
def test_nothing_sticks_out_of_the_screen(browser: Any, page: Path, screen: dict[str, Any]) -> None:
    show(browser, page, screen)
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= screen["width"]


def test_the_page_prints_on_a4(browser: Any, page: Path) -> None:
    show(browser, page)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
    content = base64.b64decode(printed["data"])
    assert content.startswith(b"%PDF")
    assert b"/MediaBox [0 0 594" in content or b"/MediaBox [0 0 595" in content


def test_the_page_is_whole_without_its_script(browser: Any, page: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    show(browser, page)
    text = browser.find_element("css selector", "main").text
    assert "Care share" in text
    assert "Outcome of complaints" in text
    assert browser.find_elements("css selector", "table button") == []


@pytest.mark.parametrize(("screen", "dark"), [(DESKTOP, False), (DESKTOP, True), (PHONE, False)])
def test_axe_finds_nothing_serious(
    browser: Any, page: Path, axe: str, screen: dict[str, Any], dark: bool
) -> None:
    show(browser, page, screen, dark)
    browser.execute_script("for (const d of document.querySelectorAll('details.fold')) d.open = true")
    # The page's policy allows no eval; the driver's own script context is not bound by it.
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    result = browser.execute_cdp_cmd(
        "Runtime.evaluate",
        {"expression": "axe.run(document).then(r => JSON.stringify(r.violations))", "awaitPromise": True},
    )
    violations = json.loads(result["result"]["value"])
    bad = [
        (v["id"], v["impact"], v["nodes"][0]["html"])
        for v in violations
        if v["impact"] in ("serious", "critical")
    ]
    assert bad == []


def test_landmarks_headings_and_links_lead_through_the_page(browser: Any, page: Path) -> None:
    show(browser, page)
    found = browser.execute_script(
        """const all = (query) => [...document.querySelectorAll(query)];
        return {mains: all('main').length, navs: all('nav').length, h1: all('h1').length,
            targets: all('nav a').map(a => !!document.querySelector(a.getAttribute('href'))),
            heads: all('tbody tr').every(r => r.cells[0].tagName === 'TH'),
            captions: all('table').every(t => t.caption && t.caption.textContent)}"""
    )
    assert (found["mains"], found["navs"], found["h1"]) == (1, 1, 1)
    assert len(found["targets"]) == 9
    assert all(found["targets"])
    assert found["heads"]
    assert found["captions"]

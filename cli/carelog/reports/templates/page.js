"use strict";
// Sorting and filtering of tables. The page is whole without this script.
(() => {
  const words = document.currentScript.dataset;
  const value = (row, column) => {
    const cell = row.cells[column];
    const key = cell.dataset.sort ?? cell.querySelector(".v").textContent;
    const number = Number(key);
    return key !== "" && !Number.isNaN(number) ? number : key;
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b, document.documentElement.lang);
  };
  const sort = (table, head, column) => {
    const descending = head.getAttribute("aria-sort") === "descending" ? false
      : head.getAttribute("aria-sort") === "ascending" ? true : head.classList.contains("n");
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const absent = (row) => row.cells[column].classList.contains("absent");
    const rows = Array.from(body.rows).sort((a, b) =>
      absent(a) - absent(b) || compare(value(a, column), value(b, column)) * (descending ? -1 : 1));
    body.append(...rows);
  };
  for (const table of document.querySelectorAll("table")) {
    Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(table, head, column));
      head.replaceChildren(button);
    });
    if (!("filter" in table.dataset)) continue;
    const label = document.createElement("label");
    const input = document.createElement("input");
    const output = document.createElement("output");
    const line = document.createElement("div");
    line.className = "filter";
    input.type = "search";
    input.id = `filter-${table.id}`;
    label.htmlFor = input.id;
    label.textContent = words.filter;
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLocaleLowerCase();
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
        if (!row.hidden) shown += 1;
      }
      output.textContent = wanted ? `${shown} / ${table.tBodies[0].rows.length}` : "";
    });
    line.append(label, input, output);
    table.parentNode.before(line);
  }
  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target) target.closest("details")?.setAttribute("open", "");
  };
  window.addEventListener("hashchange", open);
  open();
})();

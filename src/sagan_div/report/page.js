"use strict";
// Sorting: numbers by data-sort, the rest by its text; a cell without a number stays last either way.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll("thead tr:last-child th")];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const falling = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => compare(a.cells[column], b.cells[column], falling ? -1 : 1));
    body.append(...rows);
  }));
}

function compare(a, b, direction) {
  const [x, y] = [a.dataset.sort, b.dataset.sort];
  if (x && y) return direction * (Number(x) - Number(y));
  if (x || y) return x ? -1 : 1;
  return direction * a.textContent.trim().localeCompare(b.textContent.trim());
}

// Dialogs: enlarged grids, and where a number comes from. A click beside a dialog closes it.
const enlarged = document.getElementById("enlarged");
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.zoom, button[data-source]");
  if (button?.dataset.source) {
    [...document.querySelectorAll("dialog.origin")].find((dialog) => dialog.dataset.key === button.dataset.source).showModal();
  } else if (button) {
    enlarged.querySelector("img").src = button.querySelector("img").src;
    enlarged.querySelector("img").alt = button.querySelector("img").alt;
    enlarged.querySelector("figcaption").textContent = button.parentElement.querySelector("figcaption").textContent;
    enlarged.showModal();
  } else if (event.target.tagName === "DIALOG") {
    event.target.close();
  }
});

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

// Dialogs: enlarged grids, and where a number comes from: its own button, or that of its row. A click beside a dialog closes it.
function showOrigin(key) {
  [...document.querySelectorAll("dialog.origin")].find((dialog) => dialog.dataset.key === key)?.showModal();
}

const enlarged = document.getElementById("enlarged");
document.addEventListener("click", (event) => {
  const entry = event.target.closest("td");
  const button = event.target.closest("button.zoom, button[data-source]") ?? entry?.parentElement.querySelector("button[data-source]");
  if (button?.dataset.source) {
    showOrigin(button.dataset.source);
  } else if (button) {
    enlarged.querySelector("img").src = button.querySelector("img").src;
    enlarged.querySelector("img").alt = button.querySelector("img").alt;
    enlarged.querySelector("figcaption").textContent = button.parentElement.querySelector("figcaption").textContent;
    enlarged.showModal();
  } else if (event.target.tagName === "DIALOG") {
    event.target.close();
  }
});

// Growth: one frame of each film at a time, the last that its run had reached by then.
for (const growth of document.querySelectorAll(".growth")) {
  const films = [...growth.querySelectorAll("figure")].map((figure) => ({ figure, ratings: JSON.parse(figure.dataset.ratings) }));
  const seen = [...new Set(films.flatMap(({ ratings }) => ratings.map(([images]) => images)))].sort((a, b) => a - b);
  const slider = growth.querySelector("input");
  const show = () => {
    const images = seen[slider.value];
    const words = images.toLocaleString("en");
    growth.querySelector("output").textContent = words;
    slider.setAttribute("aria-valuetext", `${words} real images`);
    for (const { figure, ratings } of films) {
      const frame = Math.max(0, ratings.findLastIndex(([reached]) => reached <= images));
      figure.style.setProperty("--frame", frame);
      figure.querySelector(".rating").textContent = `rated ${ratings[frame][1]} at ${ratings[frame][0].toLocaleString("en")}`;
    }
  };
  slider.max = seen.length - 1;
  slider.value = slider.max;
  slider.addEventListener("input", show);
  growth.querySelector(".slider").hidden = false;
  growth.classList.add("playing");
  show();
}

"use strict";
// Charts: each still gives way to a living chart when it comes near the window; all of them obey one set of controls.
const config = JSON.parse(document.getElementById("chart-config").textContent);
const controls = document.getElementById("controls");
const alive = new Map(); // panel -> view

function chosen() {
  const form = new FormData(controls);
  return { methods: form.getAll("methods"), seeds: form.getAll("seeds").map(Number), space: form.get("space"), scale: form.get("scale") };
}

// The specification with the reader's choices; a scale is rewritten, since Vega-Lite has no signal for its type. Losses, which
// have both signs, have a symmetric logarithm, and then all of their range.
function specification(panel) {
  const spec = JSON.parse(panel.querySelector("script").textContent);
  const { scale, ...values } = chosen();
  const axis = panel.dataset.axis;
  if (axis && scale) {
    values.logarithmic = scale === "log";
    for (const layer of spec.layer ?? [spec]) {
      const channel = layer.encoding?.[axis];
      if (!channel?.field) continue;
      const whole = scale === "log" && panel.dataset.log === "symlog";
      channel.scale = { ...channel.scale, type: whole ? "symlog" : scale, ...(whole && { domain: undefined }) };
    }
  }
  spec.params = spec.params.map((param) => ({ ...param, value: values[param.name] ?? param.value }));
  return spec;
}

async function enliven(panel) {
  alive.get(panel)?.finalize();
  const place = panel.querySelector(".live") ?? document.createElement("div");
  const still = panel.querySelector(".still");
  place.className = "live";
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", still.getAttribute("aria-label"));
  still.before(place);
  const options = { mode: "vega-lite", renderer: "svg", actions: false, logLevel: 1, config, tooltip: { theme: "page" } };
  const { view } = await window.vegaEmbed(place, specification(panel), options);
  view.addEventListener("click", (_, item) => {
    const { method, first, source } = item?.datum ?? {};
    const key = method ?? first ?? source;
    if (key) window.showOrigin(`${panel.dataset.dataset}/${key}`);
  });
  alive.set(panel, view);
  panel.classList.add("alive");
}

const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) {
      near.unobserve(target);
      enliven(target);
    }
  }
}, { rootMargin: "600px" });
for (const panel of document.querySelectorAll(".panel")) near.observe(panel);

controls.addEventListener("change", (event) => {
  const { scale, ...values } = chosen();
  for (const element of document.querySelectorAll("main [data-method]")) element.hidden = !values.methods.includes(element.dataset.method);
  for (const [panel, view] of alive) {
    if (event.target.name === "scale") {
      if (panel.dataset.axis) enliven(panel);
    } else {
      for (const [name, value] of Object.entries(values)) view.signal(name, value);
      view.runAsync();
    }
  }
});
controls.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("filter").hidden = false;

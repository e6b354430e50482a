// A small chart of bars, drawn as SVG.

import { h } from "./dom.js";

export const SVG = ["http:", "", "www.w3.org", "2000", "svg"].join("/"); // a name, which no browser asks for
const HEIGHT = 40;
const GAP = 0.2;

/** A figure with the function `update({values, total})`: one bar for each value, null for a time that nobody saw. */
export function chartOf(title, from, to) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "chart");
  svg.setAttribute("role", "img");
  svg.setAttribute("preserveAspectRatio", "none");
  const total = h("strong", { class: "wall-number" });
  const most = h("span", {});
  const figure = h(
    "figure",
    { class: "tile" },
    h("figcaption", {}, h("span", { class: "tile-name" }, title), total),
    svg,
    h("div", { class: "chart-axis faint small", "aria-hidden": "true" }, h("span", {}, from), most, h("span", {}, to)),
  );
  let shown = null;
  figure.update = (given) => {
    const now = JSON.stringify(given);
    if (now === shown) return;
    shown = now;
    total.textContent = String(given.total);
    const highest = Math.max(1, ...given.values);
    most.textContent = `↑ ${highest}`;
    svg.setAttribute("viewBox", `0 0 ${given.values.length} ${HEIGHT}`);
    svg.setAttribute("aria-label", `${title}: ${given.values.map((value) => value ?? "–").join(", ")}`);
    svg.replaceChildren(...given.values.map((value, place) => barOf(value, place, highest)));
  };
  return figure;
}

function barOf(value, place, highest) {
  const bar = document.createElementNS(SVG, "rect");
  const height = value ? Math.max(1, (value / highest) * HEIGHT) : 0.5;
  const shape = { x: place + GAP / 2, y: HEIGHT - height, width: 1 - GAP, height };
  for (const [name, number] of Object.entries(shape)) bar.setAttribute(name, String(number));
  bar.setAttribute("class", value === null ? "bar unseen-time" : "bar");
  return bar;
}

// Charts of reports, drawn as SVG; the numbers are in a table beside them.

import { fill, h, words } from "./dom.js";
import { SVG } from "./chart.js";

const HEIGHT = 100;
const GAP = 0.25;

/** Bars beside each other in the order of time: `items` are `{name, value, text}`, null values are nothing. */
export function columnsOf(title, items) {
  const highest = highestOf(items);
  const svg = drawing(`0 0 ${Math.max(1, items.length)} ${HEIGHT}`, title);
  svg.replaceChildren(
    ...items.map(({ name, value, text }, place) => {
      const height = value ? Math.max(1, (value / highest) * HEIGHT) : 0;
      return bar({ x: place + GAP / 2, y: HEIGHT - height, width: 1 - GAP, height }, `${name}: ${text}`);
    }),
  );
  const most = items.find(({ value }) => value === highest);
  return h(
    "div",
    { class: "columns" },
    h("p", { class: "faint small" }, most?.text ?? ""),
    svg,
    h("p", { class: "chart-axis faint small" }, h("span", {}, items[0]?.name ?? ""), h("span", {}, items.at(-1)?.name ?? "")),
  );
}

/** Bars below each other, each with its name and its value. */
export function linesOf(title, items) {
  const highest = highestOf(items);
  const line = ({ name, value, text }) => {
    const svg = drawing(`0 0 ${HEIGHT} 1`, null);
    svg.replaceChildren(bar({ x: 0, y: 0.15, width: value ? Math.max(0.5, (value / highest) * HEIGHT) : 0, height: 0.7 }));
    return h("li", {}, words(name, "span", "line-name"), svg, h("span", { class: "line-value" }, text));
  };
  return fill(h("ul", { class: "lines", role: "list", "aria-label": title }), items.map(line));
}

const highestOf = (items) => Math.max(...items.map(({ value }) => value ?? 0)) || 1;

function drawing(box, title) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", box);
  svg.setAttribute("preserveAspectRatio", "none");
  for (const [name, value] of title ? [["role", "img"], ["aria-label", title]] : [["aria-hidden", "true"]]) svg.setAttribute(name, value);
  return svg;
}

function bar(shape, said = null) {
  const rect = document.createElementNS(SVG, "rect");
  for (const [name, number] of Object.entries(shape)) rect.setAttribute(name, String(number));
  rect.setAttribute("class", "bar");
  if (said) {
    const hint = document.createElementNS(SVG, "title");
    hint.textContent = said;
    rect.append(hint);
  }
  return rect;
}

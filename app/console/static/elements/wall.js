// The wallboard: how many wait, at which level and of which kind, and for how long.

import { SUMMARY } from "../graph/documents.js";
import { LEVELS } from "../models/queue.js";
import { h, keep } from "../view/dom.js";
import { say, sayValue } from "../view/language.js";
import { since, ticking } from "../view/times.js";

/** For a screen that everybody sees: it names nobody, and only reads. `session` is given before it is in the page. */
export class Wall extends HTMLElement {
  session;
  #summaries = {};
  #stops = [];
  #total = h("strong", { class: "wall-number" });
  #longest = ticking(h("strong", { class: "wall-number" }), () => this.#sayOldest(this.#summaries.LEVEL));
  #levels = h("ul", { class: "tiles" });
  #kinds = h("ul", { class: "tiles" });
  #nobody = h("p", { class: "fault", role: "status", hidden: true });

  connectedCallback() {
    const bar = Object.assign(document.createElement("switchboard-top-bar"), { session: this.session });
    for (const name of ["sign-out", "speak"]) {
      bar.addEventListener(name, ({ detail }) => this.dispatchEvent(new CustomEvent(name, { detail })));
    }
    this.#nobody.textContent = say("noListeners");
    this.replaceChildren(
      bar,
      h(
        "main",
        { class: "wall" },
        h(
          "div",
          { class: "wall-totals" },
          h("p", {}, this.#total, h("span", {}, say("wallWaiting"))),
          h("p", {}, this.#longest, h("span", {}, say("longest"))),
        ),
        this.#nobody,
        this.#section(say("byLevel"), this.#levels),
        this.#section(say("byKind"), this.#kinds),
      ),
    );
    for (const groupBy of ["LEVEL", "KIND"]) {
      const take = (summary) => {
        this.#summaries[groupBy] = summary;
        this.#draw();
      };
      this.#stops.push(this.session.graph.hear(SUMMARY, { groupBy }, take));
    }
  }

  disconnectedCallback() {
    for (const stop of this.#stops) stop();
  }

  #section(title, list) {
    list.setAttribute("aria-label", title);
    return h("section", {}, h("h2", {}, title), list);
  }

  #draw() {
    const { LEVEL, KIND } = this.#summaries;
    if (LEVEL) {
      this.#total.textContent = String(LEVEL.count);
      this.#longest.tick();
      this.#nobody.hidden = LEVEL.listeners > 0;
      const groups = new Map(LEVEL.groups.map((group) => [group.level, group]));
      const tiles = LEVELS.map((level) => groups.get(level) ?? { level, count: 0, oldestSince: null });
      keep(this.#levels, tiles, ({ level }) => level, () => makeTile("level"));
    }
    if (KIND) keep(this.#kinds, KIND.groups, ({ kind }) => kind, () => makeTile("kind"));
  }

  #sayOldest(summary) {
    return summary?.oldestSince ? since(summary.oldestSince) : "–";
  }
}

function makeTile(by) {
  let group = null;
  const number = h("strong", { class: "wall-number" });
  const oldest = ticking(h("span", { class: "faint" }), () =>
    group?.oldestSince ? say("longestIs", { time: since(group.oldestSince) }) : "",
  );
  const name = h("span", { class: "tile-name" });
  const tile = h("li", { class: "tile" }, name, number, oldest);
  tile.update = (given) => {
    group = given;
    if (by === "level") tile.dataset.level = group.level;
    name.textContent = sayValue(by, group[by]);
    number.textContent = String(group.count);
    oldest.tick();
  };
  return tile;
}

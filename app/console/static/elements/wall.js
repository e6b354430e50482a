// The wallboard: how many wait, for how long, what is due, the last hour, and who is present.

import { SUMMARY } from "../graph/documents.js";
import { Hour } from "../models/hour.js";
import { followPresent } from "../models/present.js";
import { LEVELS } from "../models/queue.js";
import { chartOf } from "../view/chart.js";
import { h, keep, words } from "../view/dom.js";
import { say, sayValue } from "../view/language.js";
import { lasting, since, ticking } from "../view/times.js";

const CHARTS = ["waiting", "arrivals", "answers"];

/** For a screen that everybody sees: it names no customer, and only reads. `session` is given before it is in the page. */
export class Wall extends HTMLElement {
  session;
  #summaries = {};
  #stops = [];
  #total = h("strong", { class: "wall-number" }, "–");
  #longest = ticking(h("strong", { class: "wall-number" }), () => this.#sayOldest(this.#summaries.LEVEL));
  #levels = h("ul", { class: "tiles" });
  #kinds = h("ul", { class: "tiles" });
  #hour;
  #charts = new Map();
  #due = ticking(h("p", { class: "due" }), () => this.#sayDue());
  #present = words("", "p", "wall-present");
  #nobody = h("p", { class: "fault", role: "status", hidden: true });

  connectedCallback() {
    const bar = Object.assign(document.createElement("switchboard-top-bar"), { session: this.session });
    bar.addEventListener("sign-out", () => this.#end()); // before what is kept is forgotten
    for (const name of CHARTS) this.#charts.set(name, chartOf(say(`hour.${name}`), say("hourAgo"), say("now")));
    this.#nobody.textContent = say("noListeners");
    this.replaceChildren(
      bar,
      h(
        "main",
        { class: "wall", tabIndex: 0 },
        h(
          "div",
          { class: "wall-totals" },
          h("p", {}, this.#total, h("span", {}, say("wallWaiting"))),
          h("p", {}, this.#longest, h("span", {}, say("longest"))),
        ),
        this.#due,
        this.#nobody,
        this.#section(say("byLevel"), this.#levels),
        this.#section(say("byKind"), this.#kinds),
        h("section", {}, h("h2", {}, say("lastHour")), h("div", { class: "tiles" }, [...this.#charts.values()])),
        h("section", {}, h("h2", {}, say("presentNow")), this.#present),
      ),
    );
    this.#hour = new Hour(this.session.graph, this.session.viewer.user.id);
    this.#hour.addEventListener("change", () => this.#drawHour());
    this.#stops.push(() => this.#hour.close(), followPresent(this.session.graph, (names) => this.#drawPresent(names)));
    this.#drawHour();
    for (const groupBy of ["LEVEL", "KIND"]) {
      const take = (summary) => {
        this.#summaries[groupBy] = summary;
        this.#draw();
      };
      this.#stops.push(this.session.graph.hear(SUMMARY, { groupBy }, take));
    }
  }

  disconnectedCallback() {
    this.#end();
  }

  #end() {
    for (const stop of this.#stops.splice(0)) stop();
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
      this.#hour.waiting = LEVEL.count;
      this.#nobody.hidden = LEVEL.listeners > 0;
      const groups = new Map(LEVEL.groups.map((group) => [group.level, group]));
      const tiles = LEVELS.map((level) => groups.get(level) ?? { level, count: 0, oldestSince: null });
      keep(this.#levels, tiles, ({ level }) => level, () => makeTile("level"));
    }
    if (KIND) keep(this.#kinds, KIND.groups, ({ kind }) => kind, () => makeTile("kind"));
  }

  #drawHour() {
    for (const [name, chart] of this.#charts) {
      const values = this.#hour.values(name);
      const total = name === "waiting" ? (values.at(-1) ?? 0) : values.reduce((sum, value) => sum + (value ?? 0), 0);
      chart.update({ values, total });
    }
    this.#due.tick();
  }

  // Red is for what was promised: by when somebody has to have acted.
  #sayDue() {
    const { passed, soon, next } = this.#hour?.due ?? { passed: 0, soon: 0, next: null };
    const parts = [
      passed && say("duePassed", { n: passed }),
      soon && say("dueSoon", { n: soon, time: lasting((next - Date.now()) / 1000) }),
    ];
    return parts.filter(Boolean).join(" · ");
  }

  #drawPresent(names) {
    this.#present.textContent = names === null ? "–" : names.join(", ") || say("nobodyPresent");
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

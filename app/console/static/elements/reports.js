// The page of reports: what is asked for, the figures of all, a chart of one measure and the table of the groups.

import { GROUPINGS, KINDS, MEASURES, RANGES, asked, days, keepAsked, reportOf, shareOf, valueOf } from "../models/report.js";
import { columnsOf, linesOf } from "../view/bars.js";
import { fill, h, words } from "../view/dom.js";
import { language, say, sayValue } from "../view/language.js";
import { sayRefusal } from "../view/saying.js";
import { lasting } from "../view/times.js";

const OF_TIME = ["DAY", "MONTH", "HOUR_OF_DAY"];
const IN_DETAIL = ["DAY", "HOUR_OF_DAY"]; // for a year the graph has months alone
const DURATIONS = ["firstResponse", "nextResponse", "waiting", "resolution", "botResponse"];

/** Shows what customers waited for, for a time, in groups. `session` is given before it is in the page. */
export class Reports extends HTMLElement {
  session;
  #asked;
  #attempt = 0;
  #form;
  #status = h("p", { class: "unseen", role: "status" });
  #fault = h("p", { class: "fault", role: "alert" });
  #answer = h("div", { class: "report-answer" });
  #main;

  connectedCallback() {
    const bar = Object.assign(document.createElement("switchboard-top-bar"), { session: this.session });
    this.#asked = asked();
    this.#form = h("form", { class: "asked", onsubmit: (event) => event.preventDefault() });
    this.#main = h("main", { class: "reports", tabIndex: 0 }, h("h2", {}, say("reports")), this.#form, this.#status, this.#fault, this.#answer);
    this.replaceChildren(bar, this.#main);
    document.title = `${say("reports")} – Switchboard`;
    this.#drawForm();
    this.#load();
  }

  disconnectedCallback() {
    this.#attempt++;
  }

  #drawForm() {
    const { range } = this.#asked;
    const { from, to } = days(this.#asked);
    const own = range === "own";
    fill(
      this.#form,
      this.#choice("range", say("reportTime"), RANGES, (value) => say(`range.${value}`)),
      own && this.#day("from", say("reportFrom"), from),
      own && this.#day("to", say("reportTo"), to),
      this.#choice("by", say("reportBy"), GROUPINGS, (value) => say(`by.${value}`)),
      this.#choice("kind", say("kindFilter"), ["", ...KINDS], (value) => (value ? sayValue("kind", value) : say("allKinds"))),
      this.#choice("measure", say("reportChart"), MEASURES, (value) => say(`measure.${value}`)),
    );
  }

  #choice(name, label, values, text) {
    const options = values.map((value) => h("option", { value, selected: value === this.#asked[name] }, text(value)));
    return h("label", {}, label, h("select", { name, onchange: ({ target }) => this.#ask({ [name]: target.value }) }, options));
  }

  #day(name, label, value) {
    const change = ({ target }) => target.value && this.#ask({ [name]: target.value });
    return h("label", {}, label, h("input", { type: "date", name, value, required: true, onchange: change }));
  }

  #ask(different) {
    const before = this.#asked;
    const wanted = { ...before, ...different };
    if (different.range === "own") Object.assign(wanted, days(before));
    if (different.range === "365" && IN_DETAIL.includes(wanted.by)) wanted.by = "MONTH";
    if (IN_DETAIL.includes(different.by) && wanted.range === "365") wanted.range = "90";
    this.#asked = wanted;
    keepAsked(wanted);
    const focused = this.#form.contains(document.activeElement) ? document.activeElement.name : null;
    this.#drawForm();
    if (focused) this.#form.elements[focused]?.focus();
    this.#load();
  }

  async #load() {
    const attempt = ++this.#attempt;
    const wanted = this.#asked;
    this.#main.classList.add("is-busy");
    this.#status.textContent = say("loading");
    let report = null;
    let fault = "";
    try {
      report = await reportOf(this.session.graph, wanted);
    } catch (error) {
      fault = sayRefusal(error);
    }
    if (attempt !== this.#attempt) return;
    this.#main.classList.remove("is-busy");
    this.#fault.textContent = fault;
    this.#status.textContent = report ? say("reportLoaded") : "";
    fill(this.#answer, report && this.#drawn(report, wanted));
  }

  #drawn(report, { by, measure }) {
    const { total, groups } = report;
    const title = say(`measure.${measure}`);
    const items = groups.map((group) => {
      const value = valueOf(group.figures, measure);
      return { name: nameOf(group, by), value, text: measure.endsWith("Seconds") ? time(value) : count(value) };
    });
    const nothing = !DURATIONS.some((name) => total[name].count);
    return [
      report.countsSince > report.since && h("p", { class: "faint" }, say("countsSince", { time: dayOf(report.countsSince) })),
      nothing && h("p", { class: "faint" }, say("reportEmpty")),
      numbersOf(total),
      items.length > 0 &&
        h("figure", { class: "report-chart" }, h("figcaption", {}, title), (OF_TIME.includes(by) ? columnsOf : linesOf)(title, items)),
      h(
        "section",
        { class: "report-answer" },
        h(
          "div",
          { class: "report-head" },
          h("h3", {}, say(`by.${by}`)),
          h("button", { type: "button", onclick: () => download(report, by) }, say("downloadCsv")),
        ),
        tableOf(report, by),
      ),
    ];
  }
}

const time = (seconds) => (seconds === null ? "–" : lasting(Math.round(seconds)));
const count = (number) => new Intl.NumberFormat(language()).format(number ?? 0);
const dayOf = (text) => new Intl.DateTimeFormat(language(), { dateStyle: "long" }).format(new Date(text));
const percent = (share) => (share === null ? "–" : new Intl.NumberFormat(language(), { style: "percent" }).format(share));

function numbersOf(total) {
  const number = (name, value, more) =>
    h("p", { class: "number" }, h("span", { class: "small" }, name), h("strong", {}, value), h("span", { class: "faint small" }, more));
  const duration = (name, { p50Seconds, p90Seconds, count: n }) =>
    number(
      name,
      time(p50Seconds),
      n ? `${say("median")} · ${say("nineOfTen", { time: time(p90Seconds) })}` : say("timesN", { n: 0 }),
    );
  const within = say("countOf", { n: count(total.withinTargetCount), m: count(total.targetedCount) });
  return h(
    "section",
    { class: "numbers", "aria-label": say("ofTotal") },
    duration(say("firstResponse"), total.firstResponse),
    duration(say("nextResponse"), total.nextResponse),
    duration(say("waitingTime"), total.waiting),
    duration(say("resolution"), total.resolution),
    number(say("withinTarget"), percent(shareOf(total)), within),
    number(say("answeredN"), count(total.answeredCount), ""),
    number(say("unansweredN"), count(total.unansweredCount), ""),
    number(say("missedN"), count(total.missedCount), ""),
    number(say("reopenedN"), count(total.reopenedCount), ""),
    duration(say("botResponse"), total.botResponse),
  );
}

const COLUMNS = [
  ["answeredN", (figures) => count(figures.answeredCount)],
  ["withinTarget", (figures) => percent(shareOf(figures))],
  ["firstResponse", (figures) => time(figures.firstResponse.p50Seconds), "median"],
  ["firstResponse", (figures) => time(figures.firstResponse.p90Seconds), "p90"],
  ["nextResponse", (figures) => time(figures.nextResponse.p50Seconds), "median"],
  ["nextResponse", (figures) => time(figures.nextResponse.p90Seconds), "p90"],
  ["waitingTime", (figures) => time(figures.waiting.p90Seconds), "p90"],
  ["resolution", (figures) => time(figures.resolution.p50Seconds), "median"],
  ["unansweredN", (figures) => count(figures.unansweredCount)],
  ["missedN", (figures) => count(figures.missedCount)],
  ["reopenedN", (figures) => count(figures.reopenedCount)],
  ["botResponse", (figures) => count(figures.botResponse.count)],
];

function tableOf({ total, groups }, by) {
  const row = (name, figures) =>
    h("tr", {}, Object.assign(words(name, "th"), { scope: "row" }), COLUMNS.map(([, text]) => h("td", {}, text(figures))));
  const heading = ([name, , more]) =>
    h("th", { scope: "col" }, say(name), more && [h("br"), h("span", {}, say(more))]);
  return h(
    "div",
    { class: "report-table", role: "region", "aria-label": say(`by.${by}`), tabIndex: 0 },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say(`by.${by}`)), COLUMNS.map(heading))),
      h("tbody", {}, row(say("ofTotal"), total), groups.map((group) => row(nameOf(group, by), group.figures))),
    ),
  );
}

function nameOf({ kind, team, user, start, hour }, by) {
  const format = (options) => new Intl.DateTimeFormat(language(), options).format(new Date(start));
  const names = {
    KIND: () => sayValue("kind", kind),
    TEAM: () => team?.name ?? say("ofNoTeam"),
    USER: () => user?.name ?? say("ofNobody"),
    HOUR_OF_DAY: () => `${String(hour).padStart(2, "0")}:00`,
    DAY: () => format({ day: "numeric", month: "short", year: "numeric" }),
    MONTH: () => format({ month: "long", year: "numeric" }),
  };
  return names[by]();
}

// The mark at the beginning tells spreadsheets that the text is UTF-8.
function download({ csv, since }, by) {
  const address = URL.createObjectURL(new Blob(["\ufeff", csv], { type: "text/csv" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: `report-${by.toLowerCase()}-${since.slice(0, 10)}.csv` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 0);
}

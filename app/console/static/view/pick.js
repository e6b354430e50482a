// A field in which users, accounts or destinations are found by name and put together.

import { h, keep, words } from "./dom.js";
import { fieldOf } from "./fields.js";
import { say } from "./language.js";
import { sayRefusal } from "./saying.js";

const PAUSE = 200; // milliseconds without a key before it is searched

/**
 * `find(text)` gives what can be chosen, each with `id` and `name`; `chosen` is what is chosen already. The value is a
 * list of ids, `empty` where none is chosen, or with `isOne` one id, or null.
 */
export function pickField(name, label, chosen, find, { hint, isOne = false, isRequired = false, empty = [] } = {}) {
  const picked = new Map(chosen.map((each) => [each.id, each]));
  const chips = h("ul", { class: "labels", role: "list", "aria-label": label });
  const results = h("ul", { class: "picks", role: "list", hidden: true });
  const told = h("p", { class: "faint small", role: "status" });
  const input = h("input", {
    type: "search",
    autocomplete: "off",
    spellcheck: false,
    "aria-label": say("findAnd", { what: label }),
    placeholder: say("find"),
    onfocus: () => search(),
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(search, PAUSE);
    },
  });
  let timer = 0;
  let asked = 0;

  async function search() {
    const turn = ++asked;
    try {
      const found = (await find(input.value.trim())).filter(({ id }) => !picked.has(id));
      if (turn !== asked) return;
      keep(results, found, ({ id }) => id, () => resultOf());
      results.hidden = !found.length;
      told.textContent = found.length ? say("foundN", { n: found.length }) : say("foundNone");
    } catch (error) {
      if (turn === asked) told.textContent = sayRefusal(error);
    }
  }

  function close() {
    asked++;
    clearTimeout(timer);
    results.hidden = true;
    told.textContent = "";
  }

  function resultOf() {
    const entry = h("li", {});
    entry.update = (item) =>
      entry.replaceChildren(h("button", { type: "button", class: "menu-entry", onclick: () => choose(item) }, words(item.name), words(item.more, "span", "faint small")));
    return entry;
  }

  function choose(item) {
    if (isOne) picked.clear();
    picked.set(item.id, item);
    input.value = "";
    draw();
    input.focus();
    close();
  }

  function draw() {
    keep(chips, [...picked.values()], ({ id }) => id, ({ id, name: text }) => {
      const remove = h("button", { type: "button", class: "quiet", "aria-label": say("removeLabel", { label: text }), onclick: () => {
        picked.delete(id);
        draw();
        input.focus();
        close();
      } }, "×");
      return Object.assign(h("li", { class: "chip" }, words(text), remove), { update() {} });
    });
  }

  const control = h(
    "div",
    {
      class: "picker",
      onfocusout: ({ relatedTarget }) => !control.contains(relatedTarget) && close(),
      onkeydown: (event) => {
        const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape" && !results.hidden) {
          event.preventDefault(); // closes the list, and not the dialog around it
          input.focus();
          close();
        } else if (by && !results.hidden) {
          const stops = [input, ...results.querySelectorAll("button")];
          event.preventDefault();
          stops[Math.min(Math.max(stops.indexOf(document.activeElement) + by, 0), stops.length - 1)].focus();
        } else if (event.key === "Enter" && event.target === input) event.preventDefault(); // nothing is sent by it
      },
    },
    chips,
    input,
    told,
    results,
  );
  draw();
  const read = () => (isOne ? ([...picked.keys()][0] ?? null) : picked.size ? [...picked.keys()] : empty);
  const check = () => (isRequired && !picked.size ? say("required") : null);
  return fieldOf(name, label, control, { hint, isGroup: true, read, check, focus: () => input.focus() });
}

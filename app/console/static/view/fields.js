// The fields of forms: each with its label, a hint, its value, and a place for what is wrong with it.

import { fill, h } from "./dom.js";
import { say } from "./language.js";

let number = 0;

/**
 * A field as forms take it. `control` is what the label is for; with `isGroup` it is a set of controls, and the label
 * its legend. `read()` gives the value, and `check()` a text where it cannot be sent.
 */
export function fieldOf(name, label, control, { hint = null, isGroup = false, read, check = () => null, focus = () => control.focus() }) {
  const id = `field-${++number}`;
  const fault = h("p", { class: "fault small", hidden: true });
  const about = hint && h("p", { class: "faint small" }, hint);
  fault.id = `${id}-fault`;
  if (about) about.id = `${id}-hint`;
  const element = isGroup
    ? h("fieldset", { class: "field" }, h("legend", {}, label), about, control, fault)
    : h("div", { class: "field" }, h("label", { for: id }, label), control, about, fault);
  const described = isGroup ? element : control;
  if (!isGroup) control.id = id;
  described.setAttribute("aria-describedby", [about?.id, fault.id].filter(Boolean).join(" "));
  return {
    name,
    element,
    control,
    check,
    focus,
    get value() {
      return read();
    },
    set fault(what) {
      fill(fault, what);
      fault.hidden = !what;
      if (isGroup) return; // a group has no value of its own
      if (what) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}

const missing = (isRequired, value) => (isRequired && !value ? say("required") : null);

/** A line of text. `empty` is the value of an empty one, such as null. */
export function textField(name, label, value, { isRequired = false, empty = "", hint, type = "text", maxLength = 255 } = {}) {
  const input = h("input", { type, value: value ?? "", maxLength, autocomplete: "off", spellcheck: false, dir: "auto" });
  if (isRequired) input.setAttribute("aria-required", "true");
  const read = () => input.value.trim() || empty;
  return fieldOf(name, label, input, { hint, read, check: () => missing(isRequired, input.value.trim()) });
}

/** Text of several lines. */
export function areaField(name, label, value, { empty = "", hint, rows = 3, check } = {}) {
  const area = h("textarea", { value: value ?? "", rows, spellcheck: false, dir: "auto" });
  return fieldOf(name, label, area, { hint, read: () => area.value.trim() || empty, check });
}

// The field with another value, which is made of its own.
const reading = (field, value) => Object.create(field, { value: { get: value } });

/** A list of texts, each on a line of its own. */
export function linesField(name, label, value, { hint } = {}) {
  const field = areaField(name, label, value.join("\n"), { hint });
  return reading(field, () => field.value.split("\n").map((line) => line.trim()).filter(Boolean));
}

/** A JSON value; null for an empty field. */
export function jsonField(name, label, value, { hint, rows = 4 } = {}) {
  const parsed = () => JSON.parse(field.value || "null");
  const check = () => {
    try {
      parsed();
      return null;
    } catch {
      return say("noJson");
    }
  };
  const field = areaField(name, label, value && JSON.stringify(value, null, 2), { hint, rows, check });
  return reading(field, parsed);
}

/** A whole number; null for an empty field. */
export function numberField(name, label, value, { hint, isRequired = false, min, max } = {}) {
  const input = h("input", { type: "number", value: value ?? "", min, max, step: 1, inputMode: "numeric" });
  const read = () => (input.value === "" ? null : Number(input.value));
  const check = () => (input.checkValidity() ? missing(isRequired, input.value) : say("noNumber", { min, max }));
  return fieldOf(name, label, input, { hint, read, check });
}

/** A moment, in the time zone of the browser; null for an empty field. */
export function momentField(name, label, value, { hint, isRequired = false } = {}) {
  const input = h("input", { type: "datetime-local", value: value ?? "" });
  const read = () => (input.value ? new Date(input.value).toISOString() : null);
  return fieldOf(name, label, input, { hint, read, check: () => missing(isRequired, input.value) });
}

/** A time of the day, as `08:00`; null for an empty field. */
export function timeField(name, label, value, { hint } = {}) {
  const input = h("input", { type: "time", value: value ?? "" });
  return fieldOf(name, label, input, { hint, read: () => input.value || null });
}

/** One of several values: `choices` are pairs of a value and its text. `changed` is called with each choice. */
export function selectField(name, label, value, choices, { hint, changed = () => {} } = {}) {
  const select = h(
    "select",
    { onchange: () => changed(select.value) },
    choices.map(([each, text]) => h("option", { value: each, selected: each === value }, text)),
  );
  return fieldOf(name, label, select, { hint, read: () => select.value });
}

const boxOf = (input, text) => h("label", { class: "check" }, input, h("span", {}, text));

/** Yes or no; `on` and `off` are the values that stand for them. */
export function checkField(name, label, value, { hint, on = true, off = false } = {}) {
  const input = h("input", { type: "checkbox", checked: Boolean(value) });
  const field = fieldOf(name, label, input, { hint, read: () => (input.checked ? on : off) });
  field.element.querySelector("label").replaceWith(boxOf(input, label));
  return field;
}

/** Some of several values, or with `isAnyWhenNone` null where none is chosen. */
export function checksField(name, label, values, choices, { hint, isAnyWhenNone = false } = {}) {
  const boxes = choices.map(([each]) => h("input", { type: "checkbox", value: each, checked: Boolean(values?.includes(each)) }));
  const read = () => {
    const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => value);
    return isAnyWhenNone && !chosen.length ? null : chosen;
  };
  const control = h("div", { class: "checks" }, boxes.map((input, place) => boxOf(input, choices[place][1])));
  return fieldOf(name, label, control, { hint, isGroup: true, read, focus: () => boxes[0]?.focus() });
}

// Dialogs above the page, and forms in them.

import { fill, h } from "./dom.js";
import { say } from "./language.js";
import { sayRefusal } from "./saying.js";

let number = 0;

/** A dialog with a title, which is gone from the page when it is closed. The focus goes back to where it was. */
export function openDialog(place, title, ...body) {
  const id = `dialog-${++number}`;
  const close = h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, say("close"));
  const heading = h("h2", { tabIndex: -1, dir: "auto" }, title);
  heading.id = id;
  const dialog = h(
    "dialog",
    { class: "help wide", "aria-labelledby": id, onclose: () => dialog.remove() },
    h("div", { class: "dialog-head" }, heading, close),
    body,
  );
  place.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * A dialog with a form. `fields` are those of fields.js; `submit(values)` gets the value of each by its name. The dialog
 * closes when it is done, and then the function that it gave is called: what is told behind a dialog is not heard. What it
 * throws as a Refused is told next to the field that it is about.
 */
export function openForm(place, { title, intro = null, fields = [], action, isDanger = false, submit }) {
  const fault = h("p", { class: "fault", role: "alert" });
  const button = h("button", { type: "submit", class: isDanger ? "danger" : "primary" }, action);
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, say("cancel"));
  const form = h(
    "form",
    { class: "form", noValidate: true, onsubmit: (event) => send(event) },
    intro && h("p", { class: "faint" }, intro),
    fields.map(({ element }) => element),
    fault,
    h("div", { class: "form-foot" }, cancel, button),
  );
  const dialog = openDialog(place, title, form);
  (fields[0] ?? { focus: () => cancel.focus() }).focus();

  async function send(event) {
    event.preventDefault();
    if (button.disabled) return;
    fault.textContent = "";
    for (const field of fields) field.fault = null;
    const shown = fields.filter(({ element }) => !element.hidden);
    const wrong = shown.filter((field) => (field.fault = field.check()));
    if (wrong.length) return wrong[0].focus();
    button.disabled = true;
    try {
      const after = await submit(Object.fromEntries(shown.map((field) => [field.name, field.value])));
      dialog.close();
      after?.();
    } catch (error) {
      if (error.code === undefined) throw error; // no refusal, but a fault of ours
      if (!place.isConnected) return;
      if (!dialog.open) {
        place.append(dialog); // closed meanwhile: a refusal is told all the same, and nothing that was written is lost
        dialog.showModal();
      }
      show(error);
    } finally {
      button.disabled = false;
    }
  }

  // Next to its field where it has one that is shown, and else above the buttons.
  function show(error) {
    const path = error.more.path ?? [];
    const field = fields.find(({ name, element }) => path.includes(name) && !element.hidden);
    if (field) {
      field.fault = refusalOf(error);
      field.focus();
    } else fill(fault, refusalOf(error));
  }
  return dialog;
}

/** What was refused: in the language of the page, with what the server says of it in its own. */
function refusalOf(error) {
  if (!SAID.includes(error.code)) return sayRefusal(error);
  return [say(`refused.${error.code}`), " ", h("span", { lang: "en", dir: "auto" }, error.message)];
}

const SAID = [
  "ALREADY_EXISTS",
  "CONFLICT",
  "FORBIDDEN",
  "INVALID_INPUT",
  "INVALID_TRANSITION",
  "NOT_FOUND",
  "NOT_SUPPORTED",
  "NO_SECRETS_KEY",
  "TOO_LONG",
  "TOO_MANY",
];

/** Shows a secret, this once. `more` are buttons besides, such as one to end the former key. */
export function showSecret(place, { title, secret, facts = [], more = [] }) {
  const field = h("input", { type: "text", value: secret, readOnly: true, "aria-label": say("secret"), onfocus: () => field.select() });
  const told = h("p", { class: "small", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      told.textContent = say("copied");
    } catch {
      field.select(); // without https there is no clipboard: the person copies
    }
  };
  const dialog = openDialog(
    place,
    title,
    h("p", {}, say("secretOnce")),
    h("div", { class: "secret" }, field, h("button", { type: "button", class: "primary", onclick: copy }, say("copy"))),
    told,
    facts.map((fact) => h("p", { class: "small" }, fact)),
    more.length ? h("div", { class: "form-foot" }, more) : null,
  );
  field.focus();
  return dialog;
}

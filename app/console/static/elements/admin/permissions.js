// The field in which permissions are given.

import { PERMISSIONS, mayGrant } from "../../models/rights.js";
import { h } from "../../view/dom.js";
import { fieldOf } from "../../view/fields.js";
import { say, sayValue } from "../../view/language.js";

/**
 * Permissions to choose from: those that the viewer may grant, and those that are `held` already. With `isNullable` a
 * first choice stands for all that the user may, whose value is null.
 */
export function permissionsField(name, held, viewer, { isNullable = false, hint } = {}) {
  const boxes = new Map();
  const groups = PERMISSIONS.map(({ kind, names }) => {
    const shown = names.filter((each) => mayGrant(viewer, each) || held?.includes(each));
    for (const each of shown) boxes.set(each, h("input", { type: "checkbox", checked: Boolean(held?.includes(each)) }));
    if (!shown.length) return null;
    return h(
      "fieldset",
      { class: "permission-group" },
      h("legend", {}, kind ? sayValue("kind", kind) : say("administration")),
      shown.map((each) => h("label", { class: "check" }, boxes.get(each), h("span", {}, sayPermission(each)))),
    );
  });
  const which = h("select", { "aria-label": say("permissions"), onchange: () => show() }, [
    h("option", { value: "all", selected: !held }, say("permissionsAll")),
    h("option", { value: "some", selected: Boolean(held) }, say("permissionsSome")),
  ]);
  const grid = h("div", { class: "permission-groups" }, groups);
  const isAll = () => isNullable && which.value === "all";
  const show = () => (grid.hidden = isAll());
  show();
  const read = () => (isAll() ? null : [...boxes].filter(([, { checked }]) => checked).map(([each]) => each));
  const first = isNullable ? which : [...boxes.values()][0];
  const control = h("div", { class: "permissions" }, isNullable && which, grid);
  return fieldOf(name, say("permissions"), control, { hint, isGroup: true, read, focus: () => first?.focus() });
}

/** What a permission allows, beside the name of its kind. */
function sayPermission(name) {
  const verb = /^(?:AGENT_SESSION|CHAT_SESSION|SESSION|CONVERSATION)_(.+)$/.exec(name)?.[1];
  return verb ? sayValue("verb", verb) : sayValue("permission", name);
}

/** What a permission allows, with the name of its kind. */
export function sayWholePermission(name) {
  const { kind } = PERMISSIONS.find(({ names }) => names.includes(name)) ?? { kind: null };
  return [kind && sayValue("kind", kind), sayPermission(name)].filter(Boolean).join(": ");
}

/** Permissions in one line: how many, or that they are not narrowed. */
export function countPermissions(permissions) {
  if (!permissions) return say("permissionsAll");
  return permissions.length ? say("permissionsN", { n: permissions.length }) : say("permissionsNone");
}

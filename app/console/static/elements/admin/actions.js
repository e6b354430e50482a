// What can be done to the items of a part: forms, commands, questions before what cannot be undone.

import { repeatable } from "../../models/repeating.js";
import { openForm } from "../../view/dialog.js";
import { say, sayValue } from "../../view/language.js";

/** The values of a form that are others than they were: what is left out stays as it is. */
function changed(fields, values, before) {
  return Object.fromEntries(fields.filter(({ name }) => JSON.stringify(values[name]) !== before[name]).map(({ name }) => [name, values[name]]));
}

const written = (fields) => Object.fromEntries(fields.map(({ name, value }) => [name, JSON.stringify(value)]));

/**
 * The action that makes an item. `fields(tools)` are those of its form, `fixed` what is sent besides. `done` is
 * called with the payload and the values, in place of telling that it is done.
 */
export function creating(name, { document, fields, fixed = () => ({}), done = null, isShown }) {
  return {
    name,
    isShown,
    async run(parent, tools) {
      const shown = await fields(tools);
      const once = repeatable();
      openForm(tools.place, {
        title: sayValue("act", name),
        fields: shown,
        action: say("create"),
        submit: async (values) => {
          const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== ""));
          const payload = await tools.graph.mutate(document, once({ ...given, ...fixed(parent) }));
          return async () => {
            tools.listing.again();
            if (done) done(payload, tools, values);
            else tools.tell(say("doneWith", { what: sayValue("act", name), name: values.name ?? "" }));
          };
        },
      });
    },
  };
}

/** The action that changes an item by a form; what was not changed is not sent. `isEdit` says that the item has a version. */
export function editing(name, { document, fields, isShown, isMain = false, isEdit = true }) {
  return {
    name,
    isShown,
    isMain,
    async run(item, tools) {
      const shown = await fields(tools, item);
      const before = written(shown);
      openForm(tools.place, {
        title: say("actOn", { what: sayValue("act", name), name: tools.titleOf(item) }),
        fields: shown,
        action: say("save"),
        submit: async (values) => {
          const given = changed(shown, values, before);
          if (!Object.keys(given).length) return;
          await tools.graph.mutate(document, { id: item.id, ...given, ...(isEdit && item.version && { ifVersion: item.version }) });
          return () => finished(tools, name, item);
        },
      });
    },
  };
}

/** The action that sends a command at once. `input` is what is sent besides the id, and `done` what is told of its payload. */
export function commanding(name, { document, input = () => ({}), isShown, isMain = false, done = finished }) {
  return {
    name,
    isShown,
    isMain,
    async run(item, tools) {
      const payload = await tools.graph.mutate(document, { id: item.id, ...input(item, tools) });
      await done(tools, name, item, payload);
    },
  };
}

/** The action that asks before it sends its command; `of` names the item in it, `fields` are what else it asks for, and
 * `given` what is sent of their values. */
export function asking(name, { document, of = ({ id }) => ({ id }), input = () => ({}), fields = () => [], given = (values) => values, isShown, isDanger = true, done = finished }) {
  return {
    name,
    isShown,
    isDanger,
    async run(item, tools) {
      openForm(tools.place, {
        title: say("actOn", { what: sayValue("act", name), name: tools.titleOf(item) }),
        intro: sayValue("ask", name),
        fields: await fields(tools, item),
        action: sayValue("act", name),
        isDanger,
        submit: async (values) => {
          const payload = await tools.graph.mutate(document, { ...of(item), ...input(item, tools), ...given(values) });
          return () => done(tools, name, item, payload);
        },
      });
    },
  };
}

/** The action that shows a list of the item's own. */
export function showing(name, part, { isShown, isMain = false } = {}) {
  return { name, isShown, isMain, run: async (item, tools) => tools.open(part, item) };
}

/** Reads the list again and says that it is done. */
export async function finished(tools, name, item) {
  await tools.listing.again();
  tools.tell(say("doneWith", { what: sayValue("act", name), name: tools.titleOf(item) }));
}

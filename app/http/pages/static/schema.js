// Draws the schema as a tree that can be searched.

const TYPE = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";

/** The introspection that the tree needs. */
export const INTROSPECTION = `query Schema { __schema {
  queryType { name } mutationType { name } subscriptionType { name }
  types { kind name description
    fields(includeDeprecated: true) { name description args { name description type { ${TYPE} } } type { ${TYPE} } }
    inputFields { name description type { ${TYPE} } }
    enumValues(includeDeprecated: true) { name description }
    possibleTypes { name }
  } } }`;

const MOST_SHOWN = 100;

/** Shows the schema within an element; `show(text)` narrows it to what matches. */
export class SchemaTree {
  constructor(place, schema) {
    this.place = place;
    this.types = new Map(schema.types.filter(({ name }) => !name.startsWith("__")).map((type) => [type.name, type]));
    const roots = [schema.queryType, schema.mutationType, schema.subscriptionType].filter(Boolean).map(({ name }) => name);
    this.order = [...roots, ...[...this.types.keys()].filter((name) => !roots.includes(name)).sort()];
    this.show("");
  }

  show(text) {
    const words = text.trim().toLowerCase();
    const found = words ? this.matches(words) : this.order.map((name) => this.typeNode(this.types.get(name)));
    this.place.replaceChildren(...found.slice(0, words ? MOST_SHOWN : undefined));
    if (words && !found.length) this.place.append(element("p", "Nothing has this in its name."));
    if (words && found.length > MOST_SHOWN) this.place.append(element("p", `And ${found.length - MOST_SHOWN} more.`));
  }

  matches(words) {
    const types = [];
    const fields = [];
    for (const name of this.order) {
      const type = this.types.get(name);
      if (name.toLowerCase().includes(words)) types.push(this.typeNode(type));
      for (const field of type.fields ?? type.inputFields ?? type.enumValues ?? []) {
        if (field.name.toLowerCase().includes(words)) fields.push(this.fieldNode(field, `${name}.`));
      }
    }
    return [...types, ...fields];
  }

  typeNode(type) {
    return branch(element("summary", type.name), () => [
      ...described(type),
      ...(type.possibleTypes ?? []).map(({ name }) => this.typeLink(name)),
      ...(type.fields ?? type.inputFields ?? type.enumValues ?? []).map((field) => this.fieldNode(field, "")),
    ]);
  }

  fieldNode(field, before) {
    const summary = element("summary", `${before}${field.name}`);
    if (field.type) summary.append(": ", this.typeLink(named(field.type), written(field.type)));
    return branch(summary, () => [...described(field), ...(field.args ?? []).map((each) => this.fieldNode(each, "("))]);
  }

  typeLink(name, text = name) {
    const link = element("button", text);
    link.className = "type";
    link.onclick = (event) => {
      event.preventDefault();
      if (!this.types.has(name)) return;
      const node = this.typeNode(this.types.get(name));
      node.open = true;
      this.place.replaceChildren(node);
    };
    return link;
  }
}

function branch(summary, children) {
  const node = document.createElement("details");
  node.append(summary);
  // Made when it is opened: the whole tree would be tens of thousands of elements.
  node.addEventListener("toggle", () => node.childElementCount === 1 && node.append(...children()), { once: true });
  return node;
}

function described({ description }) {
  return description ? [element("p", description)] : [];
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function named(type) {
  return type.ofType ? named(type.ofType) : type.name;
}

function written(type) {
  if (type.kind === "NON_NULL") return `${written(type.ofType)}!`;
  return type.kind === "LIST" ? `[${written(type.ofType)}]` : type.name;
}

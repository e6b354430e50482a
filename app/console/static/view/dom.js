// Elements of the page. Text goes in as text: nothing that anybody wrote is ever read as markup.

/**
 * An element with properties and children. `class`, `role`, `aria-…`, `data-…` and the like are attributes, `on…` are
 * listeners, all others are properties. Children are elements, texts, lists of them, or null for none.
 */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (ATTRIBUTES.test(key)) element.setAttribute(key, value === true ? "" : value);
    else element[key] = value;
  }
  return fill(element, ...children);
}

/** Puts these children, and no others, into an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const ATTRIBUTES = /^(class|role|for|dir|lang|href|name|datetime|hidden|disabled|aria-.*|data-.*)$/;

/** Text of somebody else: its direction is its own, whatever the page's is. */
export const words = (text, name = "span", className = null) => h(name, { dir: "auto", class: className }, text ?? "");

/** The address if a browser may follow it: http or https and nothing else, or null. */
export function safeAddress(text) {
  try {
    const address = new URL(text);
    return ["http:", "https:"].includes(address.protocol) ? address.href : null;
  } catch {
    return null;
  }
}

/** A link to somewhere else, or only its text where the address is none that may be followed. */
export function linkTo(address, text, className = null) {
  const href = safeAddress(address);
  if (!href) return words(text, "span", className);
  return h("a", { href, class: className, dir: "auto", target: "_blank", rel: "noopener noreferrer" }, text);
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;

/** Text with its web addresses as links. */
export function linked(text) {
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    parts.push(text.slice(end, index), linkTo(found, found));
    end = index + found.length;
  }
  return [...parts, text.slice(end)];
}

/**
 * Makes the children of a place those of a list, and keeps the elements of what was there before: nothing flickers, and
 * the focus stays. `make(item)` makes an element with the function `update(item)`.
 */
export function keep(place, items, keyOf, make) {
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const kept = new Map([...place.children].map((child) => [child.dataset.key, child]));
  let previous = null;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = kept.get(key);
    if (child) kept.delete(key);
    else {
      child = make(item);
      child.dataset.key = key;
    }
    child.update(item);
    const next = previous ? previous.nextElementSibling : place.firstElementChild;
    if (child !== next) place.insertBefore(child, next);
    previous = child;
  }
  for (const child of kept.values()) child.remove();
  // An element that is moved loses the focus.
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

// The contents of a message: texts, files, places and contacts, each shown as what it is.

import { say } from "./language.js";
import { h, linkTo, linked, words } from "./dom.js";

/** The elements of a message's contents; of one without contents, its text. */
export function contentsOf({ contents, text }) {
  if (!contents.length) return text ? [textOf(text)] : [];
  return contents.map((content) => (SHOWN[content.__typename] ?? unknown)(content));
}

const SHOWN = {
  TextMessageContent: ({ content }) => textOf(content),
  ImageMessageContent: (content) => fileOf(say("content.image"), content),
  VideoMessageContent: (content) => fileOf(say("content.video"), content),
  AudioMessageContent: (content) => fileOf(say(content.voice ? "content.voice" : "content.audio"), content),
  DocumentMessageContent: (content) => fileOf(say("content.document"), content),
  LocationMessageContent: placeOf,
  ContactMessageContent: contactOf,
};

const textOf = (text) => h("p", { class: "text", dir: "auto" }, linked(text));
const unknown = () => h("p", { class: "text faint" }, say("content.other"));

// Files are elsewhere: they are linked, and never loaded into the page.
function fileOf(sort, { name, filename, mimeType, size, publicDownloadUrl, downloadUrl, caption }) {
  const what = [sort, mimeType, size === null ? null : sizeOf(size)].filter(Boolean).join(" · ");
  return h(
    "div",
    { class: "file" },
    linkTo(publicDownloadUrl ?? downloadUrl, filename || name || sort, "file-name"),
    h("span", { class: "faint small" }, words(what)),
    caption ? textOf(caption) : null,
  );
}

function placeOf({ placeName, address, latitude, longitude, url }) {
  return h(
    "div",
    { class: "file" },
    linkTo(url, placeName || say("content.location"), "file-name"),
    h("span", { class: "faint small" }, words([address, `${latitude}, ${longitude}`].filter(Boolean).join(" · "))),
  );
}

function contactOf({ contactName, org, phones, emails }) {
  const lines = [
    [org?.title, org?.company].filter(Boolean).join(", "),
    ...phones.map(({ phone, type }) => [phone, type].filter(Boolean).join(" · ")),
    ...emails.map(({ email, type }) => [email, type].filter(Boolean).join(" · ")),
  ];
  return h(
    "div",
    { class: "file" },
    words(contactName.formattedName || say("content.contact"), "span", "file-name"),
    lines.filter(Boolean).map((line) => words(line, "span", "faint small")),
  );
}

function sizeOf(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let place = 0;
  let size = Number(bytes);
  for (; size >= 1000 && place < units.length - 1; place++) size /= 1000;
  return `${size.toFixed(place ? 1 : 0)} ${units[place]}`;
}

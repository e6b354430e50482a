// What was begun and not sent: kept for as long as the tab is open and its person is signed in, also over a reload.

const KEPT = "switchboard.drafts";
const MOST = 100; // the oldest is forgotten first

const all = () => new Map(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"));

/** The text that was begun at a place, or an empty one. */
export const draftOf = (place) => all().get(place) ?? "";

/** Keeps what was begun at a place; an empty text forgets it. */
export function keepDraft(place, text) {
  const drafts = all();
  drafts.delete(place);
  if (text) drafts.set(place, text);
  if (drafts.size > MOST) drafts.delete(drafts.keys().next().value);
  if (!drafts.size) return sessionStorage.removeItem(KEPT);
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...drafts]));
  } catch {
    // More than the browser keeps: it is in its field, for as long as that is shown.
  }
}

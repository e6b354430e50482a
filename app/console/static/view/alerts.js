// Sound and desktop notifications, which are off until somebody switches them on.

const KEPT = { sound: "switchboard.sound", desktop: "switchboard.desktop" };
let context = null;

const isKept = (name) => localStorage.getItem(KEPT[name]) === "on";

/** Whether alerts may be heard, and shown outside of the page. */
export const hasSound = () => isKept("sound");
export const hasDesktop = () => isKept("desktop") && globalThis.Notification?.permission === "granted";

export function setSound(isOn) {
  localStorage.setItem(KEPT.sound, isOn ? "on" : "off");
  if (isOn) chime();
}

/** Asks the browser, which asks the person. Returns whether notifications are on now. */
export async function setDesktop(isOn) {
  const may = isOn && globalThis.Notification && (await Notification.requestPermission()) === "granted";
  localStorage.setItem(KEPT.desktop, may ? "on" : "off");
  return Boolean(may);
}

/** Tells of an alert in the ways that are on. `open` is called when the notification is clicked. */
export function alertOf(title, body, tag, open) {
  if (hasSound()) chime();
  if (!hasDesktop() || document.visibilityState === "visible") return;
  const notification = new Notification(title, { body, tag });
  notification.onclick = () => {
    window.focus();
    open();
    notification.close();
  };
}

// Two soft notes, made here: nothing has to be loaded.
function chime() {
  context ??= new AudioContext();
  context.resume();
  [660, 880].forEach((frequency, place) => {
    const begin = context.currentTime + place * 0.14;
    const tone = new OscillatorNode(context, { frequency });
    const volume = new GainNode(context, { gain: 0 });
    volume.gain.linearRampToValueAtTime(0.08, begin + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, begin + 0.35);
    tone.connect(volume).connect(context.destination);
    tone.start(begin);
    tone.stop(begin + 0.4);
  });
}

// The console's service worker: shows alerts that are pushed, whether or not a page is open, and opens what they are about.

const CALLS = ["RAISED", "REPEATED"]; // the steps that need somebody; the others say that somebody has it, or nobody needs to

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(show(event.data.json())));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data));
});

// What is said later of an interaction takes the place of what was said before, quietly where it calls nobody.
async function show({ title, body, tag, step }) {
  const calls = CALLS.includes(step);
  await self.registration.showNotification(title, { body, tag, renotify: calls, silent: !calls, data: step ? tag : null });
}

// In a console that is open, or in a new one. Where the link of the alert leads is not asked: this is its server's console.
async function open(id) {
  const address = new URL(id ? `/#open=${encodeURIComponent(id)}` : "/", self.location).href;
  const pages = await self.clients.matchAll({ type: "window" });
  const console = pages.find(({ url }) => new URL(url).pathname === "/");
  if (!console) return self.clients.openWindow(address);
  await console.focus();
  return console.navigate(address);
}

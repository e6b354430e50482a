// Alerts in this browser while no page is open: a destination of the graph for each person, and a service worker.

import { COMMANDS } from "../graph/administration.js";
import { may } from "./rights.js";

const WORKER = "/alerts.js";
const KEPT = "switchboard.push"; // by the ids of users: the destination, and the endpoint that it sends to
const PATIENCE = 10_000;

// The page can name no other script than this one.
const policy = globalThis.trustedTypes?.createPolicy("service-worker", { createScriptURL: () => WORKER });

const serverKey = () => document.querySelector("meta[name=push-key]").content;
const kept = () => JSON.parse(localStorage.getItem(KEPT)) ?? {};
const keep = (destinations) => localStorage.setItem(KEPT, JSON.stringify(destinations));
const registered = () => navigator.serviceWorker.getRegistration(WORKER);

/** Whether the server pushes, this browser takes it, and the viewer may make destinations. */
export const canPush = (viewer) =>
  Boolean(serverKey()) && may(viewer, "DESTINATIONS_MANAGE") && "serviceWorker" in navigator && "PushManager" in globalThis;

/** Whether alerts are pushed to this browser for the viewer. */
export async function isPushed({ user }) {
  const found = kept()[user.id];
  const subscription = found && (await (await registered())?.pushManager.getSubscription());
  return Boolean(subscription) && subscription.endpoint === found.endpoint;
}

/** Asks the browser, which asks the person. Returns whether alerts are pushed now. Throws Refused, and an Error where the browser fails. */
export async function switchOn({ graph, viewer }, name) {
  if ((await Notification.requestPermission()) !== "granted") return false;
  const registration = await navigator.serviceWorker.register(policy?.createScriptURL(WORKER) ?? WORKER);
  await active();
  const subscription = await subscribed(registration.pushManager);
  const { endpoint, keys } = subscription.toJSON();
  const { [viewer.user.id]: former, ...others } = kept();
  if (former) await remove(graph, former); // its subscription has ended
  const given = { name, type: "WEB_PUSH", address: endpoint, secret: JSON.stringify(keys) };
  const { destination } = await graph.mutate(COMMANDS.createDestination, given);
  keep({ ...others, [viewer.user.id]: { id: destination.id, endpoint } });
  return true;
}

/** Deletes the viewer's destination, and ends the subscription when it was the last one. Throws Refused. */
export async function switchOff({ graph, viewer }) {
  const { [viewer.user.id]: own, ...others } = kept();
  await remove(graph, own);
  keep(others);
  if (Object.keys(others).length) return;
  const registration = await registered();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
  await registration?.unregister();
}

async function remove(graph, { id }) {
  try {
    await graph.mutate(COMMANDS.deleteDestination, { id });
  } catch (error) {
    if (error.code !== "NOT_FOUND") throw error;
  }
}

// A worker that does not install never becomes active.
function active() {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("The service worker does not start.")), PATIENCE));
  return Promise.race([navigator.serviceWorker.ready, late]);
}

// A subscription under another key of the server is of no use any more.
async function subscribed(pushManager) {
  const options = { userVisibleOnly: true, applicationServerKey: serverKey() };
  try {
    return await pushManager.subscribe(options);
  } catch (error) {
    if (error.name !== "InvalidStateError") throw error;
    await (await pushManager.getSubscription())?.unsubscribe();
    return pushManager.subscribe(options);
  }
}

"""Web push in a browser: what reaches it while no page is open, and what it opens.

A push service stands between them in life. Here the subscription is a stand-in's, who decrypts what it is sent, and the
browser is handed that as if its push service had."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.fernet import Fernet

from app.core.vapid import new_private_key
from tests.browser.driver import Browser, Tab
from tests.browser.test_console import assert_own
from tests.browser.test_pages import ask
from tests.destinations.receiving import Receiver, receiving
from tests.destinations.test_push import Browser as Subscription
from tests.serving import eventually
from tests.soak.processes import KEY, processes

pytestmark = pytest.mark.anyio

SUBSCRIBING = """
  const kept = "stand-in.subscription";
  const subscription = (key) => ({
    endpoint: ENDPOINT,
    toJSON: () => ({ endpoint: ENDPOINT, keys: KEYS }),
    unsubscribe: async () => (localStorage.removeItem(kept), true),
  });
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly) throw new Error("silent");
    localStorage.setItem(kept, applicationServerKey);
    return subscription();
  };
  PushManager.prototype.getSubscription = async () => (localStorage.getItem(kept) ? subscription() : null);
"""
TOGGLE = "document.querySelector('[data-action=push] input')"
HINT = "document.querySelector('[data-action=push] [role=status]').textContent"
# What the worker shows is noted there: asked for the notifications that are shown, the browser forgets those that it is
# about to show.
NOTING = """{
  globalThis.shown = [];
  const show = registration.showNotification.bind(registration);
  registration.showNotification = async (title, { tag, silent, renotify, data }) => {
    await show(title, { tag, silent, renotify, data });
    shown.push({ title, tag, silent, renotify, data });
  };
  clients.openWindow = async (address) => void (globalThis.opened = address);
}"""
CREATE_POLICY = "mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { errors { message } } }"
CLAIM = "mutation ($input: ClaimInteractionInput!) { claimInteraction(input: $input) { errors { message } } }"
CLICK = """{
  const event = new ExtendableEvent("notificationclick");
  const notification = { data: shown.at(-1).data, close: () => (globalThis.closed = true) };
  Object.defineProperty(event, "notification", { value: notification });
  event.waitUntil = () => {};
  dispatchEvent(event);
}"""


async def pushed(tab: Tab, address: str, said: Any) -> None:
    """Hand the browser a message, as its push service does."""
    await tab.call(
        "ServiceWorker.deliverPushMessage",
        origin=f"{address}/",
        registrationId=tab.workers[-1],
        data=orjson.dumps(said).decode(),
    )


async def told(receiver: Receiver, subscription: Subscription, tag: str, step: str) -> Any:
    """What the stand-in was sent of an interaction at a step, once it was."""
    found: list[Any] = []

    def came() -> bool:
        found[:] = [subscription.read(request.body) for request in receiver.requests]
        return any((each["tag"], each["step"]) == (tag, step) for each in found)

    await eventually(came)
    return next(each for each in found if (each["tag"], each["step"]) == (tag, step))


async def test_push_shows_an_alert_without_a_page_and_replaces_it_when_it_is_claimed(
    browser: Browser, tmp_path: Path
) -> None:
    subscription = Subscription()
    settings = {
        "SWITCHBOARD_GRAPHIQL_FOLDER": str(tmp_path),
        "SWITCHBOARD_SECRETS_KEY": Fernet.generate_key().decode(),
        "SWITCHBOARD_VAPID_KEY": new_private_key(),
        "SWITCHBOARD_VAPID_CONTACT": "mailto:desk@example.com",
        "SWITCHBOARD_OUTBOUND_NETWORKS": "127.0.0.0/8",
    }
    async with (
        receiving() as receiver,
        processes(1, f"sqlite:///{tmp_path}/switchboard.db", tmp_path, settings) as (server,),
    ):
        address = f"http://127.0.0.1:{server.port}"
        async with browser.open_tab(["notifications"]) as tab:
            await tab.call("ServiceWorker.enable")
            stand_in = SUBSCRIBING.replace("ENDPOINT", repr(receiver.url)).replace("KEYS", subscription.keys)
            await tab.call("Page.addScriptToEvaluateOnNewDocument", source=f"{{ {stand_in} }}")
            await tab.open(f"{address}/#key={KEY}")
            await tab.until(f"{TOGGLE} !== null && !{TOGGLE}.checked")
            await tab.run(f"{TOGGLE}.click()")
            await tab.until(f"{TOGGLE}.checked && {HINT} !== ''")
            (destination,) = (await ask(address, "{ destinations { nodes { id type owner { id } } } }"))[
                "destinations"
            ]["nodes"]
            assert destination["type"] == "WEB_PUSH"
            queue = await ask(
                address,
                "{ attentionQueue(filter: {assignee: {assigned: false}, kinds: [CONVERSATION]}) { nodes { id } } }",
            )
            waiting = queue["attentionQueue"]["nodes"][0]["id"]
            given = {"name": "Push", "destinationIds": [destination["id"]]}
            assert (await ask(address, CREATE_POLICY, input=given))["createPolicy"]["errors"] == []

            await tab.call("ServiceWorker.startWorker", scopeURL=f"{address}/")
            async with browser.speak_to_worker(f"{address}/alerts.js") as worker:
                await worker.run(NOTING)
                await tab.call("Page.navigate", url=f"{address}/about")
                await tab.until("location.pathname === '/about' && document.readyState === 'complete'")
                raised = await told(receiver, subscription, waiting, "RAISED")
                await pushed(tab, address, raised)
                await worker.until("shown.length === 1")

                claimed = await ask(address, CLAIM, input={"id": waiting})
                assert claimed["claimInteraction"]["errors"] == []
                over = await told(receiver, subscription, waiting, "CLAIMED")
                await pushed(tab, address, over)
                await worker.until("shown.length === 2")
                assert await worker.run("shown") == [
                    {"title": raised["title"], "tag": waiting, "silent": False, "renotify": True, "data": waiting},
                    {"title": over["title"], "tag": waiting, "silent": True, "renotify": False, "data": waiting},
                ]
                await worker.run(CLICK)
                assert await worker.until("globalThis.closed && globalThis.opened") == f"{address}/#open={waiting}"

            await tab.call("Page.navigate", url=f"{address}/")
            await tab.until(f"{TOGGLE}?.checked")
            await tab.run(f"{TOGGLE}.click()")
            await tab.until(f"!{TOGGLE}.checked && !{TOGGLE}.disabled")
            assert await tab.run("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
            assert_own(tab, address)
            assert tab.errors == []
        assert (await ask(address, "{ destinations { nodes { id } } }"))["destinations"]["nodes"] == []

"""Messages to Slack, by an incoming webhook."""

import orjson

from app.destinations.channels.alert import TEST
from app.destinations.channels.channel import JSON_HEADERS, Channel, Message, Request, Target, secret_url


def escaped(text: str) -> str:
    """The text with `&`, `<` and `>` escaped: mentions, links and channels need angle brackets."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> dict[str, object]:
    # Not mrkdwn: Slack neither formats nor links plain text.
    return {"type": "plain_text", "text": escaped(text), "emoji": False}


def _request(target: Target, message: Message) -> Request:
    alert = message.alert()
    title = TEST if alert is None else alert.title
    blocks: list[dict[str, object]] = [{"type": "section", "text": _plain(title)}]
    if alert is not None and alert.facts:
        said = " · ".join(f"{name}: {value}" for name, value in alert.facts)
        blocks.append({"type": "context", "elements": [_plain(said)]})
    if alert is not None and alert.link is not None:
        button = {"type": "button", "text": _plain("Open"), "url": alert.link}
        blocks.append({"type": "actions", "elements": [button]})
    body = {
        # Notifications show this in place of the blocks.
        "text": escaped(title),
        "mrkdwn": False,
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": blocks,
    }
    return Request(target.secrets[0], JSON_HEADERS, orjson.dumps(body))


CHANNEL = Channel(secret_url, _request)

"""Adaptive Cards to Microsoft Teams, by a webhook of Workflows."""

import orjson

from app.destinations.channels.alert import TEST
from app.destinations.channels.channel import JSON_HEADERS, Channel, Message, Request, Target, secret_url


def _plain(text: str, **given: object) -> dict[str, object]:
    # A TextBlock reads Markdown, a TextRun does not.
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **given}]}


def _request(target: Target, message: Message) -> Request:
    alert = message.alert()
    card: dict[str, object] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            _plain(TEST if alert is None else alert.title, weight="Bolder"),
            *(_plain(f"{name}: {value}") for name, value in ([] if alert is None else alert.facts)),
        ],
    }
    if alert is not None and alert.link is not None:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": alert.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return Request(target.secrets[0], JSON_HEADERS, orjson.dumps({"type": "message", "attachments": [attachment]}))


CHANNEL = Channel(secret_url, _request)

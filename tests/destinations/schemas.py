"""The shapes that the tools of teams publish for what they take, as JSON Schema, each with its source."""

from typing import Any

_PLAIN_TEXT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"const": "plain_text"},
        "text": {"type": "string", "minLength": 1, "maxLength": 3000},
        "emoji": {"type": "boolean"},
    },
    "required": ["type", "text"],
    "additionalProperties": False,
}

# Slack, Block Kit reference: section, context and actions blocks, button elements and text objects.
SLACK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "mrkdwn": {"const": False},
        "link_names": {"const": False},
        "unfurl_links": {"const": False},
        "unfurl_media": {"const": False},
        "blocks": {
            "type": "array",
            "maxItems": 50,
            "items": {
                "oneOf": [
                    {
                        "type": "object",
                        "properties": {"type": {"const": "section"}, "text": _PLAIN_TEXT},
                        "required": ["type", "text"],
                        "additionalProperties": False,
                    },
                    {
                        "type": "object",
                        "properties": {
                            "type": {"const": "context"},
                            "elements": {"type": "array", "minItems": 1, "maxItems": 10, "items": _PLAIN_TEXT},
                        },
                        "required": ["type", "elements"],
                        "additionalProperties": False,
                    },
                    {
                        "type": "object",
                        "properties": {
                            "type": {"const": "actions"},
                            "elements": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 25,
                                "items": {
                                    "type": "object",
                                    "properties": {
                                        "type": {"const": "button"},
                                        "text": _PLAIN_TEXT,
                                        "url": {"type": "string", "maxLength": 3000},
                                    },
                                    "required": ["type", "text"],
                                    "additionalProperties": False,
                                },
                            },
                        },
                        "required": ["type", "elements"],
                        "additionalProperties": False,
                    },
                ]
            },
        },
    },
    "required": ["text", "blocks"],
    "additionalProperties": False,
}

# Microsoft, "Create incoming webhooks with Workflows for Teams" (the message), and the Adaptive Cards schema 1.4
# (RichTextBlock, TextRun, Action.OpenUrl).
TEAMS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "contentUrl": {"type": "null"},
                    "content": {
                        "type": "object",
                        "properties": {
                            "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
                            "type": {"const": "AdaptiveCard"},
                            "version": {"const": "1.4"},
                            "body": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "object",
                                    "properties": {
                                        "type": {"const": "RichTextBlock"},
                                        "inlines": {
                                            "type": "array",
                                            "items": {
                                                "type": "object",
                                                "properties": {
                                                    "type": {"const": "TextRun"},
                                                    "text": {"type": "string"},
                                                    "weight": {"enum": ["Default", "Lighter", "Bolder"]},
                                                },
                                                "required": ["type", "text"],
                                                "additionalProperties": False,
                                            },
                                        },
                                    },
                                    "required": ["type", "inlines"],
                                    "additionalProperties": False,
                                },
                            },
                            "actions": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "properties": {
                                        "type": {"const": "Action.OpenUrl"},
                                        "title": {"type": "string"},
                                        "url": {"type": "string"},
                                    },
                                    "required": ["type", "url"],
                                    "additionalProperties": False,
                                },
                            },
                        },
                        "required": ["type", "version", "body"],
                        "additionalProperties": False,
                    },
                },
                "required": ["contentType", "content"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["type", "attachments"],
    "additionalProperties": False,
}

_EVENT: dict[str, Any] = {
    "routing_key": {"type": "string", "minLength": 32, "maxLength": 32},
    "dedup_key": {"type": "string", "minLength": 1, "maxLength": 255},
}

# PagerDuty, Events API v2: "Send an alert event".
PAGERDUTY: dict[str, Any] = {
    "oneOf": [
        {
            "type": "object",
            "properties": {
                **_EVENT,
                "event_action": {"const": "trigger"},
                "client": {"type": "string"},
                "client_url": {"type": "string"},
                "links": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"href": {"type": "string"}, "text": {"type": "string"}},
                        "required": ["href"],
                        "additionalProperties": False,
                    },
                },
                "payload": {
                    "type": "object",
                    "properties": {
                        "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
                        "source": {"type": "string", "minLength": 1},
                        "severity": {"enum": ["critical", "error", "warning", "info"]},
                        "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
                        "component": {"type": "string"},
                        "group": {"type": "string"},
                        "class": {"type": "string"},
                        "custom_details": {"type": "object"},
                    },
                    "required": ["summary", "source", "severity"],
                    "additionalProperties": False,
                },
            },
            "required": ["routing_key", "event_action", "payload"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {**_EVENT, "event_action": {"enum": ["acknowledge", "resolve"]}},
            "required": ["routing_key", "event_action", "dedup_key"],
            "additionalProperties": False,
        },
    ]
}

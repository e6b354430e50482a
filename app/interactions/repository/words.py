"""What the search for messages keeps of a text."""

from app.core.text import entries


def stored_words(text: str | None) -> str | None:
    """The distinct entries of a message's text, as they are kept; None when there is none."""
    return None if text is None else " ".join(dict.fromkeys(entries(text))) or None

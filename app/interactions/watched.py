"""The subjects that users can watch."""

ATTENTION = 0
"""The place that is no interaction's surrogate: the attention queue."""

Subject = tuple[str | None, int]
"""A kind, and the surrogate of an interaction that is said to be of it; no kind, and ATTENTION."""

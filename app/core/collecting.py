"""How the garbage collector works in a server: everybody waits while it looks at objects."""

import gc


def collect_little_at_once() -> None:
    """Have few objects be looked at in a row: the 5,000 newest, which takes up to 5 ms, or up to 30,000 of the second
    generation, up to 15 ms. Everything is looked through after 8 million new ones."""
    gc.set_threshold(5_000, 5, 320)

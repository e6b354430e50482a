"""Looks for no garbage from its import on: while the application is imported, which leaves none, that takes a tenth.

Whoever imports it first calls `gc.enable` in the end."""

import gc

gc.disable()

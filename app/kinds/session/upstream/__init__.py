"""The systems whose sessions become Sessions."""

from app.kinds.session.upstream.dirty_lemon import DirtyLemon

CONNECTORS = (DirtyLemon(),)
"""A connector for each system."""

"""What loading needs is the same for the benchmarks' data as for the demo's."""

from tests.demo.conftest import kinds, settings

__all__ = ["kinds", "settings"]

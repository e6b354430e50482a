"""The fifth kind's own files are tested where they are put together with the application."""

collect_ignore = ["app", "tests"]

"""Whether requests get dearer as the tables grow."""

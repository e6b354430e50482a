"""The largest whole numbers of 32 and of 64 bits."""

LARGEST_INT = 2**31 - 1
LARGEST_LONG = 2**63 - 1

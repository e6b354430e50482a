"""Builds the schema where it is imported, for processes that are forked after that."""

import gc

from app.schema import SLICES, build_catalogue, build_schema

build_catalogue(build_schema(SLICES), SLICES)
gc.freeze()  # a collection in each forked process would go through all of it, and copy its memory
gc.enable()  # see tests.uncollected

"""The codes of failures that are no refusal of a rule; those of refusals are with their classes in `errors`."""

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
BAD_REQUEST = "BAD_REQUEST"
PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
UNKNOWN_OPERATION = "OPERATION_RESOLUTION_FAILURE"
UNKNOWN_PATH = "UNKNOWN_PATH"
INTERNAL = "INTERNAL"

INTERNAL_MESSAGE = "Something went wrong on our side."
"""All that a caller is told of a failure of the program; the log has the rest."""

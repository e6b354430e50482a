"""Texts in field descriptions about the permissions they need."""

HIDDEN = (
    "The names of this object's fields that the caller may not see, in alphabetical order. They are null even if "
    "they have a value; any other null is an absent value."
)

READ = "Null without the permission `directory:read`."
MANAGED = "Null without the permission `users:manage`; the caller's own are at `viewer`."

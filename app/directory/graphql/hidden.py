"""Texts in field descriptions about the permissions they need."""

HIDDEN = (
    "The names of the fields of this object that the caller lacks a permission to see, in alphabetical order. They are "
    "null whatever they hold; any other null is an absent value."
)

READ = "Null without the permission `directory:read`."
MANAGED = "Null without the permission `users:manage`; the caller's own are at `viewer`."

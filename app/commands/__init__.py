"""The commands of the command line that administer users and keys."""

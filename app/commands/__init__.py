"""The commands of the `switchboard` command line."""

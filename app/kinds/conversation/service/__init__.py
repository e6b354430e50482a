"""Commands on conversations and channel agents."""

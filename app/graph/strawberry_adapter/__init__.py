"""Everything that leans on the insides of Strawberry and of graphql-core; nothing else in app does."""

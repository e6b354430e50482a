"""All uses of private parts of Strawberry and graphql-core."""

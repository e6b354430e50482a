"""Switchboard: one live GraphQL graph over every support session a business has."""

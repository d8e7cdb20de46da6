"""Faults of a house on two PostgreSQLs: servers, writers, bets, what is done to them, and the count."""

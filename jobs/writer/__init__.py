"""The single writer: batches of commands in, one transaction each, then the news."""

"""What a request costs in the server alone: `python -m loadtest.server`."""

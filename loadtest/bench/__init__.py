"""The test bench that every measurement stands on: the system started, an open loop of requests, looks at both."""

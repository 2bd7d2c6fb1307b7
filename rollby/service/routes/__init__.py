"""The service by HTTP: one file a kind of caller."""

"""The client that members use: keys, submit, outcome, query."""

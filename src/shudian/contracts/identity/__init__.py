"""Identity: members, their persons and keys, and the port that says who may speak."""

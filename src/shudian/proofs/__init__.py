"""All that a stranger needs to check the ledger: a proof file and the public keys of those who sign its blocks, no database."""

"""The smart contracts, one folder each, in the order of ``shudian.market``; a contract sees only those below it."""

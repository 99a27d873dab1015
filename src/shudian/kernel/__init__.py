"""The ledger kernel: pure, deterministic, integers only. It knows no contract."""

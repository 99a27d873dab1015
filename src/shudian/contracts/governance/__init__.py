"""Governance: dated settings of the whole market, the working calendar and the stepped clock."""

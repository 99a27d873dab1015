"""Guarantees 履约保函: instruments that banks confirm, what a member must provide, and the line that its exposure may not cross."""

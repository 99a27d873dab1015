"""Agreements 电力合同: what two members owe each other, hour by hour, and the only place that prices it."""

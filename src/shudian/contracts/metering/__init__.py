"""Metering: meters of resources, and 96 readings a day of each."""

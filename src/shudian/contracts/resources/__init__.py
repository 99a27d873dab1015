"""Resources: plants, units, loads and storage of members, reviewed by the exchange."""

"""Trading 交易: sessions, orders, rolling match and call auction; what is concluded becomes agreements."""

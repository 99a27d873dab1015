"""The sandbox market: a month of real Sichuan data played through the public client, one deed after the other."""

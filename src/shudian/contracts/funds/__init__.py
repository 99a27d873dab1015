"""Funds: double-entry accounts that mirror sub-accounts at settlement banks; holds, reservations, deposits and pay-outs."""

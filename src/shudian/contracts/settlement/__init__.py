"""Settlement 结算: reference prices, daily clearing, monthly statements with objections, payment against delivery."""

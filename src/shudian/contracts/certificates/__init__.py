"""Green certificates: issued from accepted readings, sold once, delivered with green agreements, retired for good."""

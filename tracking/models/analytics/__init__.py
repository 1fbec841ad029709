"""Analytics: the roll-up of hits into counts."""

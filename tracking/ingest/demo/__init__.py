"""Sample data: the hits of a shop under a token of its own."""

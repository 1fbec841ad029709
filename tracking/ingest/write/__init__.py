"""From arrivals to a commit: the writers, and the answer that waits for them."""

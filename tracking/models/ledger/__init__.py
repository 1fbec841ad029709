"""The ledger: exact counts of hits and deliveries, and the statistics that read them."""

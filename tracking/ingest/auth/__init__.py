"""Who sends: authentication, the rate limit, the address of the client."""

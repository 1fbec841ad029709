"""From a body to an arrival: everything that refuses a hit is here."""

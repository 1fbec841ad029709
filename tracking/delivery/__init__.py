"""The delivery engine: from the queue to outcomes. No HTTP, no vendor."""

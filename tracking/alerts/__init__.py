"""Somebody is told of what is wrong, once: `watch` finds it, `tell` says it."""

"""Presentation that the admin and the console share: states, snippets, form fields."""

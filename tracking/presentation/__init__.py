"""What the admin and the console show alike: states, snippets, form fields."""

"""The pages where operators watch, explain and repair. They configure in the admin."""

"""Where operators watch, explain and repair. The admin is where they configure."""

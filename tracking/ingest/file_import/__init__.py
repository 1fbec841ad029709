"""The import of files: `manage.py import_hits`."""

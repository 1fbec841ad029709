"""What object storage is made of: files and stores."""

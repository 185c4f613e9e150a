"""The commands of `truyvet`, one a file; each file has one click command named `command`."""

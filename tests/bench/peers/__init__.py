"""What Truyvet is measured beside that `make install` does not bring: install.sh here does, into .peers."""

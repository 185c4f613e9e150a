"""What each place of the page shows. A view is told each second to look whether something changed."""

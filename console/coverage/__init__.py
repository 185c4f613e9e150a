"""How well a day was covered: who can be reached, who scans, who does not, and what is wrong with the scans."""

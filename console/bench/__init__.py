"""The measurements of the README, each against peers that run beside it: `truyvet bench …`."""

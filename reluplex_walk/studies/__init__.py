"""Studies of what papers claim, each against exact truth."""

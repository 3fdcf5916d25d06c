"""A package, so that what its fixtures make for all of it ends with it."""

"""The reply engine: when to answer, what to answer, and when to leave it to a person."""

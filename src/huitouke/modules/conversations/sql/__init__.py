"""Hand-written statements of the conversations, by use case. `$1` is the tenant in each."""

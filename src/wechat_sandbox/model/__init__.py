"""A language model that answers only from what it is given, behind the usual OpenAI-compatible paths."""

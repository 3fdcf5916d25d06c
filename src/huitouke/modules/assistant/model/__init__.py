"""The model behind an OpenAI-compatible endpoint: a small port, its adapter, the prompt, the check of what it wrote."""

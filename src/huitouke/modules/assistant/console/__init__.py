"""The console's routes about the assistant."""

from huitouke.modules.assistant.console import assistant, knowledge

routers = (knowledge.router, assistant.router)

"""The rules of the assistant, by use case. Other modules import from here and nowhere deeper."""

from huitouke.modules.assistant.retrieval.evaluate import EvaluationReport, evaluate
from huitouke.modules.assistant.service.entries import (
    add_entries,
    add_entry,
    change_entry,
    remove_entry,
    restore_entry,
)
from huitouke.modules.assistant.service.model_endpoint import endpoint, ready_model, save_endpoint, try_endpoint
from huitouke.modules.assistant.service.settings import assistant_settings, change_settings, is_paused, pause_all

__all__ = [
    "EvaluationReport",
    "add_entries",
    "add_entry",
    "assistant_settings",
    "change_entry",
    "change_settings",
    "endpoint",
    "evaluate",
    "is_paused",
    "pause_all",
    "ready_model",
    "remove_entry",
    "restore_entry",
    "save_endpoint",
    "try_endpoint",
]

"""Backup and restore: the database and the stored files as they were at one moment, in one file."""

from huitouke.kernel.backup.archive import BackupError
from huitouke.kernel.backup.restoring import Restored, look_into, restore, what_would_be_lost
from huitouke.kernel.backup.writing import Backup, back_up

__all__ = ["Backup", "BackupError", "Restored", "back_up", "look_into", "restore", "what_would_be_lost"]

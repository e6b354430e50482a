"""What can be set from outside, with defaults."""

from app.settings.loading import SettingsError, load_settings
from app.settings.model import Settings
from app.settings.server import PREFIX

__all__ = ["PREFIX", "Settings", "SettingsError", "load_settings"]

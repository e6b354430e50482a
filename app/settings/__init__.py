"""All settings, with their defaults."""

from app.settings.kinds import PREFIX, KindSettings
from app.settings.loading import SettingsError, declared, load_settings
from app.settings.model import Settings
from app.settings.showing import without_secrets

__all__ = ["PREFIX", "KindSettings", "Settings", "SettingsError", "declared", "load_settings", "without_secrets"]

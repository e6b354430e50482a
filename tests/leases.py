"""What a process lets others know of, as the product does."""

from app.directory.service import note_sessions
from app.interactions.service.watching import watch
from app.live.lifespan import LeasesOf

LEASES = LeasesOf(watch, note_sessions)

"""Examines a deployment: what is wrong with it, and what to do."""

from app.doctor.examination import examine
from app.doctor.findings import Finding, State

__all__ = ["Finding", "State", "examine"]

"""What each caller may use in a minute, per process or shared."""

from app.budgets.budget import Budget
from app.budgets.store import Store
from app.budgets.window import MINUTE, Usage, Window

__all__ = ["MINUTE", "Budget", "Store", "Usage", "Window"]

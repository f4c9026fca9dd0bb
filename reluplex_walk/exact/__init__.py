"""The loss in rational arithmetic, and its vertices without rounding."""

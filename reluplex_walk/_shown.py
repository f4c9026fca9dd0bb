"""How notebooks show results: with the head of their report."""


def repr_html(self: object, below: str = "") -> str:
    """The head of the report with HTML `below`; each class of results has it as `_repr_html_`."""
    from .reports.head import head

    return head(self, below)


__all__ = ["repr_html"]

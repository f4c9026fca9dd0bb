"""One page of HTML for a result, and the head of it for notebooks."""

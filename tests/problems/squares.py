"""A closure for optimizers of PyTorch: the sum of squares of parameters."""


def closure_of_square(params):
    """A closure that computes it, and its gradients."""

    def closure():
        loss = sum((p**2).sum() for p in params)
        loss.backward()
        return loss

    return closure

"""Networks of PyTorch, ONNX and scikit-learn as :class:`ReLUNetwork`, and back."""

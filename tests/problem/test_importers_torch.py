"""Models of PyTorch come in and go out with the same outputs; what cannot be read is named."""

import numpy as np
import pytest

import reluplex_walk as rw

torch = pytest.importorskip("torch")
nn = torch.nn


def outputs(model, X):
    with torch.no_grad():
        return model.double().eval()(torch.from_numpy(X)).numpy()


def dense(seed, leak=None, dtype=torch.float32):
    torch.manual_seed(seed)
    act = nn.LeakyReLU(leak) if leak else nn.ReLU()
    return nn.Sequential(nn.Linear(4, 7), act, nn.Linear(7, 3), act, nn.Linear(3, 2)).to(dtype)


@pytest.mark.parametrize("leak", [None, 0.25, 0.1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("seed", range(3))
def test_there_and_back_outputs_are_equal(seed, dtype, leak):
    model, X = dense(seed, leak, dtype), np.random.default_rng(seed).normal(size=(40, 4))
    network = rw.ReLUNetwork.from_torch(model)
    for k, w in enumerate(network.weights):  # float32 numbers are the same rationals
        assert (w == model[2 * k].weight.detach().double().numpy()).all()
    before, after = outputs(model, X), outputs(network.to_torch(), X)
    assert np.array_equal(before, after)
    assert np.abs(network(X) - before).max() < 1e-12
    assert rw.ReLUNetwork.from_torch(network.to_torch()) == network


def test_a_state_dict_and_a_module_are_one_network():
    model = dense(0)
    assert rw.ReLUNetwork.from_torch(model.state_dict()) == rw.ReLUNetwork.from_torch(model)


IMAGES = {
    "conv": lambda: [nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.ReLU()],
    "groups": lambda: [nn.Conv2d(2, 4, (3, 2), groups=2, dilation=2, bias=False), nn.ReLU()],
    "same": lambda: [nn.Conv2d(2, 2, 3, padding="same"), nn.ReLU(), nn.BatchNorm2d(2)],
    "average": lambda: [nn.AvgPool2d(2), nn.Conv2d(2, 2, 2), nn.ReLU()],
    "average, padded": lambda: [nn.AvgPool2d(3, 2, 1, count_include_pad=False)],
    "adaptive": lambda: [nn.Conv2d(2, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1)],
    "largest": lambda: [nn.Conv2d(2, 2, 2), nn.MaxPool2d(3, 2, 1)],
    "largest after a ReLU": lambda: [nn.Conv2d(2, 2, 2), nn.ReLU(), nn.MaxPool2d(2)],
    "largest of the inputs": lambda: [nn.MaxPool2d((3, 2))],
}


@pytest.mark.parametrize("name", IMAGES)
def test_images_are_unrolled(name):
    torch.manual_seed(1)
    layers = IMAGES[name]()
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2.0)
    X = np.random.default_rng(0).normal(size=(20, 2, 6, 7))
    flat = nn.Sequential(*layers, nn.Flatten()).double().eval()
    size = outputs(flat, X).shape[1]
    model = nn.Sequential(nn.Sequential(*layers), nn.Dropout(0.5), nn.Flatten(), nn.Linear(size, 2))
    network = rw.ReLUNetwork.from_torch(model.double(), input_shape=(2, 6, 7))
    assert np.abs(network(X.reshape(20, -1)) - outputs(model, X)).max() < 1e-12


def test_normalising_layers_are_folded_in():
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.BatchNorm1d(3), nn.Linear(3, 5), nn.BatchNorm1d(5, affine=False), nn.ReLU(),
        nn.Identity(), nn.Linear(5, 4), nn.Linear(4, 2), nn.ReLU(),
    )  # fmt: skip
    for layer in model:
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2.0)
    network = rw.ReLUNetwork.from_torch(model)
    X = np.random.default_rng(0).normal(size=(30, 3))
    assert network.widths == (3, 5, 2, 2)
    assert np.abs(network(X) - outputs(model, X)).max() < 1e-12


class Own(nn.Module):
    """A forward that is a chain, or not."""

    def __init__(self, forward):
        super().__init__()
        self.first, self.second, self.how = nn.Linear(3, 4), nn.Linear(4, 1), forward

    def forward(self, x):
        return self.how(self, x)


def test_a_forward_of_its_own_is_traced():
    model = Own(lambda own, x: own.second(torch.relu(own.first(x))))
    X = np.random.default_rng(0).normal(size=(30, 3))
    network = rw.ReLUNetwork.from_torch(model)
    assert network.widths == (3, 4, 1)
    assert np.abs(network(X) - outputs(model, X)).max() < 1e-12


FORWARDS = {
    "tanh": lambda own, x: own.second(torch.tanh(own.first(x))),
    "one after the other": lambda own, x: own.second(own.first(x) + own.first(x)),
    "traced": lambda own, x: own.second(own.first(x)) if x.sum() > 0 else own.first(x),
}


@pytest.mark.parametrize("word", FORWARDS)
def test_other_forwards_are_refused(word):
    with pytest.raises(ValueError, match=word):
        rw.ReLUNetwork.from_torch(Own(FORWARDS[word]))


REFUSED = {
    "Tanh": nn.Tanh(),
    "Sigmoid": nn.Sigmoid(),
    "Softmax": nn.Softmax(1),
    "GELU": nn.GELU(),
    "PReLU": nn.PReLU(),
    "LayerNorm": nn.LayerNorm(4),
    "LSTM": nn.LSTM(4, 4),
    "Embedding": nn.Embedding(4, 4),
    "ELU": nn.ELU(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_layers_that_cannot_be_read_are_named(name):
    with pytest.raises(ValueError, match=rf"1 \({name}\)"):
        rw.ReLUNetwork.from_torch(nn.Sequential(nn.Linear(4, 4), REFUSED[name], nn.Linear(4, 1)))


@pytest.mark.parametrize(
    ("model", "shape", "word"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), nn.LeakyReLU()), None, "slope"),
        (nn.Sequential(nn.Conv2d(1, 1, 2), nn.Flatten(), nn.Linear(1, 1)), None, "input_shape"),
        (nn.Sequential(nn.Conv2d(1, 1, 2), nn.Linear(1, 1)), (1, 3, 3), "Flatten"),
        (nn.Sequential(nn.Conv2d(3, 64, 3), nn.Flatten()), (3, 99, 99), "unrolled"),
        (nn.Sequential(nn.MaxPool2d(2, ceil_mode=True)), (1, 3, 3), "MaxPool2d"),
        (nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(0.5), nn.MaxPool2d(1)), None, "images"),
        (nn.Sequential(nn.Identity()), None, "layer with weights"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(model, shape, word):
    with pytest.raises(ValueError, match=word):
        rw.ReLUNetwork.from_torch(model, input_shape=shape)


def test_state_dicts_of_other_layers_are_refused():
    with pytest.raises(ValueError, match=r"0\.weight"):
        rw.ReLUNetwork.from_torch(nn.Sequential(nn.Conv2d(1, 1, 2)).state_dict())
    with pytest.raises(ValueError, match="running_mean"):
        rw.ReLUNetwork.from_torch(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).state_dict())
    with pytest.raises(TypeError, match="source"):
        rw.ReLUNetwork.from_torch([1, 2])


def test_a_layer_of_a_model_is_certified():
    """From PyTorch to a proof, and the way down back to PyTorch."""
    data = rw.datasets.load_stackloss()
    network = rw.ReLUNetwork.from_torch(nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1)))
    loss = rw.LayerLoss(network, data.X, data.y, layer=1)
    found = rw.certify(loss)
    assert not found.is_local_minimum
    assert found.slope < 0.0
    down = found.end.network.to_torch()
    there = outputs(down, data.X.copy())[:, 0]
    assert np.abs(there - data.y).sum() == pytest.approx(found.end.loss, rel=1e-12)

"""Alice, one coordinate and one number at a time, written from the description of its behaviour.

Shares no code with the library but for the random lines, which are given.
"""

import math


def naive_alice(
    theta,
    gradient,
    line,
    steps,
    rate,
    hessian="abs",
    glass=True,
    bound="adam",
    quick_steps=3,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    least=0.0,
    most=2.0,
    omega=1.0,
):
    """Where the model rests after each step; `gradient` takes and gives a list, `line(k)` signs."""
    size = len(theta)
    mu, nu = list(theta), list(theta)
    g, s2, h, rho = ([0.0] * size for _ in range(4))
    beta3 = 1.0 - (quick_steps + 1) * (1.0 - beta2)
    waiting = round(1.0 / (1.0 - beta1))
    path = []
    for k in range(1, steps + 1):
        b1, b2, b3 = (min(beta, (k - 1) / k) for beta in (beta1, beta2, beta3))
        slow = k <= waiting or k % (quick_steps + 1) == 0
        if slow:
            v = line(k)
            up = gradient([nu[i] + rate * v[i] for i in range(size)])
            down = gradient([nu[i] - rate * v[i] for i in range(size)])
        now = gradient(list(nu))
        for i in range(size):
            if slow:
                change = 0.5 * (up[i] + down[i]) - now[i]
                second = abs(up[i] - down[i]) / (2.0 * rate)
                if hessian == "rms":
                    second = second**2
                rho[i] = b3 * rho[i] + (1.0 - b3) * 2.0 * change**2 / rate
                h[i] = b3 * h[i] + (1.0 - b3) * second
            g[i] = b1 * g[i] + (1.0 - b1) * now[i]
            s2[i] = b2 * s2[i] + (1.0 - b2) * now[i] ** 2
        if k > waiting:
            for i in range(size):
                curvature = {"abs": h[i], "rms": math.sqrt(h[i]), "off": 0.0}[hessian]
                alpha = 3.0 / (4.0 * math.pi) * rho[i] / (abs(g[i]) + eps) if glass else 0.0
                root = math.sqrt(alpha * (alpha + 2.0 * curvature))
                way = abs(g[i]) / (alpha + curvature + root + eps)
                if bound is not None:
                    scale = {
                        "adam": abs(g[i]) / (math.sqrt(s2[i]) + eps),
                        "gradient": abs(g[i]),
                        "fixed": 1.0,
                    }[bound]
                    way = min(max(way, least * rate * scale), most * rate * scale)
                if g[i] > 0.0:
                    way = -way
                nu[i] = mu[i] + omega * way
                mu[i] = mu[i] + (1.0 - beta1) * omega * way
        path.append(list(mu))
    return path

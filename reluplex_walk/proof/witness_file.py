"""Witnesses and rationals as text, and back: what files of certificates hold of them.

A rational is ``p/q`` in hexadecimal.  A witness is a JSON object with the fields of `Witness`; a
block has its members, the name of its proof and the fields of that (docs/certificate-format).
"""

import json
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..exact.rationals import Objects, objects
from .witness import Block, Bound, Fan, Leaf, Multipliers, Proof, Shares, Tree, Witness

_RATIONAL = re.compile(r"-?[0-9a-f]+/0*[1-9a-f][0-9a-f]*")

_PROOFS: dict[str, type] = {
    "multipliers": Multipliers,
    "fan": Fan,
    "tree": Tree,
    "shares": Shares,
}


def to_words(numbers: Objects) -> NDArray[np.bytes_]:
    """Rationals as words, in the same shape."""
    words = [_word(number) for number in numbers.ravel()]
    return np.array(words, np.bytes_).reshape(numbers.shape)


def from_words(words: NDArray[Any]) -> Objects:
    """The inverse of `to_words`; ValueError if a word is none of a rational."""
    flat = [_rational(bytes(word).decode()) for word in words.ravel()]
    return np.asarray(objects(flat).reshape(words.shape))


def write(witness: Witness) -> str:
    """The text of a witness."""
    fields = {
        "sides": witness.sides.tolist(),
        "pivots": witness.pivots.tolist(),
        "prices": _words(witness.prices),
        "blocks": _blocks(witness.blocks),
        "order": None if witness.order is None else witness.order.tolist(),
    }
    return json.dumps(fields, separators=(",", ":"))


def read(text: str) -> Witness:
    """The witness of a text; ValueError, KeyError, TypeError if it is of none."""
    fields = json.loads(text)
    return Witness(
        sides=_ints(fields["sides"]).astype(np.int8),
        pivots=_ints(fields["pivots"]),
        prices=_rationals(fields["prices"]),
        blocks=_read_blocks(fields["blocks"]),
        order=None if fields["order"] is None else _ints(fields["order"]),
    )


def _blocks(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    return [{"members": block.members.tolist(), **_proof(block.proof)} for block in blocks]


def _read_blocks(blocks: list[dict[str, Any]]) -> tuple[Block, ...]:
    return tuple(Block(_ints(block["members"]), _read_proof(block)) for block in blocks)


def _proof(proof: Proof) -> dict[str, Any]:
    if isinstance(proof, Multipliers):
        return {"proof": "multipliers", "theta": _words(proof.theta)}
    if isinstance(proof, Fan):
        return {
            "proof": "fan",
            "nodes": proof.nodes.tolist(),
            "terms": proof.terms.tolist(),
            "theta": _words(proof.theta),
        }
    if isinstance(proof, Shares):
        return {
            "proof": "shares",
            "terms": proof.terms.tolist(),
            "theta": _words(proof.theta),
            "blocks": _blocks(proof.blocks),
        }
    leaves = [
        {
            "multipliers": _pairs(leaf.multipliers),
            "above": [_bound(bound) for bound in leaf.above],
        }
        for leaf in proof.leaves
    ]
    return {"proof": "tree", "nodes": proof.nodes.tolist(), "leaves": leaves}


def _read_proof(fields: dict[str, Any]) -> Proof:
    kind = _PROOFS[fields["proof"]]
    if kind is Multipliers:
        return Multipliers(_rationals(fields["theta"]))
    if kind is Fan:
        nodes = _ints(fields["nodes"]).reshape(-1, 3)
        return Fan(nodes, _ints(fields["terms"]), _rationals(fields["theta"]))
    if kind is Shares:
        theta = _rationals(fields["theta"])
        return Shares(_ints(fields["terms"]), theta, _read_blocks(fields["blocks"]))
    leaves = [
        Leaf(
            multipliers=_read_pairs(leaf["multipliers"]),
            above=tuple(_read_bound(*bound) for bound in leaf["above"]),
        )
        for leaf in fields["leaves"]
    ]
    return Tree(_ints(fields["nodes"]), tuple(leaves))


def _bound(bound: Bound) -> list[Any]:
    rest = [_pairs(bound.rest)] if bound.rest else []
    return [bound.term, _word(bound.kappa), _pairs(bound.x), *rest]


def _read_bound(term: int, kappa: str, x: list[list[Any]], rest: Sequence[list[Any]] = ()) -> Bound:
    return Bound(int(term), _rational(kappa), _read_pairs(x), _read_pairs(rest))


def _word(number: Fraction) -> str:
    return f"{number.numerator:x}/{number.denominator:x}"


def _words(numbers: Iterable[Fraction]) -> list[str]:
    return [_word(number) for number in numbers]


def _pairs(numbers: Iterable[tuple[int, Fraction]]) -> list[list[Any]]:
    return [[int(at), _word(number)] for at, number in numbers]


def _read_pairs(pairs: Sequence[list[Any]]) -> tuple[tuple[int, Fraction], ...]:
    return tuple((int(at), _rational(word)) for at, word in pairs)


def _rational(word: str) -> Fraction:
    if not _RATIONAL.fullmatch(word):
        raise ValueError(f"expected a rational, found {word!r}")
    numerator, denominator = word.split("/")
    return Fraction(int(numerator, 16), int(denominator, 16))


def _rationals(words: Sequence[str]) -> tuple[Fraction, ...]:
    return tuple(_rational(word) for word in words)


def _ints(numbers: list[Any]) -> NDArray[np.int64]:
    flat = [v for row in numbers for v in row] if numbers and type(numbers[0]) is list else numbers
    if type(numbers) is not list or any(type(v) is not int for v in flat):
        raise ValueError(f"expected a list of integers, found {str(numbers)[:60]}")
    return np.array(numbers, np.int64)


__all__ = ["from_words", "read", "to_words", "write"]

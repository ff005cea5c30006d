"""A choice of `platform resolve` is about conflicts alone: everything else in the file stays."""

import json
from collections.abc import Callable

import pytest

from tests.support.updates import Customer, Vendor

GUIDE = "Title\n=======\n" + "".join(f"line {n}\n" for n in range(1, 21))


def conflicting(
    vendor: Vendor, customer: Customer, door: str, path: str, base: str, mine: str, new: str
) -> Customer:
    """Update into a conflict in `path`; return where the conflict is."""
    vendor.release("v1.1.0", {path: base})
    customer.updated(door)
    customer.commit({path: mine})
    vendor.release("v1.2.0", {path: new})
    assert customer.update(door).code != 0
    return Customer(customer.root / (".platform-update/project" if door == "platform" else ""))


def resolved(customer: Customer, side: str, path: str) -> str:
    assert customer.platform("resolve", "--use", side).code == 0
    assert customer.platform("update", "--continue", "--no-verify").code == 0
    return customer.read(path)


def edited(text: str, lines: dict[int, str]) -> str:
    for number, word in lines.items():
        text = text.replace(f"line {number}\n", f"line {number}, {word}\n")
    return text


@pytest.mark.parametrize("side", ["yours", "framework"])
def test_in_a_text_with_a_line_of_seven_equals_signs(
    vendor: Vendor, copy: Callable[..., Customer], door: str, side: str
) -> None:
    customer = copy()
    mine, new = edited(GUIDE, {2: "mine", 18: "mine"}), edited(GUIDE, {10: "new", 18: "new"})
    conflicting(vendor, customer, door, "shared/guide.md", GUIDE, mine, new)

    text = resolved(customer, side, "shared/guide.md")

    taken = "mine" if side == "yours" else "new"
    assert text == edited(GUIDE, {2: "mine", 10: "new", 18: taken})


@pytest.mark.parametrize("side", ["yours", "framework"])
@pytest.mark.parametrize("separator", ["\u2028", "\u0085"], ids=ascii)
def test_in_json_with_a_character_that_python_takes_for_a_line_break(
    vendor: Vendor, copy: Callable[..., Customer], door: str, side: str, separator: str
) -> None:
    def written(**values: str) -> str:
        start = {"a": "1", "b": "2", "c": f"x{separator}y", "d": "4", "e": "5"}
        return json.dumps({**start, **values}, indent=2, ensure_ascii=False) + "\n"

    customer = copy()
    mine, new = written(a="mine", c=f"x{separator}mine"), written(c=f"x{separator}new", e="new")
    place = conflicting(vendor, customer, door, "shared/x.json", written(), mine, new)
    marked = place.read("shared/x.json").split("\n")
    assert [line[:7] for line in marked if "<<<<<<<" in line or ">>>>>>>" in line] == [
        "<<<<<<<",
        ">>>>>>>",
    ]

    text = resolved(customer, side, "shared/x.json")

    value = f"x{separator}mine" if side == "yours" else f"x{separator}new"
    assert text == written(a="mine", c=value, e="new")


def test_a_conflict_that_was_resolved_in_the_file_stays_beside_a_choice(
    vendor: Vendor, copy: Callable[..., Customer], door: str
) -> None:
    customer = copy()
    mine, new = edited(GUIDE, {5: "mine", 18: "mine"}), edited(GUIDE, {5: "new", 18: "new"})
    place = conflicting(vendor, customer, door, "shared/guide.md", GUIDE, mine, new)
    before, _, rest = place.read("shared/guide.md").partition("<<<<<<< ")
    rest = rest.partition(">>>>>>> framework\n")[2]
    place.write({"shared/guide.md": f"{before}line 5, by hand\n{rest}"})

    text = resolved(customer, "framework", "shared/guide.md")

    assert text == edited(GUIDE, {5: "by hand", 18: "new"})


def test_a_choice_is_refused_where_the_conflict_was_edited(
    vendor: Vendor, copy: Callable[..., Customer], door: str
) -> None:
    customer = copy()
    mine, new = edited(GUIDE, {5: "mine"}), edited(GUIDE, {5: "new"})
    place = conflicting(vendor, customer, door, "shared/guide.md", GUIDE, mine, new)
    half = place.read("shared/guide.md").replace("line 5, mine\n", "line 5, half done\n")
    place.write({"shared/guide.md": half})

    refused = customer.platform("resolve", "--use", "framework")

    assert (refused.code, "shared/guide.md stays in conflict" in refused.output) == (3, True)
    assert place.read("shared/guide.md") == half


def test_an_edit_of_a_binary_file_is_not_dropped(
    vendor: Vendor, copy: Callable[..., Customer], door: str
) -> None:
    customer = copy()
    place = conflicting(vendor, customer, door, "shared/x.bin", "\0one", "\0mine", "\0new")
    place.write({"shared/x.bin": "\0by hand"})

    assert customer.platform("resolve", "--use", "framework").code == 3
    assert place.read("shared/x.bin") == "\0by hand"

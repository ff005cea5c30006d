"""Paths that a customer claims in platform.toml, through both doors."""

import json
from collections.abc import Callable

import pytest

from tests.support.updates import FILES, TOOLS, Customer, Vendor

Copy = Callable[..., Customer]
LOGGING = str(FILES["shared/logging.py"])
FIXED = LOGGING.replace("line 18\n", "line 18, new\n")
EDITED = LOGGING.replace("line 2\n", "line 2, mine\n")
SETTINGS = 'name = "Acme"\n\n[ports]\napi = 9000\n'
TITLE = "Yours by platform.toml: the framework changed these, your project did not"
TABLE = str(TOOLS.relative_to("template") / "ownership.toml")


def claiming(*patterns: str) -> dict[str, str]:
    return {"platform.toml": f"{SETTINGS}\n[ownership]\ncustomer = {json.dumps(patterns)}\n"}


def updated(customer: Customer, door: str, version: str = "v1.0.0-to-v1.1.0") -> str:
    """Update, commit, and return the report."""
    said = customer.updated(door)
    if door == "copier":
        customer.commit()
    assert customer.git("status", "--porcelain") == ""
    report = customer.read(f"docs/updates/{version}.md")
    for title in (TITLE, "Claimed in platform.toml without effect"):
        assert (title in said) == (title in report)
    return report


def claimed(report: str) -> str:
    """The section about claimed paths."""
    return report.partition(f"## {TITLE}\n\n")[2].partition("\n\n#")[0].strip()


@pytest.mark.parametrize("mine", [EDITED, LOGGING], ids=["edited", "unchanged"])
def test_a_claimed_file_stays(vendor: Vendor, copy: Copy, door: str, mine: str) -> None:
    customer = copy()
    customer.commit({**claiming("/shared/logging.py"), "shared/logging.py": mine})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "shared/new.py": "new\n"})

    report = updated(customer, door)

    assert customer.read("shared/logging.py") == mine
    assert customer.read("shared/new.py") == "new\n"
    assert claimed(report) == "- `shared/logging.py` (changed)"


def test_a_claimed_folder_stays_as_a_whole(vendor: Vendor, copy: Copy, door: str) -> None:
    vendor.release("v1.1.0", {"shared/one/a.py": "a\n", "shared/one/b.py": "b\n"})
    customer = copy(tag="v1.1.0")
    customer.commit({**claiming("/shared/one/"), "shared/one/b.py": None, "shared/one/x.py": "x\n"})
    vendor.release(
        "v1.2.0",
        {"shared/one/a.py": None, "shared/one/b.py": "b, new\n", "shared/one/c.py": "c\n"},
    )

    report = updated(customer, door, "v1.1.0-to-v1.2.0")

    files = sorted(path.name for path in (customer.root / "shared/one").iterdir())
    assert files == ["a.py", "x.py"]
    assert claimed(report).splitlines() == [
        "- `shared/one/a.py` (removed)",
        "- `shared/one/b.py` (changed)",
        "- `shared/one/c.py` (new)",
    ]


def test_each_update_names_what_is_new_since_the_last(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.commit(claiming("/shared/logging.py"))
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})
    assert claimed(updated(customer, door))
    vendor.release("v1.2.0", {"shared/new.py": "new\n"})
    assert not claimed(updated(customer, door, "v1.1.0-to-v1.2.0"))
    vendor.release("v1.3.0", {"shared/logging.py": LOGGING + "more\n"})
    assert claimed(updated(customer, door, "v1.2.0-to-v1.3.0"))
    assert customer.read("shared/logging.py") == LOGGING


def test_the_claims_of_the_last_commit_count(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})
    customer.write(claiming("/shared/logging.py"))

    preview = customer.platform("update", "--preview", "--json")
    (note,) = [file for file in _json(preview.output)["files"] if "logging" in file["path"]]
    assert note["status"] == "changed"
    customer.commit()
    preview = customer.platform("update", "--preview", "--json")
    plan = _json(preview.output)

    assert {"kind": "claimed", "path": "shared/logging.py", "detail": "changed"} in plan["notes"]
    assert not [file for file in plan["files"] if "logging" in file["path"]]


def _json(printed: str) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = json.JSONDecoder().raw_decode(printed)[0]
    return found


def test_exceptions_are_those_of_gitignore(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit(claiming("/shared/*", "!/shared/logging.py"))
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "shared/new.py": "new\n"})

    report = updated(customer, door)

    assert customer.read("shared/logging.py") == FIXED
    assert not (customer.root / "shared/new.py").exists()
    assert claimed(report) == "- `shared/new.py` (new)"


def test_a_project_in_a_folder_of_a_repository(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy(folder="platforms/acme")
    customer.commit(claiming("/shared/logging.py"))
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "shared/new.py": "new\n"})

    updated(customer, door)

    assert customer.read("shared/logging.py") == LOGGING
    assert customer.read("shared/new.py") == "new\n"


@pytest.mark.parametrize(
    ("claim", "edit", "result", "named"),
    [
        # Out of a claimed path: the framework needs its file under the new name.
        (
            "/shared/logging.py",
            EDITED,
            {"shared/logging.py": EDITED, "shared/logs/log.py": FIXED},
            "- `shared/logging.py` (renamed to shared/logs/log.py)",
        ),
        # Into a claimed folder: nothing is created there, and an edit stays under the old name.
        (
            "/shared/logs/",
            LOGGING,
            {},
            "- `shared/logs/log.py` (renamed from shared/logging.py)",
        ),
        (
            "/shared/logs/",
            EDITED,
            {"shared/logging.py": EDITED},
            "- `shared/logs/log.py` (renamed from shared/logging.py)",
        ),
    ],
    ids=["out", "in", "in-edited"],
)
def test_a_declared_rename(
    vendor: Vendor,
    copy: Copy,
    door: str,
    claim: str,
    edit: str,
    result: dict[str, str],
    named: str,
) -> None:
    customer = copy()
    customer.commit({**claiming(claim), "shared/logging.py": edit})
    (vendor.root / "releases.toml").write_text(
        '[[release]]\nversion = "1.1.0"\nrenamed = { "shared/logging.py" = "shared/logs/log.py" }\n'
    )
    vendor.release("v1.1.0", {"shared/logging.py": None, "shared/logs/log.py": FIXED})

    report = updated(customer, door)

    found = {
        path: customer.read(path)
        for path in ("shared/logging.py", "shared/logs/log.py")
        if (customer.root / path).exists()
    }
    assert found == result
    assert claimed(report) == named


def test_the_files_of_the_answers_cannot_be_claimed(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit(claiming("/*.toml", "/.copier-answers.yml"))
    vendor.release("v1.1.0", {"platform.toml.jinja": 'name = "{{ customer }}"\nnew = 1\n'})

    report = updated(customer, door)

    assert "_commit: v1.1.0" in customer.read(".copier-answers.yml")
    assert "new = 1" in customer.read("platform.toml")
    section = report.partition("## Claimed in platform.toml without effect")[2]
    assert "- `.copier-answers.yml`\n- `platform.toml`" in section


def test_a_private_file_stays_private(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit(claiming("/.env", "/data/"))
    customer.write({".env": "KEY=secret\n", "data/db": "mine\n"})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "data/db": "theirs\n"})

    report = updated(customer, door)

    assert customer.read(".env") == "KEY=secret\n"
    assert customer.read("data/db") == "mine\n"
    assert "data/db" not in report


def test_a_claimed_lock_file_is_not_rebuilt(vendor: Vendor, copy: Copy, door: str) -> None:
    """Another lock file is, by a set-up that writes both."""
    locks = ("uv.lock", "apps/web/package-lock.json")
    setup = f"for path in {locks}: open(path, 'w').write('rebuilt\\n')\n"
    files = {"scripts/customer-tools/setup.py": setup, **dict.fromkeys(locks, "1\n")}
    vendor.release(
        "v1.1.0", {"pyproject.toml": "a = 1\n", "apps/web/package.json": "{}\n", **files}
    )
    customer = copy(tag="v1.1.0")
    customer.commit({**claiming("/uv.lock"), "apps/web/package.json": '{"mine": 1}\n'})
    customer.commit({"uv.lock": "mine\n", "pyproject.toml": "a = 1\nmine = 1\n"})
    vendor.release(
        "v1.2.0",
        {
            "pyproject.toml": "a = 2\n",
            "apps/web/package.json": '{"new": 2}\n',
            **dict.fromkeys(locks, "2\n"),
        },
    )

    result = customer.update(door)
    if result.code:
        assert customer.platform("resolve", "--use", "framework").code == 0
        done = customer.platform("update", "--continue", "--no-verify")
        assert done.code == 0, done.output

    assert customer.read("uv.lock") == "mine\n"
    assert customer.read("apps/web/package-lock.json") == "rebuilt\n"


def test_what_the_customer_edits_there_meanwhile_lands(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    mine = {"shared/b.py": "mine\n", "uv.lock": "mine\n"}
    customer.commit({**claiming("/shared/logging.py", "/uv.lock"), **mine})
    vendor.release("v1.1.0", {"shared/b.py": "theirs\n"})
    assert customer.update("platform").code == 3
    Customer(customer.root / ".platform-update/project").write(
        {"shared/logging.py": EDITED, "uv.lock": "mine, edited\n"}
    )
    assert customer.platform("resolve", "--use", "yours").code == 0

    result = customer.platform("update", "--continue", "--no-verify")

    assert result.code == 0, result.output
    assert customer.read("shared/logging.py") == EDITED
    assert customer.read("uv.lock") == "mine, edited\n"


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("[ownership\n", "platform.toml of the last commit cannot be used"),
        ('ownership = "mine"\n', "[ownership] is not a table"),
        ('[ownership]\ncustomer = "/shared/"\n', "is not a list of texts"),
        ("[ownership]\ncustomer = [1]\n", "is not a list of texts"),
        ('[ownership]\ncustomers = ["/shared/"]\n', "unknown key customers"),
        ('[ownership]\ncustomer = ["./shared/"]\n', "no path can match"),
        ('[ownership]\ncustomer = ["/shared/[a"]\n', "no path can match"),
        ('[ownership]\ncustomer = [""]\n', "no path can match"),
    ],
)
def test_malformed_claims_are_refused(
    vendor: Vendor, copy: Copy, door: str, text: str, because: str
) -> None:
    customer = copy()
    customer.commit({"platform.toml": text})
    before = customer.snapshot()
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    result = customer.update(door)

    assert result.code != 0
    assert because in result.output
    assert 'customer = ["/apps/web/src/core/conversations/"' in result.output
    assert "Traceback" not in result.output
    assert customer.snapshot() == before
    assert not (customer.root / ".git/platform-update").exists()


def test_an_edit_of_the_ownership_table_is_named(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    table = customer.read(TABLE)
    row = '[[rule]]\nzone = "customer"\npaths = ["/shared/"]\n\n'
    customer.commit({TABLE: table.replace("[[rule]]", f"{row}[[rule]]", 1)})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    report = updated(customer, door)

    assert customer.read("shared/logging.py") == FIXED
    assert f"claim paths in platform.toml, under [ownership]\n\n- `{TABLE}`" in report


def test_a_comment_in_the_ownership_table_is_not_named(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.commit({TABLE: f"# Read this.\n{customer.read(TABLE)}"})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    assert TABLE not in updated(customer, door)

"""Every case in which Copier's own update is known to lose something, through both doors."""

import os
from collections.abc import Callable

from tests.support.updates import FILES, Customer, Vendor

Copy = Callable[..., Customer]
LOGGING = str(FILES["shared/logging.py"])
EDITED = LOGGING.replace("line 2\n", "line 2, mine\n")
FIXED = LOGGING.replace("line 18\n", "line 18, new\n")
BOTH = EDITED.replace("line 18\n", "line 18, new\n")
COMPOSE = "services:\n" + "".join(
    f"  {name}:\n    image: {name}\n    restart: always\n    memory: 1g\n" for name in "abc"
)


def done(customer: Customer, door: str, code: int = 0) -> str:
    result = customer.update(door)
    assert (result.code == 0) == (code == 0), result.output
    assert not any(path.endswith(".platform-update") for path in customer.files())
    return result.output


def test_a_replaced_binary_stays(vendor: Vendor, copy: Copy, door: str) -> None:
    vendor.release("v1.1.0", {"shared/logo.png": b"\x89PNG\0theirs"})
    customer = copy(tag="v1.1.0")
    customer.commit({"shared/logo.png": b"\x89PNG\0mine"})
    vendor.release("v1.2.0", {"shared/logging.py": FIXED})

    done(customer, door)

    assert customer.files()["shared/logo.png"].endswith(b"mine")


def test_a_binary_changed_by_both_is_a_conflict(vendor: Vendor, copy: Copy, door: str) -> None:
    vendor.release("v1.1.0", {"shared/logo.png": b"\x89PNG\0theirs"})
    customer = copy(tag="v1.1.0")
    customer.commit({"shared/logo.png": b"\x89PNG\0mine"})
    vendor.release("v1.2.0", {"shared/logo.png": b"\x89PNG\0new"})

    assert "shared/logo.png" in done(customer, door, code=3)

    assert customer.files()["shared/logo.png"].endswith(b"mine")
    assert customer.platform("resolve", "--use", "framework").code == 0
    assert customer.platform("update", "--continue").code == 0
    assert customer.files()["shared/logo.png"].endswith(b"new")


def test_an_edited_file_that_the_template_drops_is_kept_and_named(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": None})

    assert "shared/logging.py" in done(customer, door)

    assert customer.read("shared/logging.py") == EDITED


def test_edits_follow_a_rename_by_the_template(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": None, "shared/logs.py": FIXED})

    assert "shared/logs.py" in done(customer, door)

    assert customer.read("shared/logs.py") == BOTH
    assert not (customer.root / "shared/logging.py").exists()


def test_a_fix_follows_a_rename_by_the_customer(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": None, "shared/mylogs.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    assert "shared/mylogs.py" in done(customer, door)

    assert customer.read("shared/mylogs.py") == BOTH
    assert not (customer.root / "shared/logging.py").exists()


def test_a_deleted_file_stays_deleted_and_is_named(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": None})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    assert "shared/logging.py" in done(customer, door)

    assert not (customer.root / "shared/logging.py").exists()


def test_an_ignored_env_is_never_touched(vendor: Vendor, copy: Copy, door: str) -> None:
    vendor.release("v1.1.0", {".env": "KEY=\n"})
    customer = copy(tag="v1.1.0")
    customer.write({".env": "KEY=secret\n"})
    vendor.release("v1.2.0", {".env": "KEY=\nOTHER=\n"})

    done(customer, door)

    assert customer.read(".env") == "KEY=secret\n"


def test_an_ignored_file_in_the_way_of_a_new_one_stays(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.commit({".gitignore": str(FILES[".gitignore.jinja"]) + "local.py\n"})
    customer.write({"shared/local.py": "mine\n"})
    vendor.release("v1.1.0", {"shared/local.py": "theirs\n"})

    assert "shared/local.py" in done(customer, door)

    assert customer.read("shared/local.py") == "mine\n"


def test_a_tracked_file_that_is_ignored_keeps_its_edits(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    vendor.release("v1.1.0", {"shared/tracked.rej": LOGGING})
    customer = copy(tag="v1.1.0")
    customer.git("add", "--force", "shared/tracked.rej")
    customer.write({"shared/tracked.rej": EDITED})
    customer.git("commit", "--quiet", "--all", "--message", "edit")
    vendor.release("v1.2.0", {"shared/tracked.rej": FIXED})

    done(customer, door)

    assert customer.read("shared/tracked.rej") == BOTH


def test_bytes_that_are_not_utf8_survive(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    latin = LOGGING.replace("line 2\n", "line 2, caf\xe9\n").encode("latin-1")
    customer.commit({"shared/logging.py": latin})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    done(customer, door)

    merged = (customer.root / "shared/logging.py").read_bytes()
    assert b"line 2, caf\xe9\n" in merged
    assert b"line 18, new\n" in merged


def test_an_edit_of_a_repeated_block_stays_in_its_block(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    vendor.release("v1.1.0", {"compose.yml": COMPOSE})
    customer = copy(tag="v1.1.0")
    head, _, tail = COMPOSE.rpartition("1g")
    customer.commit({"compose.yml": f"{head}8g{tail}"})
    block = "  new:\n    image: new\n    restart: always\n    memory: 1g\n"
    vendor.release("v1.2.0", {"compose.yml": COMPOSE.replace("  b:\n", f"{block}  b:\n")})

    done(customer, door)

    merged = customer.read("compose.yml")
    assert merged.replace(block, "") == f"{head}8g{tail}"


def test_files_named_like_rejects_stay(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": EDITED})
    customer.write({"shared/logging.py.rej": "mine\n", "notes.rej": "notes\n"})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    done(customer, door)

    assert customer.read("shared/logging.py") == BOTH
    assert customer.read("shared/logging.py.rej") == "mine\n"
    assert customer.read("notes.rej") == "notes\n"


def test_a_folder_named_tags_is_removed(vendor: Vendor, copy: Copy, door: str) -> None:
    vendor.release("v1.1.0", {"shared/tags/one.py": "one\n", "RCS/two.py": "two\n"})
    customer = copy(tag="v1.1.0")
    vendor.release("v1.2.0", {"shared/tags/one.py": None, "RCS/two.py": None})

    done(customer, door)

    assert not (customer.root / "shared/tags").exists()
    assert not (customer.root / "RCS").exists()


def test_untracked_files_stay_where_git_does_not_show_them(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.git("config", "status.showUntrackedFiles", "no")
    customer.write({"shared/local.py": "mine\n"})
    vendor.release("v1.1.0", {"shared/local.py": "theirs\n"})

    assert "shared/local.py" in done(customer, door)

    assert customer.read("shared/local.py") == "mine\n"


def test_a_failing_task_can_be_taken_back(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": EDITED})
    before = customer.snapshot()
    vendor.configure(_tasks=[{"command": "exit 9", "when": "{{ _copier_operation == 'update' }}"}])
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    done(customer, "copier", code=1)
    assert customer.platform("update", "--abort").code == 0

    assert customer.snapshot() == before


def test_a_mode_survives_a_conflict(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": LOGGING.replace("line 9\n", "line 9, mine\n")})
    (vendor.root / "template/shared/logging.py").chmod(0o755)
    vendor.release("v1.1.0", {"shared/logging.py": LOGGING.replace("line 9\n", "line 9, new\n")})

    done(customer, door, code=3)
    assert customer.platform("resolve", "--use", "yours").code == 0
    assert customer.platform("update", "--continue").code == 0

    assert os.access(customer.root / "shared/logging.py", os.X_OK)


def test_a_file_replaced_by_a_folder_stays_a_folder(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": None})
    customer.commit({"shared/logging.py/mine.py": "mine\n"})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "shared/other.py": "other\n"})

    assert "shared/logging.py" in done(customer, door)

    assert customer.read("shared/logging.py/mine.py") == "mine\n"
    assert customer.read("shared/other.py") == "other\n"


def test_neighbouring_additions_merge_by_structure(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    old = customer.read("platform.toml")
    customer.commit({"platform.toml": old + "mine = 1\n"})
    template = (vendor.root / "template/platform.toml.jinja").read_text()
    vendor.release("v1.1.0", {"platform.toml.jinja": template + "langgraph = 6200\n"})

    done(customer, door)

    merged = customer.read("platform.toml")
    assert "mine = 1\n" in merged
    assert "langgraph = 6200\n" in merged

"""What every update does, through `platform update` and through `copier update`."""

from collections.abc import Callable

from tests.support.updates import FILES, Customer, Vendor

LOGGING = str(FILES["shared/logging.py"])


def test_an_update_brings_the_framework_and_keeps_the_customer(
    vendor: Vendor, copy: Callable[..., Customer], door: str
) -> None:
    customer = copy()
    customer.commit(
        {
            "shared/logging.py": LOGGING.replace("line 2\n", "line 2, mine\n"),
            "apps/api/src/routes/hello.py": "hello = 2\n",
        }
    )
    vendor.release(
        "v1.1.0",
        {
            "shared/logging.py": LOGGING.replace("line 18\n", "line 18, new\n"),
            "apps/api/src/routes/hello.py": "hello = 3\n",
            "shared/new.py": "new\n",
        },
    )

    result = customer.update(door)

    assert result.code == 0, result.output
    assert customer.read("shared/logging.py") == LOGGING.replace(
        "line 2\n", "line 2, mine\n"
    ).replace("line 18\n", "line 18, new\n")
    assert customer.read("apps/api/src/routes/hello.py") == "hello = 2\n"
    assert customer.read("shared/new.py") == "new\n"
    assert "_commit: v1.1.0" in customer.read(".copier-answers.yml")


def test_a_conflict_is_listed_and_the_exit_code_is_not_zero(
    vendor: Vendor, copy: Callable[..., Customer], door: str
) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": LOGGING.replace("line 9\n", "line 9, mine\n")})
    before = customer.snapshot()
    vendor.release("v1.1.0", {"shared/logging.py": LOGGING.replace("line 9\n", "line 9, new\n")})

    result = customer.update(door)

    assert result.code != 0
    assert "shared/logging.py" in result.output
    if door == "platform":
        assert customer.snapshot() == before
    else:
        assert "<<<<<<< yours\nline 9, mine\n" in customer.read("shared/logging.py")
        assert len(customer.git("ls-files", "--unmerged").splitlines()) == 3

    assert customer.platform("resolve", "--use", "yours").code == 0
    assert customer.platform("update", "--continue").code == 0
    assert "line 9, mine\n" in customer.read("shared/logging.py")
    assert "_commit: v1.1.0" in customer.read(".copier-answers.yml")


def test_copiers_files_of_rejected_changes_go(
    vendor: Vendor, copy: Callable[..., Customer]
) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": LOGGING.replace("line 9\n", "line 9, mine\n")})
    customer.write({"shared/logging.py.rej": "mine\n"})
    vendor.release(
        "v1.1.0",
        {
            "shared/logging.py": LOGGING.replace("line 9\n", "line 9, new\n"),
            "apps/api/src/core/app.py": "app = 0\n",
        },
    )

    result = customer.update("copier", "--conflict", "rej")

    assert result.code != 0 and "meanwhile" not in result.output, result.output
    assert "<<<<<<< yours\nline 9, mine\n" in customer.read("shared/logging.py")
    assert [name for name in customer.files() if name.endswith(".rej")] == ["shared/logging.py.rej"]
    assert customer.read("shared/logging.py.rej") == "mine\n"


def test_an_update_that_git_has_undone_is_over(
    vendor: Vendor, copy: Callable[..., Customer]
) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": LOGGING.replace("line 9\n", "line 9, mine\n")})
    new = {"shared/logging.py": LOGGING.replace("line 9\n", "line 9, new\n")}
    vendor.release("v1.1.0", new | {"shared/new.py": "new\n"})
    before = customer.snapshot()

    for door in ("copier", "platform"):
        assert customer.update("copier").code != 0
        customer.git("reset", "--quiet", "--hard")
        assert customer.snapshot() == before
        result = customer.update(door)
        assert "1 in conflict" in result.output, result.output
        assert customer.platform("update", "--abort").code == 0
        assert customer.snapshot() == before


def test_abort_brings_everything_back_in_the_middle_of_resolving(
    vendor: Vendor, copy: Callable[..., Customer], door: str
) -> None:
    customer = copy()
    customer.commit(
        {
            "shared/logging.py": LOGGING.replace("line 9\n", "line 9, mine\n"),
            "shared/new.py": "mine\n",
        }
    )
    customer.write({".env": "KEY=secret\n"})
    before = customer.snapshot()
    vendor.release(
        "v1.1.0",
        {
            "shared/logging.py": LOGGING.replace("line 9\n", "line 9, new\n"),
            "shared/new.py": "new\n",
            "apps/web/index.html": "<new>",
        },
    )
    assert customer.update(door).code != 0
    assert customer.platform("resolve", "--use", "framework", "shared/new.py").code == 3

    assert customer.platform("update", "--abort").code == 0

    assert customer.snapshot() ^ before == set()

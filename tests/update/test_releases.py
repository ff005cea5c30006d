"""Releases declare what an update cannot guess."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from extensions.update.inputs.project import Project
from tests.support.releases import problems, releases
from tests.support.template import ROOT as REPOSITORY
from tests.support.updates import Customer, Vendor, commit, git
from tests.update.rendering import render


def test_this_repository_declares_its_changes() -> None:
    assert problems(REPOSITORY) == []


def test_the_newest_listed_release_is_the_version_of_the_project() -> None:
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    listed = releases(REPOSITORY)
    assert listed[-1]["version"] == version
    assert all(one["notes"] for one in listed)


def test_every_release_is_in_the_history_of_this_tree() -> None:
    listed = releases(REPOSITORY)
    past = [one for one in listed if one.get("commit")]
    # Only the newest may be on its way.
    assert past == listed or past == listed[:-1]
    for one in past:
        git(REPOSITORY, "merge-base", "--is-ancestor", one["commit"], "HEAD")
        project = tomllib.loads(git(REPOSITORY, "show", f"{one['commit']}:pyproject.toml"))
        assert project["project"]["version"] == one["version"]


def test_a_template_without_tags(vendor: Vendor, copy: Callable[..., Customer]) -> None:
    customer = copy()
    first = git(vendor.root, "rev-parse", "v1.0.0").strip()
    vendor.release("v1.1.0", {"shared/new.py": "new\n"})
    second = git(vendor.root, "rev-parse", "v1.1.0").strip()
    (vendor.root / "releases.toml").write_text(
        f'[[release]]\nversion = "1.0.0"\ncommit = "{first}"\nnotes = "First"\n\n'
        f'[[release]]\nversion = "1.1.0"\ncommit = "{second}"\nnotes = "Second"\n'
    )
    commit(vendor.root)
    git(vendor.root, "tag", "--delete", "v1.0.0", "v1.1.0")
    # What Copier stores where it finds no tag.
    answers = customer.read(".copier-answers.yml")
    customer.commit({".copier-answers.yml": answers.replace("v1.0.0", f"'{first[:7]}'")})

    preview = customer.platform("update", "--preview")
    result = customer.update("platform")

    assert "From v1.0.0 to v1.1.0" in preview.output
    assert result.code == 0, result.output
    assert "_commit: v1.1.0" in customer.read(".copier-answers.yml")
    assert customer.read("shared/new.py") == "new\n"


def test_an_update_that_was_reverted_can_be_made_again(
    vendor: Vendor, copy: Callable[..., Customer], door: str
) -> None:
    customer = copy()
    customer.commit({"apps/api/src/routes/gone.py": "mine\n"})
    customer.commit({"apps/api/src/routes/gone.py": None})
    new = {f"apps/api/src/routes/{name}.py": "example = 1\n" for name in ("gone", "new")}
    vendor.release("v1.1.0", new)
    assert customer.update(door).code == 0
    customer.commit()
    customer.git("revert", "--no-edit", "HEAD" if door == "copier" else "HEAD^")

    result = customer.update(door)

    assert result.code == 0, result.output
    assert customer.read("apps/api/src/routes/new.py") == "example = 1\n"
    assert not (customer.root / "apps/api/src/routes/gone.py").exists()


def test_a_moving_tag_is_no_version(
    vendor: Vendor, copy: Callable[..., Customer], door: str
) -> None:
    customer = copy()
    vendor.release("v1.1.0", {"shared/logging.py": "fixed\n"})
    git(vendor.root, "tag", "--annotate", "--message", "the stable one", "stable")
    git(vendor.root, "tag", "latest")

    customer.updated(door)

    assert "_commit: v1.1.0\n" in customer.read(".copier-answers.yml")


@pytest.fixture
def released(vendor: Vendor) -> Callable[..., list[str]]:
    """Change a template after its release 1.0.0; return the problems of the next one."""
    first = git(vendor.root, "rev-parse", "HEAD").strip()

    def change(
        files: Mapping[str, str | None], questions: Mapping[str, object], declared: str = ""
    ) -> list[str]:
        for name, contents in files.items():
            path = vendor.root / "template" / name
            path.unlink() if contents is None else path.write_text(contents)
        config = yaml.safe_load((vendor.root / "copier.yml").read_text()) | dict(questions)
        config = {name: one for name, one in config.items() if one is not None}
        (vendor.root / "copier.yml").write_text(yaml.safe_dump(config, sort_keys=False))
        (vendor.root / "releases.toml").write_text(
            f'[[release]]\nversion = "1.0.0"\ncommit = "{first}"\nnotes = "a"\n\n'
            f'[[release]]\nversion = "1.1.0"\nnotes = "b"\n{declared}\n'
        )
        return problems(vendor.root)

    return change


GONE = {"shared/logging.py": None}


@pytest.mark.parametrize("declared", ["", 'removed = ["shared/other.py"]'])
def test_a_path_that_is_gone_must_be_declared(
    released: Callable[..., list[str]], declared: str
) -> None:
    assert "shared/logging.py is gone" in " ".join(released(GONE, {}, declared))


def test_a_declared_removal_is_no_problem(released: Callable[..., list[str]]) -> None:
    assert released(GONE, {}, 'removed = ["shared/logging.py"]') == []


def test_a_declared_rename_needs_its_new_file(released: Callable[..., list[str]]) -> None:
    declared = 'renamed = { "shared/logging.py" = "shared/logs.py" }'
    assert "shared/logs.py" in " ".join(released(GONE, {}, declared))


@pytest.mark.parametrize(
    "questions",
    [{"customer": None}, {"customer": {"type": "int"}}, {"web": {"type": "bool", "secret": True}}],
    ids=["removed", "another type", "secret"],
)
def test_a_question_that_changed_needs_a_rule(
    released: Callable[..., list[str]], questions: dict[str, object]
) -> None:
    assert any("question" in problem for problem in released({}, questions))


@pytest.mark.parametrize(("use", "found"), [("desk", True), ("(desk | default(true))", False)])
def test_a_new_question_in_exclude_needs_a_default(
    released: Callable[..., list[str]], use: str, found: bool
) -> None:
    pattern = f"{{% if not {use} %}}/apps/desk{{% endif %}}"
    questions = {"desk": {"type": "bool", "default": True}, "_exclude": [pattern]}
    assert any("new question desk" in one for one in released({}, questions)) == found


def test_a_file_that_becomes_a_template_is_no_problem(
    released: Callable[..., list[str]],
) -> None:
    moved = {"shared/logging.py": None, "shared/logging.py.jinja": "{{ customer }}\n"}
    assert released(moved, {}) == []


@pytest.fixture
def move_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Set the clock of Copier's process to 2099, from the call on."""

    def move() -> None:
        folder = tmp_path / "later"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(
            "import arrow\narrow.now = lambda *_, **__: arrow.Arrow(2099, 1, 2)\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(folder))

    return move


def test_rendered_text_does_not_depend_on_the_clock(
    template: Path,
    generate: Callable[..., Path],
    tmp_path: Path,
    move_clock: Callable[[], None],
) -> None:
    project = Project(generate(tmp_path / "acme"))
    move_clock()

    _, again = render(template, project.answers, tmp_path / "scratch")

    assert again == project.objects.read(project.head)


def test_the_clock_can_be_moved(
    template: Path, tmp_path: Path, move_clock: Callable[[], None]
) -> None:
    """What the test above relies on: a new project would get the later date."""
    move_clock()

    repository, tree = render(template, {}, tmp_path / "scratch")

    answers = repository.blob(tree[".copier-answers.yml"].oid).decode()
    assert "created_on: '2099-01-02'" in answers

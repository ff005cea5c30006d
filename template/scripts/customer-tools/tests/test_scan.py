"""`platform scan` fails on known vulnerabilities, and when it could not look for them."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from platform_tools.check import packages, scan
from platform_tools.errors import PlatformError

LOCK = {
    "packages": {
        "": {"name": "web"},
        "node_modules/vue": {"version": "3.5.0"},
        "node_modules/@nuxt/ui": {"version": "4.0.0"},
        "node_modules/@nuxt/ui/node_modules/vue": {"version": "3.4.0"},
        "node_modules/vite": {"version": "8.0.0", "dev": True},
    }
}
PURLS = ["pkg:npm/vue@3.5.0", "pkg:npm/%40nuxt/ui@4.0.0", "pkg:npm/vue@3.4.0"]
Answer = Callable[[list[str]], Any]


@pytest.fixture
def database() -> Iterator[tuple[str, list[Answer]]]:
    """A stand-in for the database: its address, and a list whose last item answers."""
    answers: list[Answer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server's name
            assert self.path == "/v1/querybatch"
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked = [query["package"]["purl"] for query in body["queries"]]
            answer = answers[-1](asked)
            self.send_response(200 if answer is not None else 500)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", answers
        server.shutdown()


def knowing(*vulnerable: str) -> Answer:
    """A database that knows of these packages."""

    def answer(asked: list[str]) -> Any:
        return {
            "results": [
                {"vulns": [{"id": f"GHSA-{purl}"}]} if purl in vulnerable else {} for purl in asked
            ]
        }

    return answer


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the packages of `LOCK`; uv's part of the document is empty."""
    (tmp_path / "apps/web").mkdir(parents=True)
    (tmp_path / "apps/web/package-lock.json").write_text(json.dumps(LOCK))
    (tmp_path / "pyproject.toml").touch()
    empty = '{"bomFormat": "CycloneDX", "components": [{"name": "platform-api"}]}'
    monkeypatch.setattr(packages, "_export", lambda _: empty)
    return tmp_path


def run(project: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("OSV_URL", address)
    return scan.show(project / "data/sbom.cdx.json", project)


def test_packages_that_run_are_listed_and_looked_up(
    project: Path, database: tuple[str, list[Answer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, answers = database
    answers.append(knowing(*scan.KNOWN))

    assert run(project, address, monkeypatch) == 0

    document = json.loads((project / "data/sbom.cdx.json").read_text())
    assert packages.purls(document) == PURLS


def test_a_known_vulnerability_fails_until_it_is_accepted(
    project: Path,
    database: tuple[str, list[Answer]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address, answers = database
    answers.append(knowing(*scan.KNOWN, PURLS[2]))
    assert run(project, address, monkeypatch) == 1
    assert f"{PURLS[2]}: GHSA-{PURLS[2]}\n" in capsys.readouterr().out

    accept = f'[tool.platform.scan]\naccept = {{ "GHSA-{PURLS[2]}" = "not used" }}\n'
    (project / "pyproject.toml").write_text(accept)

    assert run(project, address, monkeypatch) == 0
    assert "(accepted: not used)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(knowing(), id="knows nothing"),
        pytest.param(knowing(scan.KNOWN[0]), id="knows no npm packages"),
        pytest.param(lambda asked: {"results": [{}] * 3}, id="answers in part"),
        pytest.param(lambda asked: {}, id="answers something else"),
        pytest.param(lambda asked: None, id="fails"),
    ],
)
def test_a_database_that_does_not_answer_fails_the_scan(
    project: Path,
    database: tuple[str, list[Answer]],
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
) -> None:
    address, answers = database
    answers.append(answer)

    with pytest.raises(PlatformError, match="could not look") as raised:
        run(project, address, monkeypatch)

    assert raised.value.code == 2


def test_a_database_that_cannot_be_reached_fails_the_scan(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PlatformError, match="could not look"):
        run(project, "http://127.0.0.1:1", monkeypatch)
    assert (project / "data/sbom.cdx.json").exists()


def test_the_python_packages_come_from_the_lock_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "one"\nversion = "0"\n[dependency-groups]\ndev = []\n'
    )
    with pytest.raises(PlatformError, match=r"uv\.lock cannot be read|uv is not installed"):
        packages.sbom(tmp_path)

"""Edits of a tree of files."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.updates.template_files import EXECUTABLE, FILES


@dataclass
class Tree:
    """Files by path, which of them are executable, and those that git ignores."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    executable: set[str] = field(default_factory=lambda: set(EXECUTABLE))
    ignored: dict[str, bytes] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    def edit(self, path: str, *pairs: tuple[str, str]) -> None:
        """Replace texts, each of which must occur exactly once."""
        text = self.files[path].decode("latin-1")
        for old, new in pairs:
            old, new = (part.encode().decode("latin-1") for part in (old, new))
            assert text.count(old) == 1, f"{path}: {text.count(old)} x {old!r}"
            text = text.replace(old, new)
        self.files[path] = text.encode("latin-1")

    def add(self, path: str, text: str | bytes) -> None:
        self.files[path] = text if isinstance(text, bytes) else text.encode()

    def append(self, path: str, text: str) -> None:
        self.files[path] += text.encode()

    def move(self, old: str, new: str) -> None:
        self.files[new] = self.files.pop(old)
        self.renamed[old] = new


Change = Callable[[Tree], None]
DEV, PROD = "docker-compose.dev.yml", "docker-compose.prod.yml"
APP, AUTH = "apps/api/src/core/app.py", "apps/api/src/core/auth.py"
RUNS, SETTINGS, LOGGING = (
    "apps/langgraph/src/core/runs.py",
    "shared/settings.py",
    "shared/logging.py",
)
CI, ALERTS = ".github/workflows/ci.yml", "deployment/monitoring/alerts.yml"
PACKAGE, LOGO = "apps/web/package.json", "apps/web/src/core/logo.png"
CADDY, LEGACY = "deployment/caddy/Caddyfile", "docs/customer/legacy.txt"
SERVICE = """\
  {name}:
    image: {image}
    ports:
      - "127.0.0.1:{port}:{port}"
    deploy:
      resources:
        limits:
          memory: 512m
    restart: unless-stopped
    init: true
    read_only: true

"""


def service(name: str, image: str, port: int) -> str:
    return SERVICE.format(name=name, image=image, port=port)

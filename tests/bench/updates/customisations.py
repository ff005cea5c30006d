"""What customers do to their project, one thing each."""

import re

from tests.bench.updates.changes import (
    ALERTS,
    APP,
    AUTH,
    CADDY,
    CI,
    DEV,
    LEGACY,
    LOGGING,
    LOGO,
    PACKAGE,
    PROD,
    RUNS,
    SETTINGS,
    Change,
    Tree,
    service,
)


def own_service(tree: Tree) -> None:
    for path in (DEV, PROD):
        tree.edit(path, ("volumes:\n", service("crm", "acme/crm:3", 7000) + "volumes:\n"))
        tree.edit(path, ("  postgres: {}\n", "  postgres: {}\n  crm: {}\n"))


def memory_of_one_service(tree: Tree) -> None:
    for path in (DEV, PROD):
        head, found, rest = tree.files[path].decode().partition("  langgraph:\n")
        tree.add(path, head + found + rest.replace("memory: 512m", "memory: 2g", 1))


def ports_and_registry(tree: Tree) -> None:
    tree.edit(DEV, ('"127.0.0.1:9000:9000"', '"127.0.0.1:9100:9000"'))
    text = tree.files[PROD].decode().replace("registry.example/", "registry.acme.local/")
    tree.add(PROD, text)


def variables_of_a_service(tree: Tree) -> None:
    old = "platform/api:1.0\n    environment:\n      - DATABASE=postgres\n      - LOG_LEVEL=info\n"
    new = old.replace("LOG_LEVEL=info", "LOG_LEVEL=debug") + "      - CRM=http://crm\n"
    tree.edit(DEV, (old, new))


def services_in_another_order(tree: Tree) -> None:
    text = tree.files[DEV].decode()
    web = text[text.index("  web:\n") : text.index("volumes:\n")]
    tree.add(DEV, text.replace(web, "").replace("services:\n", f"services:\n{web}"))


def own_dependencies(tree: Tree) -> None:
    tree.edit("pyproject.toml", ('    "httpx', '    "hvac>=2",\n    "httpx'))
    tree.edit(
        "pyproject.toml", ('    "pydantic>=2.9",\n', '    "pydantic>=2.9",\n    "pymssql>=2",\n')
    )
    tree.edit("pyproject.toml", ('    "ruff>=0.7",\n', '    "ruff>=0.7",\n    "types-hvac",\n'))


def another_version(tree: Tree) -> None:
    tree.edit("pyproject.toml", ("fastapi>=0.115", "fastapi==0.115.6"))
    tree.edit(PACKAGE, ('"vue": "^3.5.0"', '"vue": "3.5.13"'))


def lint_rules(tree: Tree) -> None:
    tree.edit("pyproject.toml", ("line-length = 100", "line-length = 120"))
    tree.edit("pyproject.toml", ('"F", "I"]', '"F", "I", "B"]'))


def own_tool_table(tree: Tree) -> None:
    tree.append("pyproject.toml", '\n[tool.acme]\nteam = "platform"\n')


def own_script_and_package(tree: Tree) -> None:
    tree.edit(
        PACKAGE, ('"build": "vite build",\n', '"build": "vite build",\n    "deploy": "acme",\n')
    )
    tree.edit(PACKAGE, ('"vue": "^3.5.0"\n', '"vue": "^3.5.0",\n    "vue-echarts": "^8.0.0"\n'))


def package_with_tabs(tree: Tree) -> None:
    text = tree.files[PACKAGE].decode().replace('"private": true', '"private": false')
    tree.add(PACKAGE, re.sub(r"(?m)^( +)", lambda m: "\t" * (len(m[1]) // 2), text))


def env_settings(tree: Tree) -> None:
    tree.edit(".env.template", ("=offline", "=openai"), ("6200\n", "6200\nPORTS__CRM=7000\n"))
    tree.edit(".env.template", ("LOG_LEVEL=info\n", "LOG_LEVEL=debug\n# ours\nCRM_URL=\n"))


def ignored_patterns(tree: Tree) -> None:
    tree.append(".gitignore", "*.secret\n/local/\n")


def readme_of_the_company(tree: Tree) -> None:
    tree.edit("README.md", ("# Platform\n", "# Acme's platform\n\nAsk Eva in IT.\n"))
    tree.edit("README.md", ("- docs: documentation\n", "- docs: documentation\n- crm: our CRM\n"))


def make_targets(tree: Tree) -> None:
    tree.append("Makefile", "\ncrm:\n\tpython -m crm\n")
    tree.edit("Makefile", ("test:\n\tpytest\n", "test:\n\tpytest -q\n"))


def ci_step_and_job(tree: Tree) -> None:
    tree.edit(
        CI,
        (
            "        run: make setup\n",
            "        run: make setup\n        env:\n          PROXY: acme\n",
        ),
    )
    tree.append(CI, "  scan:\n    runs-on: acme\n    steps:\n      - uses: actions/checkout@v4\n")


def own_hook(tree: Tree) -> None:
    hook = "      - id: acme\n        entry: acme\n        language: system\n"
    tree.append(".pre-commit-config.yaml", f"  - repo: local\n    hooks:\n{hook}")


def menu_entry(tree: Tree) -> None:
    tree.edit("mkdocs.yml", ("updates.md\n", "updates.md\n  - Acme: acme.md\n"))
    tree.edit("mkdocs.yml", ("site_name: Platform", "site_name: Acme"))


def patched_app(tree: Tree) -> None:
    tree.edit(APP, ("    configure()\n", "    configure()\n    audit('start')\n"))
    tree.edit(APP, ("import check_token\n", "import check_token\nfrom acme.audit import audit\n"))
    tree.edit(APP, ("name = 'api'", "name = 'acme-api'"))


def patched_settings(tree: Tree) -> None:
    tree.edit(SETTINGS, ("TIMEOUT = 30\n", "TIMEOUT = 90  # our models are slow\n"))
    tree.edit(SETTINGS, ("PAGE_SIZE = 50\n", "PAGE_SIZE = 50\nCRM = 'http://crm'\n"))


def patched_auth(tree: Tree) -> None:
    tree.edit(AUTH, ("ALGORITHM = 'HS256'", "ALGORITHM = 'RS256'"))
    tree.edit(AUTH, ("raise PermissionError('no token')", "raise PermissionError('ask IT')"))


def patched_logging(tree: Tree) -> None:
    tree.edit(LOGGING, ("LEVEL = logging.INFO", "LEVEL = logging.DEBUG"))
    tree.append(LOGGING, "\n\ndef to_graylog():\n    return 'gelf'\n")


def patched_runs(tree: Tree) -> None:
    tree.edit(RUNS, ("LIMIT = 10\n", "LIMIT = 40\n"))
    tree.edit(RUNS, ('    """Stop a run."""\n', '    """Stop a run."""\n    print("stop")\n'))


def deleted_demo(tree: Tree) -> None:
    del tree.files["apps/langgraph/src/agents/demo/graph.py"]
    del tree.files["apps/api/src/routes/hello.py"]


def deleted_framework_files(tree: Tree) -> None:
    for path in ("scripts/backup.sh", "docs/customer/updates.md", RUNS):
        del tree.files[path]


def renamed_logging(tree: Tree) -> None:
    tree.move(LOGGING, "shared/acme/logging_setup.py")
    tree.edit(APP, ("shared.logging import", "shared.acme.logging_setup import"))


def own_logo(tree: Tree) -> None:
    tree.add(LOGO, b"ACME\0" * 99)


def own_backup(tree: Tree) -> None:
    tree.append("scripts/backup.sh", "scp backup.sql.gz vault:\n")
    tree.executable.add("Makefile")


def executable_script(tree: Tree) -> None:
    tree.executable.add(CADDY)
    tree.executable.discard("scripts/backup.sh")


def edited_latin1(tree: Tree) -> None:
    tree.edit(LEGACY, ("zweite Zeile", "zweite Zeile, geändert"))


def crlf(tree: Tree) -> None:
    tree.edit(CADDY, ("127.0.0.1:9001", "127.0.0.1:9101"))
    tree.files[CADDY] = tree.files[CADDY].replace(b"\n", b"\r\n")


def own_site(tree: Tree) -> None:
    tree.edit(CADDY, ("platform.acme.example {", "ki.acme.local {\n\ttls internal"))
    tree.append(CADDY, "\ncrm.acme.local {\n\treverse_proxy 127.0.0.1:7000\n}\n")


def reindented_compose(tree: Tree) -> None:
    text = tree.files[DEV].decode().replace("platform/web:1.0", "acme/web:1.0")
    tree.add(DEV, re.sub(r"(?m)^( +)", lambda match: match[1] * 2, text))


def own_files_in_the_way(tree: Tree) -> None:
    tree.add("NOTES.md", "# Our notes\n\nEva: 4711\n")
    tree.add("scripts/restore.sh", "#!/bin/sh\nacme-restore\n")
    tree.add("apps/api/src/custom/crm.py", "CRM = 1\n")


def ignored_files(tree: Tree) -> None:
    tree.append(".gitignore", "/local/\n")
    tree.ignored = {
        ".env": b"MODEL_PROVIDER=openai\nSECRET=4711\n",
        "data/chats.db": b"SQLite\0\1",
        "local/defaults.toml": b"[local]\nverbose = true\n",
    }


def alert_limits(tree: Tree) -> None:
    tree.edit(ALERTS, ("disk_free < 10\n        for: 5m", "disk_free < 25\n        for: 30m"))
    tree.append(
        ALERTS, "      - alert: CrmDown\n        expr: up{job='crm'} == 0\n        for: 1m\n"
    )


def own_zones(tree: Tree) -> None:
    tree.edit("apps/web/src/theme.css", ("blue", "#c00"))
    tree.edit("apps/langgraph/src/agents/demo/graph.py", ("'offline'", "'acme-13b'"))


CUSTOMISATIONS: dict[str, Change] = {
    change.__name__: change
    for change in (
        own_service,
        memory_of_one_service,
        ports_and_registry,
        variables_of_a_service,
        services_in_another_order,
        own_dependencies,
        another_version,
        lint_rules,
        own_tool_table,
        own_script_and_package,
        package_with_tabs,
        env_settings,
        ignored_patterns,
        readme_of_the_company,
        make_targets,
        ci_step_and_job,
        own_hook,
        menu_entry,
        patched_app,
        patched_settings,
        patched_auth,
        patched_logging,
        patched_runs,
        deleted_demo,
        deleted_framework_files,
        renamed_logging,
        own_logo,
        own_backup,
        executable_script,
        edited_latin1,
        crlf,
        own_site,
        reindented_compose,
        own_files_in_the_way,
        ignored_files,
        alert_limits,
        own_zones,
    )
}

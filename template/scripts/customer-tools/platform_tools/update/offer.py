"""Updates on a branch and opens a pull or merge request: what the scheduled workflow runs.

    python -m platform_tools.update.offer

It needs a clone that may push, and from the git host's runner: on GitLab nothing more (push options
open the merge request), on GitHub and Forgejo GITHUB_API_URL, GITHUB_REPOSITORY and TOKEN. The exit
code is that of `platform update`, so conflicts fail the workflow.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

from plumbum import RETCODE, local

from platform_tools.update.bootstrap import find_root
from platform_tools.update.git import Git
from platform_tools.update.report import FOLDER, say


def main() -> int:
    """Update, push the branch, open the request; return the exit code."""
    root = find_root(Path.cwd())
    git = Git(root)
    start, target = git.line("rev-parse", "HEAD"), git.line("branch", "--show-current")
    platform = local[str(Path(sys.executable).with_name("platform"))]
    with local.cwd(str(root)):
        code = platform["update", "--no-verify"] & RETCODE(FG=True)
    if code or git.line("rev-parse", "HEAD") == start:
        return int(code)
    title = git.line("log", "-1", "--format=%s")
    branch = "platform-update-" + title.rpartition(" ")[2]
    if git.line("ls-remote", "origin", f"refs/heads/{branch}"):
        say(f"{branch} has been offered before.")
        return 0
    report = git.line("diff", "--name-only", "--relative", start, "HEAD", "--", FOLDER)
    body = (root / report).read_text(encoding="utf-8")
    options = []
    if "GITLAB_CI" in os.environ:
        for option in ("create", f"target={target}", f"title={title}"):
            options += ["-o", f"merge_request.{option}"]
    git("push", "--quiet", *options, "origin", f"HEAD:refs/heads/{branch}")
    if "GITLAB_CI" not in os.environ:
        _open_request({"title": title, "head": branch, "base": target, "body": body})
    say(f"{title}: offered on the branch {branch}.", "good")
    return 0


def _open_request(request: dict[str, str]) -> None:
    """Create a pull request; GitHub and Forgejo share this part of their APIs."""
    address = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/pulls"
    call = urllib.request.Request(  # noqa: S310  # the runner's own address
        address,
        json.dumps(request).encode(),
        {"Authorization": f"token {os.environ['TOKEN']}", "Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(call, timeout=60).close()  # noqa: S310
    except urllib.error.URLError as error:
        raise SystemExit(f"The branch is pushed, but {address} said: {error}") from None


if __name__ == "__main__":
    sys.exit(main())

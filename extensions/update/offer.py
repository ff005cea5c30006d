"""`platform update --offer`: updates on a branch and opens a pull or merge request.

The scheduled workflow runs this in a clone with the right to push. On GitLab push options open the
merge request; on GitHub and Forgejo the runner sets GITHUB_API_URL, GITHUB_REPOSITORY and TOKEN.
The exit code is that of `platform update`: conflicts fail the workflow, and the request then has
the report alone.
"""

import json
import os
import urllib.error
import urllib.request
from dataclasses import replace

from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.inputs.project import REPORTS
from extensions.update.landing.finish import CONFLICTS
from extensions.update.landing.state import Folder
from extensions.update.objects.git import Git
from extensions.update.report import text as report
from extensions.update.request import Request
from extensions.update.terminal import say
from extensions.update.transaction import abort, update

_RESOLVE = """## To resolve them
Close this request, and run on your machine:

    uv run platform update
    uv run platform resolve
    uv run platform update --continue"""


def offer(copier: CopierWorker, request: Request) -> int:
    """Update, push the branch, open the request; return the exit code."""
    root = request.root
    git = Git(root)
    start, target = git.line("rev-parse", "HEAD"), git.line("branch", "--show-current")
    code = update(copier, replace(request, verify=False))
    if code == CONFLICTS:
        _commit_report(git, Folder(root))
    if git.line("rev-parse", "HEAD") == start:
        return code
    title = git.line("log", "-1", "--format=%s")
    branch = f"platform-update-{title.rpartition(' ')[2]}{'-conflicts' if code else ''}"
    if git.line("ls-remote", "origin", f"refs/heads/{branch}"):
        say(f"Nothing to do: the branch {branch} is there from an earlier run.")
        return code
    path = git.line("diff", "--name-only", "--relative", start, "HEAD", "--", REPORTS)
    body = (root / path).read_text(encoding="utf-8")
    options = []
    if "GITLAB_CI" in os.environ:
        for option in ("create", f"target={target}", f"title={title}"):
            options += ["-o", f"merge_request.{option}"]
    git("push", "--quiet", *options, "origin", f"HEAD:refs/heads/{branch}")
    if "GITLAB_CI" not in os.environ:
        _open_request({"title": title, "head": branch, "base": target, "body": body})
    say(f"{title}: pushed to the branch {branch}, with a request to merge it.", "good")
    return code


def _commit_report(git: Git, folder: Folder) -> None:
    """Replace the unfinished update by a commit of its report alone."""
    state = folder.load()
    if not state:
        raise SystemExit("The unfinished update is gone.")
    plan = state.plan
    abort(folder.root)
    path = report.path_for(plan, git.line("ls-files", "-z").split("\0"))
    place = folder.root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"{report.markdown(plan)}\n{_RESOLVE}\n", encoding="utf-8")
    git("add", "--force", "--", path)
    title = f"Conflicts in the platform's update from {plan.old} to {plan.new}"
    git("commit", "--quiet", "-m", title, "--", path)


def _open_request(request: dict[str, str]) -> None:
    """Create a pull request; GitHub and Forgejo share this part of their APIs."""
    address = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/pulls"
    call = urllib.request.Request(  # the address is the runner's
        address,
        json.dumps(request).encode(),
        {"Authorization": f"token {os.environ['TOKEN']}", "Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(call, timeout=60).close()
    except urllib.error.URLError as error:
        raise SystemExit(
            f"The branch is pushed, but the request could not be opened: {address}: {error}"
        ) from None

"""Customisations x releases of a template, through every way to update.

python -m tests.bench.updates.corpus [--show TOOL] [--only CUSTOMISATION]
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.bench.measuring import table
from tests.bench.updates.changes import Tree
from tests.bench.updates.customisations import CUSTOMISATIONS
from tests.bench.updates.evolutions import EVOLUTIONS
from tests.bench.updates.judging import judge, lost_changes
from tests.bench.updates.tools import TOOLS, Corpus, changed, clean, use_environment

WORDS = ("clean", "conflict", "lost", "broken", "failed")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--show", action="append", default=[], help="list this tool's cells")
    parser.add_argument("--only", action="append", help="only this customisation")
    parser.add_argument("--tool", action="append", help="only this tool")
    arguments = parser.parse_args()
    use_environment()
    wanted = {name: CUSTOMISATIONS[name] for name in arguments.only or CUSTOMISATIONS}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        base = Tree()
        corpus = Corpus(Path(folder), base, EVOLUTIONS)
        for tool in arguments.tool or TOOLS:
            counts: Counter[str] = Counter()
            for name, change in wanted.items():
                ours = changed(base, change)
                for evolution, theirs in corpus.theirs.items():
                    word, details, missed = one_cell(corpus, tool, ours, evolution, theirs)
                    counts[word] += 1
                    counts["missed"] += bool(missed)
                    if tool in arguments.show and word != "clean":
                        print(f"{word}: {name} x {evolution}: {details[:4]}", flush=True)
                    if tool in arguments.show and missed:
                        print(f"missed: {name} x {evolution}: {missed[:4]}", flush=True)
            rows.append((tool, *(counts[word] for word in (*WORDS, "missed"))))
            print(f"{tool}: done", file=sys.stderr)
    cells = len(wanted) * len(EVOLUTIONS)
    table(
        f"{len(wanted)} customisations x {len(EVOLUTIONS)} releases = {cells} cells. Lost: a change"
        " of the customer's is neither in the result nor in a conflict nor in the report. Broken: a"
        " file does not parse. Missed: the same as lost, for the template's changes.",
        ("update by", *WORDS, "missed"),
        rows,
    )


def one_cell(corpus, tool, ours, evolution, theirs):
    try:
        result = TOOLS[tool](corpus, "cell", ours, evolution)
    finally:
        clean(corpus.folder, "cell")
    word, details = judge(corpus.base, ours, theirs, result)
    missed = [] if result.failed else list(lost_changes(corpus.base, theirs, ours, result))
    return word, details, missed


if __name__ == "__main__":
    main()

"""Updates that lose nothing: Copier renders, git merges, the ownership table decides.

Commands
    engine              runs the request of a project's starter (request)
    transaction         an update from start to end, `--continue`, `--abort`
    preview, resolve    `--preview`; `platform resolve`
    offer, moving       `--offer`, the scheduled update; `--source`, the template's new address
    copier_hook         the update under `copier update` (migrations in copier.yml)
    environment         the Python environment of the engine

From two versions to a plan
    planning            renders, merges and compares: the request becomes a plan
    inputs              the project, the template, its releases rendered, the ownership table
    merging             base, yours and the framework's trees to one result, by zones, line
                        endings, lines (git) and structure (TOML, YAML, JSON, …)
    report              the plan, and its text for people

From a plan to the project
    landing             the unfinished update's state, verification, the commit, the files, the
                        index; safe against a kill at any moment

Below
    objects             git, its objects and trees
    typed               dataclasses as JSON and back
    terminal, errors    messages
"""

"""Updates that lose nothing: Copier renders, git merges, this package decides whose a path is.

What happens
    cli, bootstrap      the commands; they run the engine of the version that is updated to
    engine              that version's own entry
    transaction         an update from start to end, `--continue`, `--abort`
    copier_hook         the same for `copier update` (migrations in copier.yml)
    resolve             works through conflicts
    offer, moving       the scheduled update; where the template is
    mergedriver         the structured merges for the customer's own git merge

From two versions to a plan
    project, source     the customer's project and the vendor's template
    render              a release and answers to a git tree
    ownership           whose a path is
    merge               base, yours and the framework's trees to one result, by
                        split (zones), endings (CRLF), lines (git), structured (TOML, YAML, …)
    plan, report        what an update does, file by file: for the update, for people

From a plan to the project
    state               the folder of an unfinished update
    checks              lock files and `platform verify`, in the new project
    result              the commit, and the files that land
    landing, index      files and git's index, replaced safely against a kill at any moment
    git, trees, pack    git, in bytes; git's objects
"""

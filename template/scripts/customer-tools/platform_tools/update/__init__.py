"""Updates that lose nothing: Copier renders, git merges, this package decides whose a path is.

source       the vendor's template: where it is, its releases
render       a release and answers to a git tree
ownership    whose a path is
trees, git   git objects, in a repository of the update's own
merge        base, yours and the framework's trees to one result
plan         what an update will do, file by file (also the preview)
report       the plan for people
state        the folder of an unfinished update
landing      the result into the project's files, safe against a kill at any moment
transaction  an update from start to end, `--continue`, `--abort`
copier_hook  the same for `copier update` (migrations in copier.yml)
resolve      works through conflicts
bootstrap    runs the engine of the version that is updated to
cli          the commands
"""

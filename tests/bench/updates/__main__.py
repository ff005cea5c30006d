"""All benchmarks of updates but `merges`, which needs clones of public repositories."""

from tests.bench.updates import corpus, timing

corpus.main()
timing.main()

"""The native protocol: the name of an agent is its address.

    curl -X POST localhost:6200/marketing-swarm/generate \\
         -H 'content-type: application/json' -d '{"prompt": "…"}'
"""

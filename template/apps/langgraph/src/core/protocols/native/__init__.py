"""The native protocol: the name of an agent is its address.

    curl -X POST 127.0.0.1:6200/marketing-swarm/generate \\
         -H 'content-type: application/json' -d '{"prompt": "…"}'
"""

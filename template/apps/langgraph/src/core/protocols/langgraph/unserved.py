"""Routes of the protocol that this service does not offer, each with the reason."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from apps.langgraph.src.core.security.identity import current_user

FOLDERS = "Agents are folders of apps/langgraph/src/agents: change them there."
CRONS = "There are no crons here: start runs from your scheduler."
STORE = "There is no store here: keep data of agents in their state or in a database."
PRUNE = "Threads are not pruned here: delete them one after the other."
STREAM = "Only runs are streamed here: use runs.stream, or runs.join_stream for a running one."

REASONS = {
    "/assistants/{name}": FOLDERS,
    "/assistants/{name}/versions": FOLDERS,
    "/assistants/{name}/latest": FOLDERS,
    "/runs/crons": CRONS,
    "/runs/crons/{rest:path}": CRONS,
    "/store/{rest:path}": STORE,
    "/threads/prune": PRUNE,
    "/threads/{thread_id}/commands": STREAM,
    "/threads/{thread_id}/runs/crons": CRONS,
    "/threads/{thread_id}/stream": STREAM,
    "/threads/{thread_id}/stream/{rest:path}": STREAM,
}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

router = APIRouter(dependencies=[Depends(current_user)], include_in_schema=False)


def _refuse(reason: str) -> Callable[[], Awaitable[JSONResponse]]:
    async def refuse() -> JSONResponse:
        return JSONResponse({"detail": reason}, 404)

    return refuse


for path, reason in REASONS.items():
    router.add_api_route(path, _refuse(reason), methods=METHODS)

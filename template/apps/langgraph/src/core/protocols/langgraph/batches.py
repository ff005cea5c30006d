"""Several runs in one request: start and cancel."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import Field

from apps.langgraph.src.core.protocols.dependencies import CurrentRunner
from apps.langgraph.src.core.protocols.errors import STARTS_RUN, problems
from apps.langgraph.src.core.protocols.json_route import JsonRoute
from apps.langgraph.src.core.protocols.langgraph import schemas
from apps.langgraph.src.core.protocols.langgraph.run_responses import to_run
from apps.langgraph.src.core.protocols.langgraph.starting import start_run
from apps.langgraph.src.core.protocols.responses import JsonResponse
from apps.langgraph.src.core.runs.rollback import roll_back
from apps.langgraph.src.core.security.identity import CurrentUser
from apps.langgraph.src.core.security.limits import count_run

router = APIRouter(prefix="/runs", tags=["runs"], route_class=JsonRoute)


@router.post("/batch", response_model=list[schemas.Run], responses=problems(*STARTS_RUN))
async def create_runs(
    body: Annotated[list[schemas.RunCreate], Field(max_length=100)],
    request: Request,
    user: CurrentUser,
    runner: CurrentRunner,
) -> Response:
    """Start runs in the background, each on a new thread; those before a refused one are kept."""
    runs = []
    for one in body:
        await count_run(request, user)
        runs.append(to_run(await start_run(runner, user, one)))
    return JsonResponse(runs)


@router.post("/cancel", status_code=204, responses=problems(404, 409, 413, 503))
async def cancel_runs(
    body: schemas.RunsCancel,
    user: CurrentUser,
    runner: CurrentRunner,
    action: Literal["interrupt", "rollback"] = "interrupt",
) -> None:
    """Cancel the user's active runs: some of a thread, or all that wait, execute, or both."""
    runs = await runner.storage.runs.active_of(user.id)
    if body.status is None:
        asked = {str(run_id) for run_id in body.run_ids or ()}
        thread_id = str(body.thread_id)
        runs = [run for run in runs if run.run_id in asked and run.thread_id == thread_id]
    elif body.status != "all":
        runs = [run for run in runs if run.status == body.status]
    if not runs:
        raise HTTPException(404, "No runs found to cancel.")
    # Newest first: a waiting run must not start when the one before it ends.
    for run in runs:
        if action == "rollback":
            await roll_back(runner, run)
        else:
            await runner.cancel(run.run_id)

"""Language models: which one an agent uses, and what it costs."""

from apps.langgraph.src.core.models.offline import OfflineChatModel
from apps.langgraph.src.core.models.providers import get_model
from apps.langgraph.src.core.models.usage import Usage, UsageRecorder

__all__ = ["OfflineChatModel", "Usage", "UsageRecorder", "get_model"]

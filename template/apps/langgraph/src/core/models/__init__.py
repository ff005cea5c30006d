"""Language models: which one an agent uses, and what it costs."""

from .offline import OfflineChatModel
from .providers import get_model
from .usage import Usage, UsageRecorder

__all__ = ["OfflineChatModel", "Usage", "UsageRecorder", "get_model"]

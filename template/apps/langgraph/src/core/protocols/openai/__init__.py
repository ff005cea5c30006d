"""OpenAI's chat completions: every agent is a model.

Requests contain the whole conversation, so each is a run on a new thread.
https://platform.openai.com/docs/api-reference/chat
"""

"""Conversations with agents: prompts, replies, interrupts and decisions."""

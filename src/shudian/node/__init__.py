"""Engines that order messages into blocks, keep them, and drive the projector."""

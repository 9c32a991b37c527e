"""The WebSocket protocol, subscriptions, and the delivery of pushes to viewers."""

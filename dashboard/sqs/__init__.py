"""Publish and receive messages: SNS topics, SQS queues and their batches."""

"""Invoke the functions' handlers, as Lambda does."""

from chalicelib.functions import aggregate as _aggregate
from chalicelib.functions import connect as _connect
from chalicelib.functions import disconnect as _disconnect
from chalicelib.functions import ingest as _ingest
from chalicelib.functions import message as _message
from chalicelib.functions import publish as _publish
from chalicelib.functions import watch as _watch


def ingest(event, context=None):
    return _ingest.handler(event, context)


def aggregate(event):
    return _aggregate.handler(event)


def publish(event):
    return _publish.handler(event)


def watch(event):
    return _watch.handler(event)


def connect(event):
    return _connect.handler(event)


def message(event):
    return _message.handler(event)


def disconnect(event):
    return _disconnect.handler(event)

"""Labelled campaigns: opens and clicks of people and bots, with the truth about each.

`campaign.generate` returns a campaign; `parameters.py` holds its numbers with their sources, and
the perturbations. The generator describes what senders, readers, proxies and scanners do. It does
not import the rules that it tests.
"""

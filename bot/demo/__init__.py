"""The embedded demo: sample feeds written for this project, served on loopback and polled over HTTP, and
a Slack of our own on loopback whose channels are drawn in the terminal.

Everything between the two is the real thing: fetcher, parsers, reader, Store, outbox, cards and Slack's
own client library. Only the clock is staged: the tour plays in March 2021.
"""

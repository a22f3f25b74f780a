"""The real service, killed and mistreated, and a count of what it owed against what it said.

`process` is the service in a process of its own, `nursery` where such processes start, `town` what it lives in and the model of
what is owed, `weather` what goes wrong around it, `storm` the run that starts, kills and restarts it, `count` the count from both sides.
From the shell:
`python -m tests.chaos --kills 200 [--postgres]`; in the suite `test_chaos`.
"""

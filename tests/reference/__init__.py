"""The brute force: the tracing rules once more, as plainly and slowly as they can be written down.

Written from tracing-rules.md and messages.md alone; it imports nothing of `streams` or `schemas`, so that an error in
decoding, in the rules or in the state shows as a difference. Sets, loops and exact fractions, no numpy, no cleverness:
whoever doubts a line reads the rule that it names.

    records.py     what comes in: a record of any input topic
    fields.py      JSON, texts and times, checked as messages.md says (rule 1)
    messages.py    the fields of each message
    winners.py     who wins among the records of one key
    policies.py    rule 9
    acceptance.py  rule 1: which scans count, what is rejected and why
    codes.py       rule 2: what a code stands for, pseudonyms
    people.py      rule 2: several codes of one person; vaccinations, erasures and holds
    spans.py       half-open spans of seconds
    pieces.py      rule 3
    window.py      rule 4
    exposure.py    rule 5
    secondary.py   rule 6
    score.py       rule 7
    life.py        rule 8: what stands, what is held, alerts, clusters
    counters.py    rule 11
    answer.py      all of it: a set of records → what must stand
"""

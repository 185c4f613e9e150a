"""A made-up province: venues of every type, people with routines, their scans of a day, and some cases.

Everything is drawn with whole numbers from a named bit generator (`draws`), so one seed gives the same bytes on every
machine. No code in it can be anyone's: see `people`.
"""

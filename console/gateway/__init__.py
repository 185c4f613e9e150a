"""The reference gateway: scans over HTTP into a spool on disk, and from there to Kafka, whether it is there or not.

`frames` what a spool file holds · `segments` its files · `cursor` how far it was published · `committing` into them ·
`spool` the whole of it · `intake` from a request to records · `buckets` the rate limit · `publisher` to Kafka ·
`server`, `page` HTTP · `options` its settings ·
`running` all of it as one process.
"""

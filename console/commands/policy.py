"""`truyvet policy publish`, `list`, `diff`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from console.tables import as_json, count, table
from console.trouble import Trouble, WrongUse, kafka_at, load_settings, redis_at

if TYPE_CHECKING:
    from console.policies import Known, PolicyFile
    from streams.rules.policy import Policy
    from streams.runtime.settings import Settings


@click.group(short_help="The figures that decide: publish, list, compare.")
def command() -> None:
    """Policies: the figures of the tracing rules, each from a day on.

    A case is judged by the newest policy in force on the day of its first report. A policy never changes: what is to be
    different gets another id.
    """


@command.command(short_help="Send a policy to the workers.")
@click.argument("file", metavar="FILE.toml", type=click.Path(exists=True, dir_okay=False))
@click.option("--by", metavar="WHO", help="Who decided it. Default: your name on this machine.")
@click.option(
    "--reason", default="published with truyvet", metavar="TEXT", show_default=True, help="For the audit log."
)
@click.option("--json", "json_", is_flag=True, help="Print the id, and whether it was sent, as JSON.")
def publish(file: str, by: str | None, reason: str, json_: bool) -> None:
    """Publish a policy, after a line in the audit log. Every case that it decides about is evaluated again.

    Ends with 1, and sends nothing, where its id is known with other figures. `truyvet whatif FILE.toml` shows before
    what it would do.
    """
    from console.desk import who
    from console.policies import read_file

    read = read_file(file)
    settings = load_settings()
    with kafka_at(settings), redis_at(settings):
        sent = asyncio.run(_publish(settings, read, who(by), reason))
    if json_:
        as_json({"id": read.policy.id, "in_force_from": read.policy.in_force_from.isoformat(), "sent": sent})
    elif sent:
        click.echo(f"policy {read.policy.id} sent, in force from {read.policy.in_force_from}")
    else:
        click.echo(f"policy {read.policy.id} is known with the same figures; nothing sent")


async def _publish(settings: Settings, read: PolicyFile, by: str, reason: str) -> bool:
    """Whether it was sent: not where it is known already."""
    from console.auditing import auditor, open_log
    from console.policies import differences
    from console.publishing import send_keyed
    from schemas.policy import decode_policy
    from schemas.problem import Problem
    from streams.steps.audit import CodeInAudit, NotAudited

    policy = read.policy
    for had in (await _known(settings)).policies:
        if had.id == policy.id:
            differ = differences(had, policy)
            if not differ:
                return False
            raise Trouble(
                f"id {policy.id} is known with other figures ({', '.join(name for name, _, _ in differ[:5])}"
                f"{' …' if len(differ) > 5 else ''}): give this one another id"
            )
    checked = decode_policy(read.message)
    if isinstance(checked, Problem):
        raise WrongUse(f"this policy would be rejected: {checked.detail}")
    async with open_log(settings) as log:
        try:
            await auditor(log).write("policy", by, policy.id, reason)
        except CodeInAudit as wrong:
            raise WrongUse(f"--{wrong}") from None
        except NotAudited as failed:
            raise Trouble(f"no audit, no policy: {failed}") from None
    await send_keyed(settings, "policies", [(policy.id, read.message)])
    return True


@command.command("list", short_help="Those that are known.")
@click.option("--json", "json_", is_flag=True, help="JSON, one policy a line, with all its figures.")
def list_(json_: bool) -> None:
    """The policies that the workers go by, oldest first: those built in or in the folder of TRUYVET_POLICIES, and those
    that came by the topic `policies`. The one that decides about cases reported today is marked."""
    import time

    from console.policies import figures

    settings = load_settings()
    with redis_at(settings):
        known = asyncio.run(_known(settings))
    today = known.policies.of_time(int(time.time())).id
    rows = []
    for policy in known.policies:
        came = "topic" if policy.id in known.by_topic else "file"
        if json_:
            as_json({**figures(policy), "came_by": came, "today": policy.id == today})
        rows.append((policy.id, policy.in_force_from, came, "today" if policy.id == today else "", policy.source))
    if not json_:
        table(count(len(rows), "policy", "policies"), ("id", "in force from", "came by", "", "source"), rows)


@command.command(short_help="What differs between two.")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@click.option("--json", "json_", is_flag=True, help="JSON: {figure: [of A, of B]}.")
def diff(one: str, other: str, json_: bool) -> None:
    """The figures in which two policies differ. A and B are ids of known policies, or TOML files."""
    from console.policies import differences

    settings = load_settings()
    with redis_at(settings):
        policies = asyncio.run(_both(settings, one, other))
    found = differences(*policies)
    if json_:
        as_json({name: [mine, theirs] for name, mine, theirs in found})
    elif found:
        table(count(len(found), "figure"), ("figure", *(policy.id for policy in policies)), found)
    else:
        click.echo("No figure differs.")


async def _both(settings: Settings, *names: str) -> tuple[Policy, Policy]:
    from console.policies import read_file

    known: Known | None = None
    found: list[Any] = []
    for name in names:
        if name.endswith(".toml"):
            found.append(read_file(name).policy)
            continue
        known = known or await _known(settings)
        try:
            found.append(known.policies.by_id(name))
        except KeyError:
            raise Trouble(f"there is no policy {name}: see `truyvet policy list`, or give a file *.toml") from None
    return found[0], found[1]


async def _known(settings: Settings) -> Known:
    from console.policies import known
    from console.stores import open_store

    async with open_store(settings) as store:
        return await known(settings, store)

"""python -m tests.simulation SEED [--trace] [--drop 3,4]    one history again, with everything that happened in it
python -m tests.simulation --from A --count N [--all] [--shrink]    many; ends at the first that fails, or not (--all)
python -m tests.simulation --control NAME --count N                 with one order of the code turned round
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator

from tests.simulation.controls import CONTROLS
from tests.simulation.history import Options
from tests.simulation.redis import private_server
from tests.simulation.running import Failure, run_history, run_seeds, shrink


def main() -> int:
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of a set of texts hangs on it, and the order of effects on that: without it no seed repeats.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seed", nargs="?", type=int)
    parser.add_argument("--trace", action="store_true", help="print every effect")
    parser.add_argument("--drop", default="", help="messages to leave out, by their place in the order of sending")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, help="begin no new history after so long")
    parser.add_argument("--all", action="store_true", help="go on after a failure")
    parser.add_argument("--shrink", action="store_true", help="leave out messages of a failed history")
    parser.add_argument("--control", choices=sorted(CONTROLS), help="a negative control: must be caught")
    args = parser.parse_args()
    options = Options(dropped=frozenset(int(n) for n in args.drop.split(",") if n))
    if args.control:
        options = CONTROLS[args.control]
    with private_server() as server:
        if args.seed is not None:
            history, failure = run_history(args.seed, server, options)
            if args.trace:
                print("\n".join(history.trace_lines()))
            print(failure.text() if failure else f"seed {args.seed}: {history.describe()}: everything held")
            return 1 if failure else 0

        def report(failure: Failure) -> bool:
            print((shrink(failure, server, options) if args.shrink else failure).text(), flush=True)
            return bool(args.all)

        begin = time.monotonic()

        def seeds() -> Iterator[int]:
            for seed in range(args.first, args.first + args.count):
                if args.seconds and seed > args.first and time.monotonic() - begin > args.seconds:
                    return
                yield seed

        tally, failures = run_seeds(seeds(), server, options, report)
    print(f"{tally}, {len(failures)} failed, {time.monotonic() - begin:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

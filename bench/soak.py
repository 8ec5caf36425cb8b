#!/usr/bin/env python3
"""Steady load for a while: what must stay as it is, does it? The programs and the disk are those of loop.py; audits are asked
for at a steady rate, round after round over all cards.

usage: bench/soak.py PROGRAMS [--minutes N] [--rate R] [--cards N] [--data FOLDER]

Judged after the first quarter of the rounds and 40,000 operations, in which caches fill, for each program: its own memory (RssAnon) grows by less
than 16 octets an operation, which is less than the smallest piece that malloc() gives; it has as many descriptors as before;
of the server also: the write-ahead log is no larger than in the first half, and the p99 of requests has not doubled. Ends with
7 when one of these does not hold, with 1 when operations did not end as they should."""
import argparse, json, os, shutil, statistics, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from loop import Failed, Loop, until  # noqa: E402

OCTETS_PER_OPERATION = 16
WARM_UP = 40000  # operations
LEAST = 8  # rounds that are judged


def slope(xs, ys):
    """Of the straight line through the points: least squares."""
    x, y = statistics.fmean(xs), statistics.fmean(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum((a - x) ** 2 for a in xs)


def halves(values):
    return values[:len(values) // 2], values[len(values) // 2:]


class Soak(Loop):
    def look(self):
        """What each program holds now."""
        seen = {}
        for program in self.running:
            folder = f"/proc/{program.process.pid}"
            with open(folder + "/status") as file:
                memory = next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
            seen[program.name] = (memory * 1024, len(os.listdir(folder + "/fd")))
        data = os.path.join(self.folder, "data")
        return seen, sum(os.path.getsize(os.path.join(data, name)) for name in os.listdir(data) if name.endswith("-wal"))

    def round(self, path):
        answer = json.loads(self.tool("bench_requests", self.address, "50", str(self.options.rate), path))
        if answer["codes"] != {"202": self.options.cards}:
            raise Failed(f"requests: {answer['codes']}")
        until("the end of the round's operations", 300, self.is_quiet, 0.5)
        return answer["p99"]

    def run(self):
        path = self.requests("audit", [(card, {}) for card in self.cards])
        end, rounds = time.monotonic() + 60 * self.options.minutes, []
        warm_up = -(-WARM_UP // self.options.cards)
        while time.monotonic() < end or len(rounds) < warm_up + LEAST:
            p99 = self.round(path)
            seen, log = self.look()
            rounds.append((seen, log, p99))
            print(f"{len(rounds) * self.options.cards} operations, p99 {p99:.1f} ms, log {log >> 10} KiB; " + "; ".join(
                f"{name} {memory >> 10} KiB, {files} files" for name, (memory, files) in seen.items()), flush=True)
        total = self.api.get("/operations", "type=audit&outcome=done&perPage=1")["pagination"]["totalCount"]
        if total < len(rounds) * self.options.cards:
            raise Failed(f"{total} audits done of {len(rounds) * self.options.cards}")
        return self.judge(rounds[max(warm_up, len(rounds) // 4):])

    def judge(self, rounds):
        wrong = []
        for name in rounds[0][0]:
            memory = [seen[name][0] for seen, _, _ in rounds]
            grows = slope([n * self.options.cards for n in range(len(rounds))], memory)
            early, late = halves([seen[name][1] for seen, _, _ in rounds])
            print(figure("soak.growth", round(grows, 2), "octets an operation", "memory of " + name))
            if grows >= OCTETS_PER_OPERATION:
                wrong.append(f"{name} grows by {grows:.1f} octets an operation")
            if max(late) > max(early):
                wrong.append(f"{name} has {max(late)} files open, and had {max(early)}")
        early, late = halves([log for _, log, _ in rounds])
        if max(late) > 1.5 * max(early):
            wrong.append(f"the write-ahead log has {max(late)} octets, and had {max(early)}")
        early, late = halves([p99 for _, _, p99 in rounds])
        ratio = statistics.median(late) / statistics.median(early)
        print(figure("soak.p99", round(ratio, 2), "ratio", "the second half of a steady load to the first"))
        if ratio > 2:
            wrong.append(f"the p99 of requests is {ratio:.1f} times what it was")
        print("figure " + json.dumps({"name": "soak.operations", "value": len(rounds) * self.options.cards,
                                      "unit": "operations"}))
        for line in wrong:
            print("GROWS: " + line)
        return 7 if wrong else 0


def figure(name, value, unit, what):
    return "figure " + json.dumps({"name": name, "value": value, "unit": unit, "what": what})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", help="folder of the programs, build/release/bin")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=int, default=500, help="operations a second, well below what two cores can do")
    parser.add_argument("--cards", type=int, default=5000)
    parser.add_argument("--data", help="folder on the disk (default: the system's for temporary files)")
    options = parser.parse_args()
    options.clients, options.spread = 100, 5
    folder = tempfile.mkdtemp(dir=options.data)
    soak = Soak(options, folder)
    try:
        soak.start()
        soak.load()
        soak.first_contact()
        status = soak.run()
    except Failed as why:
        print(f"failed: {why}", file=sys.stderr)
        status = 1
    finally:
        soak.stop()
        shutil.rmtree(folder)
    sys.exit(status)


if __name__ == "__main__":
    main()

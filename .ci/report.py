"""Shows the output of `go test -json` as it comes and sums it up.

report.py NAME            reads the stream; fails if a test failed, or was
                          skipped for want of something the machine should have
report.py --sum NAME...   adds up what earlier runs found

A skip is in order only where the test says that it is "not for" this system.
"""

import json
import os
import sys
import tempfile

COUNTS = os.path.join(tempfile.gettempdir(), "filemap-ci-%s.json")
OUTCOMES = ("pass", "fail", "skip")
SLOWEST = 25  # tests that are named with what they took


def read(stream):
    counts = dict.fromkeys(OUTCOMES, 0)
    output, problems, times = {}, [], []
    for line in stream:
        try:
            event = json.loads(line)
        except ValueError:
            print(line, end="")
            continue
        key = (event.get("Package"), event.get("Test"))
        action, text = event["Action"], event.get("Output", "")
        if action in ("output", "build-output"):
            output[key] = output.get(key, "") + text
            if key[1] is None and not text.startswith(("PASS", "===", "coverage", "\t")):
                print(text, end="")
            elif "figures:" in text:
                print(text.strip())
        elif action in ("fail", "build-fail"):
            problems.append("FAILED %s %s\n%s" % (*key, output.get(key, "")))
        elif action == "skip" and key[1] and "not for" not in output.get(key, ""):
            problems.append("SKIPPED %s %s\n%s" % (*key, output.get(key, "")))
        if action in OUTCOMES and key[1]:
            counts[action] += 1
            if "/" not in key[1]:
                times.append((event.get("Elapsed", 0), key[1]))
    return counts, problems, sorted(times, reverse=True)


def show(name, counts):
    print("%s: %d passed, %d failed, %d skipped" % (name, *(counts[o] for o in OUTCOMES)))


def main(arguments):
    if arguments[0] == "--sum":
        total = dict.fromkeys(OUTCOMES, 0)
        for name in arguments[1:]:
            with open(COUNTS % name) as file:
                for outcome, n in json.load(file).items():
                    total[outcome] += n
        print("%d passed, %d failed, %d skipped" % tuple(total[o] for o in OUTCOMES))
        return 0
    name = arguments[0]
    counts, problems, times = read(sys.stdin)
    with open(COUNTS % name, "w") as file:
        json.dump(counts, file)
    for problem in problems:
        print(problem)
    print("slowest: " + ", ".join("%s %.0f s" % (test, took) for took, test in times[:SLOWEST]))
    show(name, counts)
    return 1 if problems or not counts["pass"] else 0


sys.exit(main(sys.argv[1:]))

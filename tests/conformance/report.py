#!/usr/bin/env python3
"""Summary of a critest run, from ginkgo's JSON report.

usage: report.py REPORT SKIPS [FOCUS...]
  SKIPS   file with the names of the specs that the run left out
  FOCUS   the regular expressions that chose the specs

Exit status 1 when a spec failed, or none ran.
"""
import json
import re
import sys
import textwrap


def main():
    report, skips, focus = sys.argv[1], lines(sys.argv[2]), sys.argv[3:]
    passed, failed, skipped = [], [], []
    unknown = set(skips)
    for suite in json.load(open(report)):
        for spec in suite["SpecReports"]:
            name = " ".join([*(spec["ContainerHierarchyTexts"] or []), spec["LeafNodeText"]])
            unknown.discard(name)
            if spec["State"] == "passed":
                if spec["LeafNodeType"] == "It":
                    passed.append(name)
            elif spec["State"] in ("skipped", "pending"):
                reason = spec.get("Failure", {}).get("Message")
                if name in skips and chosen(name, focus):
                    skipped.append((name, "listed in skip.txt"))
                elif reason:
                    skipped.append((name, reason))
            else:
                failed.append((name or spec["LeafNodeType"], spec["State"], spec.get("Failure", {})))
    for name in unknown:
        failed.append((name, "no such spec", {"Message": "skip.txt names it"}))
    for name, reason in skipped:
        print(f"skipped: {name}\n    {reason}")
    for name, state, failure in failed:
        where = failure.get("FailureNodeLocation") or failure.get("Location") or {}
        print(f"{state}: {name}\n    {where.get('FileName', '').split('/pkg/')[-1]}:{where.get('LineNumber', '')}")
        print(textwrap.indent(failure.get("Message", "").split("\n    {")[0], "    "))
    print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or not passed else 0


def chosen(name, focus):
    return not focus or any(re.search(f, name) for f in focus)


def lines(path):
    return [line.strip() for line in open(path) if line.strip() and not line.startswith("#")]


sys.exit(main())

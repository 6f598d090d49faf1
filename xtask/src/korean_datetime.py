"""Writes korean-datetime's gold sentences with what they mean at three moments, judged by its own evaluator.

python korean_datetime.py FOLDER: the folder holds the source archive and gets cases.jsonl. The evaluator shares no code
with that library's parser; the moments are those of its hand-computed anchors: a plain day, a year's last hour, a leap
day.
"""

import json
import pathlib
import sys
import tarfile
from datetime import datetime

from korean_datetime.temporal.expectation import evaluate_expectation

MOMENTS = ("2026-09-28T14:30:00", "2027-12-31T23:10:00", "2028-02-29T08:05:00")

folder = pathlib.Path(sys.argv[1])
[archive] = folder.glob("korean_datetime-*.tar.gz")
with tarfile.open(archive) as held:
    [gold] = [entry for entry in held.getmembers() if entry.name.endswith("tests/data/temporal_gold.jsonl")]
    rows = [json.loads(row) for row in held.extractfile(gold).read().decode().splitlines()]
cases = []
for moment in MOMENTS:
    for row in rows:
        if "text" in row:
            meant = evaluate_expectation(row["expect"], datetime.fromisoformat(moment))
            expected = None if meant is None else meant.as_expected()
            case = {"now": moment, "category": row["category"], "text": row["text"], "expected": expected}
            cases.append(json.dumps(case, ensure_ascii=False))
(folder / "cases.jsonl").write_text("\n".join(cases) + "\n")

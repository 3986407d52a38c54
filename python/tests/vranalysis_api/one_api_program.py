"""What ONE-api finds in a tree by the tables in it, as JSON. ``python one_api_program.py ROOT``"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

from one.api import One


def main(root):
    root = Path(root)
    one = One(mode="local", cache_dir=root)
    assert len(one.search()) == len(one.search(datasets="mpci.times.npy")) == 3
    [eid] = one.search(subject="ATL027", date_range=["2024-02-09", "2024-02-09"])
    assert Path(one.eid2path(eid)) == root / "ATL027/2024-02-09/701"
    details = one.get_details(eid)
    assert (details["subject"], details["number"]) == ("ATL027", 701)
    assert details["date"] == datetime.date(2024, 2, 9)
    table = one.list_datasets(eid, "mpci.times.npy", collection="onedata", details=True)
    assert one.load_dataset(eid, "mpci.times.npy").tolist() == [0, 1, 2, 3]
    attributes = ["times", "roiActivityF"]
    found = one.load_object(eid, "mpci", collection="onedata", attribute=attributes)
    assert sorted(found) == sorted(attributes)
    print(json.dumps({
        "datasets": sorted(map(str, one.list_datasets(eid, qc="CRITICAL"))),
        "listed": {
            level: sorted(map(str, one.list_datasets(eid, qc=level)))
            for level in ("PASS", "WARNING", "FAIL", "CRITICAL")
        },
        "sizes": table["file_size"].tolist(),
        "qc": table["qc"].tolist(),
        "object": {name: array.tolist() for name, array in found.items()},
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Evidently's own verdicts on windows, with its defaults; run by the interpreter of an environment of its own.

Usage: python evidently_verdicts.py FILE.npz, with arrays "reference" (samples, features) and one a window. Prints one
JSON object a line: the window's name, the number of columns it calls drifted, and whether it calls the data drifted.
"""

import json
import sys
import warnings

import numpy as np
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

warnings.simplefilter("ignore")


def main(path: str) -> None:
    arrays = np.load(path)
    names = [f"feature_{number}" for number in range(arrays["reference"].shape[1])]
    reference = pd.DataFrame(arrays["reference"], columns=names)
    for window in arrays.files:
        if window != "reference":
            result = Report([DataDriftPreset()]).run(pd.DataFrame(arrays[window], columns=names), reference).dict()
            drifted = next(m["value"] for m in result["metrics"] if "DriftedColumnsCount" in m["metric_name"])
            verdict = {"window": window, "columns": drifted["count"], "drift": drifted["share"] >= 0.5}
            print(json.dumps(verdict), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
